#include "tests/kernel/machine.hh"

namespace wakepath::testing_kernel {

using namespace kernel;  // NOLINT

long Machine::call(task_struct* task, MaySleep<long> what) {
  last.from = k.trace()->size();
  k.start(task, std::move(what));
  k.run_until_idle();
  last.to = k.trace()->size();
  return task->call_done() ? task->call_result() : kBlocked;
}

void Machine::wait_ms(u64 ms) {
  last.from = k.trace()->size();
  k.scheduler.advance_to(k.now_ns() + ms * kNsPerMs);
  last.to = k.trace()->size();
}

void Machine::listen(int backlog) {
  EXPECT_EQ(call(server, sys_socket(k, AF_INET, SOCK_STREAM, 0)), 3);
  EXPECT_EQ(call(server, sys_bind(k, 3, {kLocalhost, kPort})), 0);
  EXPECT_EQ(call(server, sys_listen(k, 3, backlog)), 0);
}

void Machine::watch_listener() {
  EXPECT_EQ(call(server, sys_epoll_create1(k, 0)), 4);
  EXPECT_EQ(call(server, sys_epoll_ctl(k, 4, EPOLL_CTL_ADD, 3, {EPOLLIN, 3})), 0);
}

long Machine::connect(int flags) {
  long fd = call(client, sys_socket(k, AF_INET, SOCK_STREAM | flags, 0));
  return call(client, sys_connect(k, static_cast<int>(fd), {kLocalhost, kPort}));
}

long Machine::accept() { return call(server, sys_accept4(k, 3, &address, SOCK_NONBLOCK)); }

long Machine::epoll_wait(int timeout_ms) { return call(server, sys_epoll_wait(k, 4, events, 8, timeout_ms)); }

long Machine::send(task_struct* task, int fd, const std::string& data) {
  return call(task, sys_send(k, fd, data.data(), data.size(), 0));
}

long Machine::recv(task_struct* task, int fd, std::size_t size, int flags) {
  return call(task, sys_recv(k, fd, buffer, size, flags));
}

}  // namespace wakepath::testing_kernel
