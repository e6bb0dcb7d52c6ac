#include "tests/gui/model_story.hh"

#include <functional>
#include <string>

#include "sim/syscalls/syscalls.hh"

namespace wakepath::gui::test {

using namespace wakepath::kernel;

std::shared_ptr<trace::Trace> record_model_story() {
  Kernel k;
  task_struct* server = k.spawn_process("server");
  task_struct* client = k.spawn_process("client");
  std::uint64_t number = 0;
  auto step = [&](const std::string& words, task_struct* task, const std::function<MaySleep<long>()>& call) {
    k.recorder.step(++number, words);
    k.start(task, call());
    k.run_until_idle();
    k.recorder.step_end(number);
  };
  Address address{0x7f000001, 8080}, peer;
  user_epoll_event events[8];
  char buffer[64];
  step("server: socket() = 3", server, [&] { return sys_socket(k, AF_INET, SOCK_STREAM, 0); });
  step("server: bind(3, 127.0.0.1:8080)", server, [&] { return sys_bind(k, 3, address); });
  step("server: listen(3, 8)", server, [&] { return sys_listen(k, 3, 8); });
  step("server: epoll_create1(0) = 4", server, [&] { return sys_epoll_create1(k, 0); });
  step("server: epoll_ctl(4, ADD, 3)", server, [&] { return sys_epoll_ctl(k, 4, EPOLL_CTL_ADD, 3, {EPOLLIN, 3}); });
  step("server: epoll_wait(4) sleeps", server, [&] { return sys_epoll_wait(k, 4, events, 8, -1); });
  step("client: socket() = 3", client, [&] { return sys_socket(k, AF_INET, SOCK_STREAM, 0); });
  step("client: connect(3, 127.0.0.1:8080)", client, [&] { return sys_connect(k, 3, address); });
  step("server: accept4(3) = 5", server, [&] { return sys_accept4(k, 3, &peer, SOCK_NONBLOCK); });
  step("server: epoll_ctl(4, ADD, 5)", server, [&] { return sys_epoll_ctl(k, 4, EPOLL_CTL_ADD, 5, {EPOLLIN, 5}); });
  step("server: epoll_wait(4) sleeps", server, [&] { return sys_epoll_wait(k, 4, events, 8, -1); });
  step("client: send(3, \"ping\")", client, [&] { return sys_send(k, 3, "ping", 4, 0); });
  step("server: recv(5) = 4", server, [&] { return sys_recv(k, 5, buffer, 64, 0); });
  step("server: epoll_wait(4) sleeps", server, [&] { return sys_epoll_wait(k, 4, events, 8, -1); });
  step("client: close(3)", client, [&] { return sys_close(k, 3); });
  step("server: recv(5) = 0", server, [&] { return sys_recv(k, 5, buffer, 64, 0); });
  step("server: close(5)", server, [&] { return sys_close(k, 5); });
  return k.trace();
}

}  // namespace wakepath::gui::test
