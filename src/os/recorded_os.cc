#include "src/os/recorded_os.hh"

#include <fcntl.h>

#include <algorithm>
#include <cstring>
#include <span>

#include "src/os/call_code.hh"
#include "src/os/sight.hh"

namespace wakepath::os {

namespace {

std::string_view view(const void* data, size_t size) {
  return data == nullptr ? std::string_view() : std::string_view(static_cast<const char*>(data), size);
}

std::string_view view(const sockaddr* address, socklen_t size) {
  return view(static_cast<const void*>(address), std::min<size_t>(size, sizeof(sockaddr_storage)));
}

LogEntry entry_of(Call call, int a = 0, int b = 0, int c = 0, uint64_t wide = 0) {
  LogEntry entry{};
  entry.kind = static_cast<uint8_t>(call);
  entry.a = a;
  entry.b = b;
  entry.c = c;
  entry.wide = wide;
  return entry;
}

bool tells_of_an_end(int64_t result) { return result == -ECONNRESET || result == -EPIPE || result == -ENOTCONN; }

}  // namespace

struct RecordedOs::Extra {
  std::string_view head;  ///< an address before the data of a datagram
  std::string_view data;
  std::string sights;

  void see(const std::vector<Sight>& seen) { sights = bytes_of(seen); }
};

void RecordedOs::Descriptors::set_nonblocking(int fd, bool nonblocking) {
  if (fd >= 0 && fd < kMost) word(fd).store(nonblocking ? kNonblocking : 0);
}

void RecordedOs::Descriptors::pass_by(int fd) {
  if (fd >= 0 && fd < kMost) word(fd).fetch_or(kPassedBy);
}

bool RecordedOs::Descriptors::passed_by(int fd) const {
  return fd >= 0 && fd < kMost && (word(fd).load(std::memory_order_relaxed) & kPassedBy) != 0;
}

bool RecordedOs::Descriptors::passed_by(const LogEntry& entry) const {
  switch (static_cast<Call>(entry.kind)) {
    case Call::getsockname:
    case Call::getpeername:
    case Call::setsockopt:
    case Call::getsockopt:
    case Call::shutdown:
    case Call::read:
    case Call::write:
    case Call::send:
    case Call::recv:
    case Call::sendto:
    case Call::recvfrom:
    case Call::fcntl:
      return passed_by(entry.a);
    default:
      return false;  // what makes, registers and closes descriptors is recorded of all
  }
}

bool RecordedOs::Descriptors::nonblocking(int fd) const {
  return fd >= 0 && fd < kMost && (word(fd).load(std::memory_order_relaxed) & kNonblocking) != 0;
}

/// Two threads that send on one descriptor at once may lose some of the count: it is no more than a reminder.
bool RecordedOs::Descriptors::sent_much(int fd, size_t bytes) {
  if (fd < 0 || fd >= kMost) return false;
  const uint32_t before = word(fd).load(std::memory_order_relaxed);
  const uint32_t sent = (before >> kFlags) + static_cast<uint32_t>(std::min<size_t>(bytes, kOften));
  const bool much = sent >= kOften;
  word(fd).store((much ? 0 : sent << kFlags) | (before & (kNonblocking | kPassedBy)), std::memory_order_relaxed);
  return much;
}

void RecordedOs::Descriptors::forget(int fd) { set_nonblocking(fd, false); }

void RecordedOs::Registrations::add(int epfd, int fd, uint64_t data) {
  std::lock_guard hold(lock_);
  if (const auto old = key_of_.find(fd); old != key_of_.end()) fd_of_.erase(old->second);
  fd_of_[{epfd, data}] = fd;
  key_of_[fd] = {epfd, data};
}

void RecordedOs::Registrations::forget(int fd) {
  std::lock_guard hold(lock_);
  const auto old = key_of_.find(fd);
  if (old == key_of_.end()) return;
  if (const auto at = fd_of_.find(old->second); at != fd_of_.end() && at->second == fd) fd_of_.erase(at);
  key_of_.erase(old);
}

int RecordedOs::Registrations::fd_of(int epfd, uint64_t data) {
  std::lock_guard hold(lock_);
  const auto found = fd_of_.find({epfd, data});
  return found != fd_of_.end() ? found->second : -1;
}

RecordedOs::RecordedOs(Os& inner, CallLog& log) : ForwardingOs(inner), log_(log) {}

LogThread& RecordedOs::self() {
  LogThread& thread = log_.self();
  if (!thread.named.load(std::memory_order_relaxed)) {
    thread.info = inner_.thread_self();
    thread.named.store(true, std::memory_order_release);
  }
  return thread;
}

void RecordedOs::cut(LogEntry& entry, std::string_view& data) const {
  if (data.size() <= log_.most_data()) return;
  data = data.substr(0, log_.most_data());
  entry.flags |= kCut;
}

template <class Result, class Run, class Tell>
Result RecordedOs::through(LogEntry entry, bool sleeps, std::string_view given, Run run, Tell tell) {
  LogThread& thread = self();
  if (descriptors_.passed_by(entry)) {
    CallLog::count(thread.passed_by);
    return run();
  }
  if (!log_.takes(entry)) {
    if (sleeps) {  // it may return when the log is on
      const Result result = run();
      record(thread, entry, 0, sleeps, result, tell);
      return result;
    }
    if (log_.begin_unseen(thread)) {
      const Result result = run();
      thread.unseen.store(false, std::memory_order_release);
      CallLog::count(thread.missed);
      return result;
    }
  }
  Gate::Pass pass = 0;
  if (sleeps && log_.on()) {
    LogEntry enters = entry;
    enters.flags |= kSleeps | kEntering;
    cut(enters, given);
    enters.at = stamp();
    enters.ticket = log_.ticket();
    log_.write(thread, enters, {given});
  } else if (!sleeps) {
    pass = thread.next_pass();
    log_.gate().enter(pass, false);
  }
  const Result result = run();
  record(thread, entry, pass, sleeps, result, tell);
  return result;
}

/// The return of a call, under the gate's `pass` if it cannot sleep.
template <class Tell>
void RecordedOs::record(LogThread& thread, LogEntry& entry, Gate::Pass pass, bool sleeps, int64_t result, Tell tell) {
  if (!log_.takes(entry)) {
    if (pass != 0) log_.gate().leave(pass);
    return CallLog::count(thread.missed);
  }
  entry.at = stamp();
  entry.result = result;
  if (sleeps) entry.flags |= kSleeps;
  Extra extra;
  tell(entry, extra);
  cut(entry, extra.data);
  if (!extra.sights.empty()) entry.flags |= kHasSights;
  if (pass == 0 || !log_.gate().holds(pass)) log_.gate().enter(pass = thread.next_pass(), true);
  const bool on = log_.on();
  const bool takes = log_.takes(entry);  // else it may be the effect of a call that is not recorded
  if (takes) entry.ticket = log_.ticket();
  log_.gate().leave(pass);
  if (!takes) return CallLog::count(thread.missed);
  log_.write_call(thread, entry, on, {extra.head, extra.data, extra.sights});
}

int RecordedOs::socket(int domain, int type, int protocol) {
  return at_once<int>(
      entry_of(Call::socket, domain, type, protocol), [&] { return inner_.socket(domain, type, protocol); },
      [&](LogEntry& entry, Extra&) {
        descriptors_.set_nonblocking(static_cast<int>(entry.result), type & SOCK_NONBLOCK);
      });
}

int RecordedOs::bind(int fd, const sockaddr* address, socklen_t size) {
  return at_once<int>(
      entry_of(Call::bind, fd), [&] { return inner_.bind(fd, address, size); },
      [&](LogEntry& entry, Extra& extra) {
        extra.data = view(address, size);
        if (entry.result == 0) extra.see({sight_of_address(fd)});
      });
}

int RecordedOs::listen(int fd, int backlog) {
  return at_once<int>(
      entry_of(Call::listen, fd, backlog), [&] { return inner_.listen(fd, backlog); },
      [&](LogEntry& entry, Extra& extra) {
        if (entry.result == 0) extra.see({sight_of_address(fd)});
      });
}

int RecordedOs::accept4(int fd, sockaddr* address, socklen_t* size, int flags) {
  sockaddr_storage peer{};  // asked for in any case: it tells who has connected
  socklen_t peer_size = sizeof peer;
  LogEntry entry = entry_of(Call::accept4, fd, address != nullptr, flags);
  const bool sleeps = may_sleep(fd, 0);
  if (sleeps) entry.flags |= kMayBlock;
  return through<int>(
      entry, sleeps, {},
      [&] {
        const int result = inner_.accept4(fd, reinterpret_cast<sockaddr*>(&peer), &peer_size, flags);
        if (result < 0 || address == nullptr) return result;
        std::memcpy(address, &peer, std::min(*size, peer_size));
        *size = peer_size;
        return result;
      },
      [&](LogEntry& done, Extra& extra) {
        if (done.result < 0) return;
        descriptors_.set_nonblocking(static_cast<int>(done.result), flags & SOCK_NONBLOCK);
        if (!log_.chooses_next()) {
          descriptors_.pass_by(static_cast<int>(done.result));
          done.flags |= kPassedBy;
        }
        extra.data = view(reinterpret_cast<const sockaddr*>(&peer), peer_size);
      });
}

/// To a listener on loopback it is complete when the call returns: it does not sleep, blocking or not.
int RecordedOs::connect(int fd, const sockaddr* address, socklen_t size) {
  LogEntry entry = entry_of(Call::connect, fd);
  if (may_sleep(fd, 0)) entry.flags |= kMayBlock;
  return at_once<int>(
      entry, [&] { return inner_.connect(fd, address, size); },
      [&](LogEntry&, Extra& extra) {
        extra.data = view(address, size);
        extra.see({sight_of_address(fd)});
      });
}

int RecordedOs::getsockname(int fd, sockaddr* address, socklen_t* size) {
  return at_once<int>(
      entry_of(Call::getsockname, fd), [&] { return inner_.getsockname(fd, address, size); },
      [&](LogEntry& entry, Extra& extra) {
        if (entry.result == 0) extra.data = view(address, *size);
      });
}

int RecordedOs::getpeername(int fd, sockaddr* address, socklen_t* size) {
  return at_once<int>(
      entry_of(Call::getpeername, fd), [&] { return inner_.getpeername(fd, address, size); },
      [&](LogEntry& entry, Extra& extra) {
        if (entry.result == 0) extra.data = view(address, *size);
        if (tells_of_an_end(entry.result)) extra.see({sight_of_end(fd)});
      });
}

int RecordedOs::setsockopt(int fd, int level, int option, const void* value, socklen_t size) {
  return at_once<int>(
      entry_of(Call::setsockopt, fd, level, option), [&] { return inner_.setsockopt(fd, level, option, value, size); },
      [&](LogEntry&, Extra& extra) { extra.data = view(value, size); });
}

int RecordedOs::getsockopt(int fd, int level, int option, void* value, socklen_t* size) {
  return at_once<int>(
      entry_of(Call::getsockopt, fd, level, option, *size),
      [&] { return inner_.getsockopt(fd, level, option, value, size); },
      [&](LogEntry& entry, Extra& extra) {
        if (entry.result != 0) return;
        extra.data = view(value, *size);
        const bool error = level == SOL_SOCKET && option == SO_ERROR && *size == sizeof(int);
        if (error && *static_cast<const int*>(value) != 0) extra.see({sight_of_end(fd)});
      });
}

int RecordedOs::shutdown(int fd, int how) {
  return at_once<int>(
      entry_of(Call::shutdown, fd, how), [&] { return inner_.shutdown(fd, how); },
      [&](LogEntry& entry, Extra& extra) {
        if (tells_of_an_end(entry.result)) extra.see({sight_of_end(fd)});
      });
}

int RecordedOs::close(int fd) {
  // before the call: after it the number may already be another thread's
  descriptors_.forget(fd);
  registrations_.forget(fd);
  return at_once<int>(entry_of(Call::close, fd), [&] { return inner_.close(fd); });
}

template <class Run>
ssize_t RecordedOs::receiving(LogEntry entry, int flags, void* data, Run run) {
  const int fd = entry.a;
  const bool sleeps = may_sleep(fd, flags);
  if (sleeps) entry.flags |= kMayBlock;
  return through<ssize_t>(entry, sleeps, {}, run, [&](LogEntry& done, Extra& extra) {
    // with MSG_TRUNC it may be more than there was room for
    if (done.result > 0)
      extra.data = view(data, std::min(static_cast<size_t>(done.result), static_cast<size_t>(done.wide)));
    if (tells_of_an_end(done.result)) extra.see({sight_of_end(fd)});
  });
}

template <class Run>
ssize_t RecordedOs::sending(LogEntry entry, int flags, const void* data, size_t size, Run run) {
  const int fd = entry.a;
  bool sleeps = false;
  if (may_sleep(fd, flags) && !descriptors_.passed_by(fd)) {
    entry.flags |= kMayBlock;
    sleeps = !has_room(fd, size);
  }
  return through<ssize_t>(entry, sleeps, view(data, size), run, [&](LogEntry& done, Extra& extra) {
    const auto taken = static_cast<size_t>(std::max<int64_t>(done.result, 0));
    extra.data = view(data, taken);
    if (tells_of_an_end(done.result))
      extra.see({sight_of_end(fd)});
    else if (taken < size || descriptors_.sent_much(fd, taken))
      extra.see({sight_of_sending(fd, size - taken)});
  });
}

ssize_t RecordedOs::read(int fd, void* data, size_t size) {
  return receiving(entry_of(Call::read, fd, 0, 0, size), 0, data, [&] { return inner_.read(fd, data, size); });
}

ssize_t RecordedOs::write(int fd, const void* data, size_t size) {
  return sending(entry_of(Call::write, fd, 0, 0, size), 0, data, size, [&] { return inner_.write(fd, data, size); });
}

ssize_t RecordedOs::send(int fd, const void* data, size_t size, int flags) {
  return sending(entry_of(Call::send, fd, flags, 0, size), flags, data, size,
                 [&] { return inner_.send(fd, data, size, flags); });
}

ssize_t RecordedOs::recv(int fd, void* data, size_t size, int flags) {
  return receiving(entry_of(Call::recv, fd, flags, 0, size), flags, data,
                   [&] { return inner_.recv(fd, data, size, flags); });
}

ssize_t RecordedOs::sendto(int fd, const void* data, size_t size, int flags, const sockaddr* to, socklen_t to_size) {
  const std::string_view address = view(to, to_size);
  LogEntry entry = entry_of(Call::sendto, fd, flags, static_cast<int>(address.size()), size);
  if (may_sleep(fd, flags)) entry.flags |= kMayBlock;
  return at_once<ssize_t>(
      entry, [&] { return inner_.sendto(fd, data, size, flags, to, to_size); },
      [&](LogEntry&, Extra& extra) {
        extra.head = address;
        extra.data = view(data, size);
      });
}

ssize_t RecordedOs::recvfrom(int fd, void* data, size_t size, int flags, sockaddr* from, socklen_t* from_size) {
  LogEntry entry = entry_of(Call::recvfrom, fd, flags, from != nullptr, size);
  const bool sleeps = may_sleep(fd, flags);
  if (sleeps) entry.flags |= kMayBlock;
  return through<ssize_t>(
      entry, sleeps, {}, [&] { return inner_.recvfrom(fd, data, size, flags, from, from_size); },
      [&](LogEntry& done, Extra& extra) {
        if (done.result < 0) return;
        if (from != nullptr) extra.head = view(from, *from_size);
        done.d = static_cast<int>(extra.head.size());
        extra.data = view(data, std::min(size, static_cast<size_t>(done.result)));
      });
}

int RecordedOs::fcntl(int fd, int command, int argument) {
  return at_once<int>(
      entry_of(Call::fcntl, fd, command, argument), [&] { return inner_.fcntl(fd, command, argument); },
      [&](LogEntry& entry, Extra&) {
        if (entry.result < 0) return;
        if (command == F_SETFL) descriptors_.set_nonblocking(fd, argument & O_NONBLOCK);
        if (command == F_DUPFD || command == F_DUPFD_CLOEXEC)
          descriptors_.set_nonblocking(static_cast<int>(entry.result), descriptors_.nonblocking(fd));
      });
}

int RecordedOs::pipe2(int fds[2], int flags) {
  return at_once<int>(
      entry_of(Call::pipe2, flags), [&] { return inner_.pipe2(fds, flags); },
      [&](LogEntry& entry, Extra&) {
        if (entry.result < 0) return;
        entry.b = fds[0];
        entry.c = fds[1];
        for (const int fd : {fds[0], fds[1]}) descriptors_.set_nonblocking(fd, flags & O_NONBLOCK);
      });
}

int RecordedOs::epoll_create1(int flags) {
  return at_once<int>(entry_of(Call::epoll_create1, flags), [&] { return inner_.epoll_create1(flags); });
}

int RecordedOs::epoll_ctl(int epfd, int operation, int fd, epoll_event* event) {
  LogEntry entry = entry_of(Call::epoll_ctl, epfd, operation, fd, event != nullptr ? event->data.u64 : 0);
  if (event == nullptr) entry.flags |= kNullEvent;
  if (event != nullptr) entry.d = static_cast<int32_t>(event->events);
  return at_once<int>(
      entry, [&] { return inner_.epoll_ctl(epfd, operation, fd, event); },
      [&](LogEntry& done, Extra&) {
        if (done.result == 0 && event != nullptr) registrations_.add(epfd, fd, event->data.u64);
      });
}

int RecordedOs::epoll_wait(int epfd, epoll_event* events, int max_events, int timeout_ms) {
  LogEntry entry = entry_of(Call::epoll_wait, epfd, max_events, timeout_ms);
  if (timeout_ms != 0) entry.flags |= kMayBlock;
  return through<int>(
      entry, timeout_ms != 0, {}, [&] { return inner_.epoll_wait(epfd, events, max_events, timeout_ms); },
      [&](LogEntry& done, Extra& extra) {
        if (done.result <= 0) return;
        const auto count = static_cast<size_t>(done.result);
        extra.data = view(events, count * sizeof(epoll_event));
        std::vector<Sight> sights;
        for (const epoll_event& event : std::span(events, count)) {
          if ((event.events & (EPOLLERR | EPOLLHUP)) == 0) continue;
          const int fd = registrations_.fd_of(epfd, event.data.u64);
          if (fd >= 0 && !descriptors_.passed_by(fd)) sights.push_back(sight_of_end(fd, log_.most_data() / count));
        }
        if (!sights.empty()) extra.see(sights);
      });
}

}  // namespace wakepath::os
