#include "tests/check/random_program.hh"

#include <fmt/format.h>
#include <netinet/in.h>
#include <netinet/tcp.h>

#include "sim/check/check.hh"

namespace wakepath::check {

using namespace kernel;  // NOLINT

namespace {

constexpr u32 kLocalhost = 0x7F000001;
constexpr u16 kPort = 5000;
constexpr std::size_t kMostBytes = 3'000'000;

const std::vector<char>& bytes_to_send() {
  static const std::vector<char> kBytes(kMostBytes, 'x');
  return kBytes;
}

}  // namespace

RandomProgram::RandomProgram(std::uint64_t seed) : random_(seed), buffer_(kMostBytes) {
  tasks_.push_back(k_.spawn_process("server"));
  tasks_.push_back(k_.spawn_process("client"));
  if (percent(50)) tasks_.push_back(k_.spawn_thread("server-2", tasks_[0]));
}

std::vector<std::string> RandomProgram::run(int calls) {
  std::vector<std::string> out;
  if (percent(75)) connected_pair();
  for (int i = 0; i < calls && !tasks_.empty(); ++i) {
    one_call();
    if (complain(out)) return out;
  }
  while (!tasks_.empty()) {
    k_.exit_task(tasks_.back());
    tasks_.pop_back();
    if (complain(out)) return out;
  }
  k_.scheduler.advance_to(k_.now_ns() + 3'600'000 * kNsPerMs);
  if (complain(out)) return out;
  return check_all_freed(k_);
}

bool RandomProgram::complain(std::vector<std::string>& out) {
  for (std::string& complaint : check_invariants(k_)) out.push_back(std::move(complaint));
  return !out.empty();
}

std::set<StateEdge> RandomProgram::edges() const {
  std::set<StateEdge> found;
  const trace::Trace& trace = *k_.trace();
  auto kind = trace.schema().kind_id("tcp_sock").value();
  auto field = trace.schema().kinds[kind].find_field("skc_state").value();
  std::vector<bool> is_sock;
  for (trace::Position i = 0; i < trace.size(); ++i) {
    const trace::Record& r = trace[i];
    if (is_sock.size() <= r.object) is_sock.resize(r.object + std::size_t{1});
    if (r.kind == trace::RecordKind::kCreate) is_sock[r.object] = r.field == kind;
    if (r.kind == trace::RecordKind::kSet && is_sock[r.object] && r.field == field && r.before != 0)
      found.emplace(static_cast<TcpState>(r.before), static_cast<TcpState>(r.after));
  }
  return found;
}

std::string RandomProgram::text() const {
  std::string out;
  const trace::Trace& trace = *k_.trace();
  for (trace::Position i = 0; i < trace.size(); ++i) {
    const trace::Record& r = trace[i];
    if (r.kind == trace::RecordKind::kSyscall)
      out += fmt::format("{}: task {} {}\n", i, r.task, trace.string(r.object));
    if (r.kind == trace::RecordKind::kSyscallReturn)
      out += fmt::format("{}: task {} = {}\n", i, r.task, trace.string(r.object));
    if (r.kind == trace::RecordKind::kClock) out += fmt::format("{}: time {} ns\n", i, r.after);
  }
  return out;
}

task_struct* RandomProgram::idle_task() {
  std::size_t first = below(tasks_.size());
  for (std::size_t i = 0; i < tasks_.size(); ++i) {
    task_struct* task = tasks_[(first + i) % tasks_.size()];
    if (task->call_done()) return task;
  }
  return nullptr;
}

/// Mostly one that is open.
int RandomProgram::descriptor(task_struct* task) {
  std::vector<int> open;
  for (const fd_slot* slot : task->files->fd_array)
    if (slot->fd > 2) open.push_back(slot->fd);
  if (open.empty() || percent(4)) return static_cast<int>(below(18)) - 2;
  return open[below(open.size())];
}

Address RandomProgram::address() {
  u32 ip = percent(85) ? kLocalhost : one_of<u32>({0, 0x7F000002, 0x08080808});
  u16 port = percent(90) ? static_cast<u16>(kPort + below(percent(80) ? 1 : 3)) : one_of<u16>({0, 1, 32768, 32769});
  return {ip, port};
}

u32 RandomProgram::event_mask() {
  u32 mask = one_of<u32>({EPOLLIN, EPOLLOUT, EPOLLIN | EPOLLOUT, EPOLLIN | EPOLLRDHUP, 0});
  if (percent(35)) mask |= static_cast<u32>(EPOLLET);
  if (percent(15)) mask |= EPOLLONESHOT;
  if (percent(10)) mask |= EPOLLEXCLUSIVE;
  return mask;
}

long RandomProgram::call(task_struct* task, MaySleep<long> what) {
  k_.start(task, std::move(what));
  k_.run_until_idle();
  return task->call_done() ? task->call_result() : -1;
}

/// So that most programs get beyond connect().
void RandomProgram::connected_pair() {
  task_struct* server = tasks_[0];
  task_struct* client = tasks_[1];
  call(server, sys_socket(k_, AF_INET, SOCK_STREAM, 0));
  if (percent(50)) call(server, sys_setsockopt(k_, 3, SOL_SOCKET, SO_REUSEADDR, {1}));
  call(server, sys_bind(k_, 3, {kLocalhost, kPort}));
  call(server, sys_listen(k_, 3, static_cast<int>(below(3))));
  if (percent(60)) {
    call(server, sys_epoll_create1(k_, 0));
    call(server, sys_epoll_ctl(k_, 4, EPOLL_CTL_ADD, 3, {event_mask(), 3}));
  }
  call(client, sys_socket(k_, AF_INET, SOCK_STREAM | (percent(30) ? SOCK_NONBLOCK : 0), 0));
  call(client, sys_connect(k_, 3, {kLocalhost, kPort}));
  if (percent(70)) call(server, sys_accept4(k_, 3, &address_, percent(60) ? SOCK_NONBLOCK : 0));
}

void RandomProgram::one_call() {
  task_struct* task = idle_task();
  if (percent(8) || task == nullptr) {
    k_.scheduler.advance_to(k_.now_ns() + one_of<u64>({1, 39, 41, 250, 1000, 5000, 61'000}) * kNsPerMs);
    if (percent(20) && task == nullptr) {
      std::size_t victim = below(tasks_.size());
      k_.exit_task(tasks_[victim]);
      tasks_.erase(tasks_.begin() + static_cast<std::ptrdiff_t>(victim));
    }
    return;
  }
  if (percent(1) && tasks_.size() > 1) {
    std::erase(tasks_, task);
    k_.exit_task(task);
    return;
  }
  if (percent(1) && tasks_.size() < 5) {
    tasks_.push_back(percent(50) ? k_.spawn_fork("child", task) : k_.spawn_thread("thread", task));
    return;
  }
  start(task);
  if (task_struct* second = idle_task(); second != nullptr && percent(10)) start(second);
  k_.run_until_idle();
}

void RandomProgram::start(task_struct* task) {
  std::uint64_t which = below(100);
  k_.start(task, which < 38   ? socket_call(task)
                 : which < 66 ? data_call(task)
                 : which < 82 ? epoll_call(task)
                              : file_call(task));
}

MaySleep<long> RandomProgram::socket_call(task_struct* task) {
  int fd = descriptor(task);
  int type = SOCK_STREAM | (percent(50) ? SOCK_NONBLOCK : 0);
  switch (below(12)) {
    case 0:
    case 1:
      return sys_socket(k_, percent(97) ? AF_INET : AF_INET6, percent(97) ? type : SOCK_DGRAM, percent(97) ? 0 : 99);
    case 2:
      return sys_bind(k_, fd, address());
    case 3:
      return sys_listen(k_, fd, static_cast<int>(below(5)) - 1);
    case 4:
    case 5:
    case 6:
      return sys_connect(k_, fd, address());
    case 7:
    case 8:
    case 9:
      return sys_accept4(k_, fd, percent(50) ? &address_ : nullptr,
                         one_of<int>({0, 0, SOCK_NONBLOCK, SOCK_CLOEXEC, 3}));
    default:
      return sys_shutdown(k_, fd, static_cast<int>(below(4)) - (percent(5) ? 1 : 0));
  }
}

MaySleep<long> RandomProgram::data_call(task_struct* task) {
  int fd = descriptor(task);
  auto size = one_of<std::size_t>({0, 1, 5, 100, 5000, 40'000, 200'000});
  if (percent(3)) size = kMostBytes;
  int flags = percent(40) ? MSG_DONTWAIT : 0;
  switch (below(7)) {
    case 0:
    case 1:
      return sys_send(k_, fd, bytes_to_send().data(), size, flags | (percent(50) ? MSG_NOSIGNAL : 0));
    case 2:
    case 3:
    case 4:
      return sys_recv(k_, fd, buffer_.data(), size,
                      flags | (percent(10) ? MSG_PEEK : 0) | (percent(5) ? MSG_WAITALL : 0));
    case 5:
      return sys_read(k_, fd, buffer_.data(), size);
    default:
      return sys_write(k_, fd, bytes_to_send().data(), size);
  }
}

MaySleep<long> RandomProgram::file_call(task_struct* task) {
  int fd = descriptor(task);
  switch (below(12)) {
    case 0:
      return sys_dup(k_, fd);
    case 1:
      return sys_fcntl(k_, fd, one_of<int>({F_GETFL, F_SETFL, F_SETFL, F_GETFD, F_SETFD, 99}),
                       one_of<int>({0, O_NONBLOCK, 1}));
    case 2:
      return sys_getsockname(k_, fd, &address_);
    case 3:
      return sys_getpeername(k_, fd, &address_);
    case 4:
      return sys_pipe2(k_, pipe_, one_of<int>({0, O_NONBLOCK, O_CLOEXEC, 1}));
    case 5:
      return sys_getsockopt(k_, fd, SOL_SOCKET, one_of<int>({SO_ERROR, SO_TYPE, SO_ACCEPTCONN, SO_RCVLOWAT, 999}),
                            &value_);
    case 6:
    case 7: {
      int option =
          one_of<int>({SO_REUSEADDR, SO_RCVLOWAT, SO_RCVBUF, SO_SNDBUF, SO_RCVTIMEO, SO_SNDTIMEO, SO_LINGER, 999});
      return sys_setsockopt(k_, fd, SOL_SOCKET, option,
                            {one_of<int>({0, 1, 2000, 100'000, -1, 0x7fffffff}), one_of<int>({0, 0, 1, 5000, -1})});
    }
    case 8:
      return sys_setsockopt(k_, fd, IPPROTO_TCP, percent(90) ? TCP_NODELAY : 77, {static_cast<int>(below(2))});
    default:
      return sys_close(k_, fd);
  }
}

MaySleep<long> RandomProgram::epoll_call(task_struct* task) {
  int epfd = descriptor(task);
  for (const fd_slot* slot : task->files->fd_array)  // mostly a real one
    if (slot->file != nullptr && slot->file->f_op.get() == &eventpoll_fops && percent(70)) epfd = slot->fd;
  switch (below(8)) {
    case 0:
      return sys_epoll_create1(k_, percent(95) ? 0 : 1);
    case 1:
    case 2:
    case 3:
      return sys_epoll_ctl(k_, epfd, EPOLL_CTL_ADD, descriptor(task), {event_mask(), below(100)});
    case 4:
      return sys_epoll_ctl(k_, epfd, EPOLL_CTL_MOD, descriptor(task), {event_mask(), below(100)});
    case 5:
      return sys_epoll_ctl(k_, epfd, percent(90) ? EPOLL_CTL_DEL : 9, descriptor(task), {});
    default:
      return sys_epoll_wait(k_, epfd, events_, one_of<int>({1, 2, 16, 0, -1}), one_of<int>({0, 0, 10, 1000, -1}));
  }
}

}  // namespace wakepath::check
