#include "src/guest/strace_import.hh"

#include <fcntl.h>
#include <sys/socket.h>

#include <algorithm>
#include <limits>
#include <utility>

#include "src/guest/strace_tasks.hh"
#include "src/guest/strace_traits.hh"
#include "src/mirror/replay.hh"

namespace wakepath::guest {

namespace {

namespace call = os::call;

/// Of sockets and their like, and not translated.
const std::set<std::string_view>& not_translated() {
  static const std::set<std::string_view> kNames = {"sendmmsg",       "recvmmsg",       "splice",           "tee",
                                                    "vmsplice",       "timerfd_create", "signalfd",         "signalfd4",
                                                    "io_uring_setup", "io_uring_enter", "io_uring_register"};
  return kNames;
}

bool sends(os::Call kind) { return kind == os::Call::write || kind == os::Call::send || kind == os::Call::sendto; }

/// It found something, or took something: it came after whatever it found.
bool has_found(const StraceCall& call) {
  const os::Call kind = call.meaning.record->call();
  return call.result >= 0 && (receives(kind) || kind == os::Call::accept4 || (mirror::waits(kind) && call.result > 0));
}

/// A descriptor that no call of the log has made, by its decoration: whether it is a file.
bool is_file(int fd, std::string_view decoration) {
  if (decoration.empty()) return fd <= 2;
  for (const char* ours : {"TCP", "UDP", "UNIX", "socket:", "NETLINK", "anon_inode:[event", "RAW", "SCTP"})
    if (decoration.starts_with(ours)) return false;
  return !decoration.starts_with("pipe:") || fd <= 2;
}

}  // namespace

int busiest_process(const StraceLog& log) {
  std::map<int, std::size_t> busy;
  for (const StraceCall& call : log.calls) {
    if (!call.meaning.record) continue;
    const os::Call kind = call.meaning.record->call();
    const bool plain = kind == os::Call::read || kind == os::Call::write || kind == os::Call::close ||
                       kind == os::Call::fcntl || makes_two(kind) || kind == os::Call::eventfd2;
    if (!plain) ++busy[log.threads.at(call.thread).process];
  }
  int best = log.threads.at(log.calls.front().thread).process;
  for (const auto& [process, calls] : busy)
    if (calls > busy[best]) best = process;
  return best;
}

StraceTeller::StraceTeller(const StraceLog& log, int process)
    : log_(log), process_(process), sleeping_(log.calls.size()) {
  std::size_t until = log.events.size();
  for (int at = process; at != 0 && until_.try_emplace(at, until).second;) {
    const StraceProcess& one = log.processes.at(at);
    until = std::min(until, one.forked);
    at = one.parent;
  }
  shared_pipes_ = pipes_shared(log, until_);
  look_ahead();
  match_connects();
  learn_own_addresses();
}

bool StraceTeller::is_ours(std::size_t event) const {
  const auto found = until_.find(log_.threads.at(log_.calls[log_.events[event].call].thread).process);
  return found != until_.end() && event < found->second;
}

StraceTeller::Descriptor* StraceTeller::find(int fd) {
  const auto found = descriptors_.find(fd);
  return found != descriptors_.end() ? &found->second : nullptr;
}

StraceLeft StraceTeller::tell(const std::function<void(os::LogItem&)>& take) {
  take_ = &take;
  for (std::size_t i = 0; i < log_.events.size(); ++i) {
    if (makes_followed(i)) {
      give_up_unused(i);
    } else if (!is_ours(i)) {
      left_.outside += log_.events[i].returns ? 0 : 1;
    } else if (log_.events[i].returns) {
      returned(i);
    } else {
      entered(i);
    }
  }
  return left_;
}

/// Whether it is about sockets, pipes or epolls.
bool StraceTeller::concerns(const StraceCall& call) {
  const int fd = mirror::descriptor_of(*call.meaning.record);
  if (const auto* poll = std::get_if<call::Poll>(&call.meaning.record->arguments))
    return std::any_of(poll->fds.begin(), poll->fds.end(), [this](const pollfd& one) {
      const Descriptor* known = find(one.fd);
      return known != nullptr && known->followed;
    });
  if (fd < 0) return true;
  if (const Descriptor* known = find(fd)) return known->followed;
  if (is_file(fd, call.meaning.decoration)) return false;
  const os::Call kind = call.meaning.record->call();  // unknown: a file as likely as not
  const bool plain = receives(kind) || sends(kind) || kind == os::Call::close || kind == os::Call::fcntl;
  return !call.meaning.decoration.empty() || !plain;
}

bool StraceTeller::may_sleep(const StraceCall& call) {
  const os::CallRecord& record = *call.meaning.record;
  if (const auto* wait = std::get_if<call::EpollWait>(&record.arguments)) return wait->timeout_ms != 0;
  if (const auto* poll = std::get_if<call::Poll>(&record.arguments)) return poll->timeout_ms != 0;
  const Descriptor* known = find(mirror::descriptor_of(record));
  if (known != nullptr && known->nonblocking) return false;
  int flags = 0;
  if (const auto* recv = std::get_if<call::Recvfrom>(&record.arguments)) flags = recv->flags;
  if (const auto* send = std::get_if<call::Sendto>(&record.arguments)) flags = send->flags;
  if ((flags & MSG_DONTWAIT) != 0) return false;
  if (sends(record.call())) return !call.whole && !(known != nullptr && known->datagram);
  return receives(record.call()) || record.call() == os::Call::accept4;
}

void StraceTeller::entered(std::size_t event) {
  const std::size_t number = log_.events[event].call;
  const StraceCall& call = log_.calls[number];
  if (!call.returned) return;
  if (!call.meaning.why_not.empty()) ++left_.not_followed[call.meaning.why_not];
  if (not_translated().contains(call.name)) ++left_.not_followed[call.name];
  if (call.name == "close_range" && call.meaning.closes.size() == 3) {
    const std::vector<long>& range = call.meaning.closes;
    const auto first = descriptors_.lower_bound(static_cast<int>(std::clamp(range[0], 0L, kMostDescriptor)));
    std::vector<int> in_range;
    for (auto at = first; at != descriptors_.end() && at->first <= range[1]; ++at) in_range.push_back(at->first);
    for (const int fd : in_range) {
      if (range[2] != 0)
        find(fd)->close_on_exec = true;
      else
        give_up(call, fd);
    }
  }
  if (!call.meaning.record || !concerns(call)) return;
  if (shared_pipes_.contains(number)) {
    ++left_.not_followed["a pipe, pair or eventfd that other processes use, too"];
    for (const int end : call.meaning.record->output.fds) descriptors_[end] = {};
    descriptors_[made_by(call)] = {};
    return;
  }
  if (may_sleep(call)) {
    sleeping_[number] = true;
    emit(os::LogItem::Kind::entering, call, record_of(call, event, true), call.begin_ns);
  } else if (!has_found(call)) {
    emit(os::LogItem::Kind::returned, call, record_of(call, event, false), call.begin_ns);
    learn(call);
  }
}

void StraceTeller::returned(std::size_t event) {
  const std::size_t number = log_.events[event].call;
  const StraceCall& call = log_.calls[number];
  if (!call.returned) return;
  if (call.name == "execve" && call.result == 0) give_up_at_exec(call);
  if (makes_file(call) && call.result >= 0) return learn(call);
  if (!call.meaning.record) return;
  if (shared_pipes_.contains(number)) return;
  if (!concerns(call)) return learn(call);
  if (!sleeping_[number] && !has_found(call)) return;  // it was told at its entry
  emit(os::LogItem::Kind::returned, call, record_of(call, event, false), std::max(call.end_ns, ran_out_at(call)));
  learn(call);
}

/// When the time of a call was over that waited in vain; the log may tell when it began alone.
int64_t StraceTeller::ran_out_at(const StraceCall& call) {
  const os::CallArguments& arguments = call.meaning.record->arguments;
  if (call.result != 0) return 0;
  int timeout_ms = 0;
  if (const auto* wait = std::get_if<call::EpollWait>(&arguments)) timeout_ms = wait->timeout_ms;
  if (const auto* poll = std::get_if<call::Poll>(&arguments)) timeout_ms = poll->timeout_ms;
  return call.begin_ns + int64_t{timeout_ms} * 1'000'000;
}

/// What is known of the descriptors afterwards.
void StraceTeller::learn(const StraceCall& call) {
  const bool followed = call.meaning.record.has_value() && concerns(call);
  const int fd = call.meaning.record ? mirror::descriptor_of(*call.meaning.record) : -1;
  if (call.name == "close") {
    descriptors_.erase(fd);
    return;
  }
  if (call.result < 0) return;
  if (Descriptor* known = find(fd); known != nullptr && call.meaning.close_on_exec)
    known->close_on_exec = *call.meaning.close_on_exec;
  const int made = made_by(call);
  if (made >= 0) {
    Descriptor now{.followed = followed};
    if (followed) {
      const os::CallArguments& arguments = call.meaning.record->arguments;
      if (const auto* socket = std::get_if<call::Socket>(&arguments))
        now = {true, (socket->type & 0xf) == SOCK_DGRAM, (socket->type & SOCK_NONBLOCK) != 0,
               (socket->type & SOCK_CLOEXEC) != 0};
      if (const auto* accept = std::get_if<call::Accept4>(&arguments))
        now = {true, false, (accept->flags & SOCK_NONBLOCK) != 0, (accept->flags & SOCK_CLOEXEC) != 0};
      if (const auto* epoll = std::get_if<call::EpollCreate1>(&arguments))
        now = {true, false, false, (epoll->flags & O_CLOEXEC) != 0};
      if (const auto* counter = std::get_if<call::Eventfd2>(&arguments))
        now = {true, false, (counter->flags & O_NONBLOCK) != 0, (counter->flags & O_CLOEXEC) != 0};
      if (const auto* copy = std::get_if<call::Fcntl>(&arguments)) {
        if (const Descriptor* of = find(fd)) now = *of;
        now.close_on_exec = copy->command == F_DUPFD_CLOEXEC;
      }
    }
    descriptors_[made] = now;
    return;
  }
  if (!followed) return;
  if (const auto* pipe = std::get_if<call::Pipe2>(&call.meaning.record->arguments))
    for (const int end : call.meaning.record->output.fds)
      descriptors_[end] = {true, false, (pipe->flags & O_NONBLOCK) != 0, (pipe->flags & O_CLOEXEC) != 0};
  if (const auto* pair = std::get_if<call::Socketpair>(&call.meaning.record->arguments))
    for (const int end : call.meaning.record->output.fds)
      descriptors_[end] = {true, false, (pair->type & SOCK_NONBLOCK) != 0, (pair->type & SOCK_CLOEXEC) != 0};
  if (const auto* fcntl = std::get_if<call::Fcntl>(&call.meaning.record->arguments);
      fcntl != nullptr && fcntl->command == F_SETFL)
    if (Descriptor* known = find(fd)) known->nonblocking = (fcntl->argument & O_NONBLOCK) != 0;
  if (const auto* control = std::get_if<call::EpollCtl>(&call.meaning.record->arguments);
      control != nullptr && control->event)
    registered_[{control->epfd, control->event->data.u64}] = control->fd;
}

/// Whether it is the fork that one of the processes came from which are followed.
bool StraceTeller::makes_followed(std::size_t event) const {
  const StraceCall& call = log_.calls[log_.events[event].call];
  return !log_.events[event].returns && makes_task(call.name) && call.meaning.word == "process" && call.result > 0 &&
         until_.contains(static_cast<int>(call.result));
}

/// What a process has inherited and never uses is its parent's business: a listener, say, that it connects to.
void StraceTeller::give_up_unused(std::size_t fork) {
  const StraceCall& call = log_.calls[log_.events[fork].call];
  std::vector<int> unused;
  for (const auto& [fd, known] : descriptors_) {
    const auto traits = traits_.find(fd);
    bool used = false;
    if (traits != traits_.end())
      for (const Trait& trait : traits->second) {
        if (trait.event <= fork || trait.kind == Trait::Kind::address) continue;
        used = trait.kind != Trait::Kind::end;
        break;
      }
    if (!used && known.followed) unused.push_back(fd);
  }
  for (const int fd : unused) {
    give_up(call, fd);
    descriptors_[fd] = {};  // its close is not told either
  }
}

/// A descriptor is closed by a call that is no close.
void StraceTeller::give_up(const StraceCall& call, int fd) {
  const auto found = descriptors_.find(fd);
  if (found == descriptors_.end()) return;
  const bool followed = found->second.followed;
  descriptors_.erase(found);
  if (!followed) return;
  os::CallRecord record;
  record.arguments = call::Close{fd};
  emit(os::LogItem::Kind::returned, call, std::move(record), call.begin_ns);
}

void StraceTeller::give_up_at_exec(const StraceCall& call) {
  std::vector<int> closed;
  for (const auto& [fd, known] : descriptors_)
    if (known.close_on_exec) closed.push_back(fd);
  for (const int fd : closed) give_up(call, fd);
}

void StraceTeller::emit(os::LogItem::Kind kind, const StraceCall& call, os::CallRecord&& record, int64_t at_ns) {
  if (kind == os::LogItem::Kind::returned && call.meaning.record &&
      record.arguments.index() == call.meaning.record->arguments.index()) {
    // a number that is given out again has been closed meanwhile, by a call that the log does not have
    std::vector<int> made = {made_by(call)};
    if (call.meaning.closes.size() == 1) made.push_back(static_cast<int>(call.meaning.closes.front()));
    if (makes_two(record.call()) && call.result >= 0) made.assign(record.output.fds.begin(), record.output.fds.end());
    const bool told = call.meaning.closes.size() == 1;
    for (const int fd : made) {
      if (fd < 0 || !descriptors_.contains(fd)) continue;
      left_.unseen_closes += told || !find(fd)->followed ? 0 : 1;
      give_up(call, fd);
    }
  }
  constexpr int64_t kLongest = 86'400'000'000'000;  // that nothing happens: a day
  if (sequence_ == 0) now_ = at_ns;
  now_ = std::clamp(at_ns, now_, now_ > std::numeric_limits<int64_t>::max() - kLongest ? now_ : now_ + kLongest);
  item_.kind = kind;
  item_.record = std::move(record);
  item_.record.sequence = ++sequence_;
  item_.record.thread = call.thread;
  item_.record.thread_name = log_.threads.at(call.thread).name;
  item_.record.at_ns = now_;
  (*take_)(item_);
}

StraceLeft follow_strace(const StraceLog& log, int process, mirror::Mirror& mirror) {
  StraceTeller teller(log, process);
  StraceLeft left = teller.tell([&](os::LogItem& item) {
    mirror.take(item);
    mirror.follow(false);
  });
  mirror.follow(true);
  return left;
}

}  // namespace wakepath::guest
