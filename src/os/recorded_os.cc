#include "src/os/recorded_os.hh"

#include <fcntl.h>

#include <cstring>
#include <utility>

namespace wakepath::os {
namespace {

std::string bytes(const void* data, size_t size) {
  return data == nullptr ? std::string() : std::string(static_cast<const char*>(data), size);
}

uintptr_t identity(const std::atomic<uint32_t>& word) { return reinterpret_cast<uintptr_t>(&word); }

}  // namespace

void RecordedOs::NonBlocking::set(int fd, bool nonblocking) {
  std::lock_guard hold(lock_);
  flags_[fd] = nonblocking;
}

bool RecordedOs::NonBlocking::get(int fd) {
  std::lock_guard hold(lock_);
  auto found = flags_.find(fd);
  return found != flags_.end() && found->second;
}

void RecordedOs::NonBlocking::forget(int fd) {
  std::lock_guard hold(lock_);
  flags_.erase(fd);
}

template <class Result, class Run, class Fill>
Result RecordedOs::through(CallArguments arguments, bool may_block, Run run, Fill fill) {
  CallRecord record;
  record.sequence = sequence_.fetch_add(1) + 1;
  ThreadInfo self = inner_.thread_self();
  record.thread = self.id;
  record.thread_name = std::move(self.name);
  record.arguments = std::move(arguments);
  record.may_block = may_block;
  observer_.entering(record);
  record.entry_ns = inner_.monotonic_ns();
  const Result result = run();
  record.return_ns = inner_.monotonic_ns();
  record.result = static_cast<long>(result);
  if (result >= 0) fill(record);
  observer_.returned(record);
  return result;
}

int RecordedOs::socket(int domain, int type, int protocol) {
  return through<int>(
      call::Socket{domain, type, protocol}, false, [&] { return inner_.socket(domain, type, protocol); },
      [&](CallRecord& record) { nonblocking_.set(static_cast<int>(record.result), type & SOCK_NONBLOCK); });
}

int RecordedOs::bind(int fd, const sockaddr* address, socklen_t size) {
  return through<int>(call::Bind{fd, Address::copy(address, size)}, false,
                      [&] { return inner_.bind(fd, address, size); });
}

int RecordedOs::listen(int fd, int backlog) {
  return through<int>(call::Listen{fd, backlog}, false, [&] { return inner_.listen(fd, backlog); });
}

int RecordedOs::accept4(int fd, sockaddr* address, socklen_t* size, int flags) {
  return through<int>(
      call::Accept4{fd, address != nullptr, flags}, sleeps(fd, 0),
      [&] { return inner_.accept4(fd, address, size, flags); },
      [&](CallRecord& record) {
        nonblocking_.set(static_cast<int>(record.result), flags & SOCK_NONBLOCK);
        if (address != nullptr) record.output.address = Address::copy(address, *size);
      });
}

int RecordedOs::connect(int fd, const sockaddr* address, socklen_t size) {
  return through<int>(call::Connect{fd, Address::copy(address, size)}, sleeps(fd, 0),
                      [&] { return inner_.connect(fd, address, size); });
}

int RecordedOs::getsockname(int fd, sockaddr* address, socklen_t* size) {
  return through<int>(
      call::Getsockname{fd}, false, [&] { return inner_.getsockname(fd, address, size); },
      [&](CallRecord& record) { record.output.address = Address::copy(address, *size); });
}

int RecordedOs::getpeername(int fd, sockaddr* address, socklen_t* size) {
  return through<int>(
      call::Getpeername{fd}, false, [&] { return inner_.getpeername(fd, address, size); },
      [&](CallRecord& record) { record.output.address = Address::copy(address, *size); });
}

int RecordedOs::setsockopt(int fd, int level, int option, const void* value, socklen_t size) {
  return through<int>(call::Setsockopt{fd, level, option, bytes(value, size)}, false,
                      [&] { return inner_.setsockopt(fd, level, option, value, size); });
}

int RecordedOs::getsockopt(int fd, int level, int option, void* value, socklen_t* size) {
  return through<int>(
      call::Getsockopt{fd, level, option, *size}, false,
      [&] { return inner_.getsockopt(fd, level, option, value, size); },
      [&](CallRecord& record) { record.output.data = bytes(value, *size); });
}

int RecordedOs::shutdown(int fd, int how) {
  return through<int>(call::Shutdown{fd, how}, false, [&] { return inner_.shutdown(fd, how); });
}

int RecordedOs::close(int fd) {
  nonblocking_.forget(fd);  // before the call: after it the number may already be another thread's
  return through<int>(call::Close{fd}, false, [&] { return inner_.close(fd); });
}

ssize_t RecordedOs::read(int fd, void* data, size_t size) {
  return through<ssize_t>(
      call::Read{fd, size}, sleeps(fd, 0), [&] { return inner_.read(fd, data, size); },
      [&](CallRecord& record) { record.output.data = bytes(data, static_cast<size_t>(record.result)); });
}

ssize_t RecordedOs::write(int fd, const void* data, size_t size) {
  return through<ssize_t>(call::Write{fd, bytes(data, size)}, sleeps(fd, 0),
                          [&] { return inner_.write(fd, data, size); });
}

ssize_t RecordedOs::send(int fd, const void* data, size_t size, int flags) {
  return through<ssize_t>(call::Send{fd, bytes(data, size), flags}, sleeps(fd, flags),
                          [&] { return inner_.send(fd, data, size, flags); });
}

ssize_t RecordedOs::recv(int fd, void* data, size_t size, int flags) {
  return through<ssize_t>(
      call::Recv{fd, size, flags}, sleeps(fd, flags), [&] { return inner_.recv(fd, data, size, flags); },
      [&](CallRecord& record) {
        // with MSG_TRUNC the result may be more than what was written (recv(2))
        record.output.data = bytes(data, std::min(size, static_cast<size_t>(record.result)));
      });
}

ssize_t RecordedOs::sendto(int fd, const void* data, size_t size, int flags, const sockaddr* to, socklen_t to_size) {
  return through<ssize_t>(call::Sendto{fd, bytes(data, size), flags, Address::copy(to, to_size)}, sleeps(fd, flags),
                          [&] { return inner_.sendto(fd, data, size, flags, to, to_size); });
}

ssize_t RecordedOs::recvfrom(int fd, void* data, size_t size, int flags, sockaddr* from, socklen_t* from_size) {
  return through<ssize_t>(
      call::Recvfrom{fd, size, flags, from != nullptr}, sleeps(fd, flags),
      [&] { return inner_.recvfrom(fd, data, size, flags, from, from_size); },
      [&](CallRecord& record) {
        record.output.data = bytes(data, std::min(size, static_cast<size_t>(record.result)));
        if (from != nullptr) record.output.address = Address::copy(from, *from_size);
      });
}

int RecordedOs::fcntl(int fd, int command, int argument) {
  return through<int>(
      call::Fcntl{fd, command, argument}, false, [&] { return inner_.fcntl(fd, command, argument); },
      [&](CallRecord& record) {
        if (command == F_SETFL) nonblocking_.set(fd, argument & O_NONBLOCK);
        if (command == F_DUPFD || command == F_DUPFD_CLOEXEC)
          nonblocking_.set(static_cast<int>(record.result), nonblocking_.get(fd));
      });
}

int RecordedOs::pipe2(int fds[2], int flags) {
  return through<int>(
      call::Pipe2{flags}, false, [&] { return inner_.pipe2(fds, flags); },
      [&](CallRecord& record) {
        record.output.fds = {fds[0], fds[1]};
        for (int fd : record.output.fds) nonblocking_.set(fd, flags & O_NONBLOCK);
      });
}

int RecordedOs::epoll_create1(int flags) {
  return through<int>(call::EpollCreate1{flags}, false, [&] { return inner_.epoll_create1(flags); });
}

int RecordedOs::epoll_ctl(int epfd, int operation, int fd, epoll_event* event) {
  return through<int>(call::EpollCtl{epfd, operation, fd, event == nullptr ? std::nullopt : std::optional(*event)},
                      false, [&] { return inner_.epoll_ctl(epfd, operation, fd, event); });
}

int RecordedOs::epoll_wait(int epfd, epoll_event* events, int max_events, int timeout_ms) {
  return through<int>(
      call::EpollWait{epfd, max_events, timeout_ms}, timeout_ms != 0,
      [&] { return inner_.epoll_wait(epfd, events, max_events, timeout_ms); },
      [&](CallRecord& record) { record.output.events.assign(events, events + record.result); });
}

int RecordedOs::resolve(const std::string& host, uint16_t port, int type, bool passive,
                        std::vector<SocketAddress>& addresses) {
  return through<int>(
      call::Resolve{host, port, type, passive}, true,
      [&] { return inner_.resolve(host, port, type, passive, addresses); },
      [&](CallRecord& record) { record.output.addresses = addresses; });
}

int RecordedOs::thread_start(const std::string& name, std::function<void()> body) {
  return through<int>(call::ThreadStart{name}, false, [&] { return inner_.thread_start(name, std::move(body)); });
}

int RecordedOs::thread_join(int thread) {
  return through<int>(call::ThreadJoin{thread}, true, [&] { return inner_.thread_join(thread); });
}

int RecordedOs::park(std::atomic<uint32_t>& word, uint32_t expected, int64_t timeout_ns) {
  return through<int>(call::Park{identity(word), expected, timeout_ns}, true,
                      [&] { return inner_.park(word, expected, timeout_ns); });
}

int RecordedOs::unpark(std::atomic<uint32_t>& word, int count) {
  return through<int>(call::Unpark{identity(word), count}, false, [&] { return inner_.unpark(word, count); });
}

int64_t RecordedOs::monotonic_ns() {
  return through<int64_t>(call::MonotonicNs{}, false, [&] { return inner_.monotonic_ns(); });
}

int RecordedOs::sleep_ns(int64_t duration_ns) {
  return through<int>(call::SleepNs{duration_ns}, true, [&] { return inner_.sleep_ns(duration_ns); });
}

int RecordedOs::random(void* data, size_t size) {
  return through<int>(
      call::Random{size}, false, [&] { return inner_.random(data, size); },
      [&](CallRecord& record) { record.output.data = bytes(data, size); });
}

}  // namespace wakepath::os
