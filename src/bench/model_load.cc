#include "src/bench/model_load.hh"

#include <fmt/format.h>
#include <netinet/in.h>

#include <array>
#include <stdexcept>

#include "sim/syscalls/syscalls.hh"
#include "src/bench/measure.hh"

namespace wakepath::bench {

using kernel::Address;
using kernel::Kernel;
using kernel::MaySleep;
using kernel::user_epoll_event;

namespace {

constexpr std::size_t kMessage = 64;
constexpr kernel::u16 kPort = 80;
constexpr kernel::u32 kServer = INADDR_LOOPBACK;
/// Virtual time from one connection to the next. A minute of TIME_WAIT is 12,000 of them, as many as a busy machine
/// has.
constexpr kernel::u64 kPause = 5 * kernel::kNsPerMs;

user_epoll_event readable(int fd) { return {EPOLLIN, static_cast<kernel::u64>(fd)}; }

/// Kept in a variable wherever it is passed to a coroutine: g++ 12 destroys a temporary in a co_await twice.
Address server_address() {
  Address address;
  address.ip = kServer;
  address.port = kPort;
  return address;
}

struct Program {
  Kernel& k;
  int listener;
  int server_epoll;
  int client_epoll;
};

MaySleep<long> listen_program(Kernel& k, Program& out) {
  out.server_epoll = static_cast<int>(co_await sys_epoll_create1(k, 0));
  out.client_epoll = static_cast<int>(co_await sys_epoll_create1(k, 0));
  out.listener = static_cast<int>(co_await sys_socket(k, AF_INET, SOCK_STREAM, 0));
  const Address server = server_address();
  if (long error = co_await sys_bind(k, out.listener, server); error < 0) co_return error;
  if (long error = co_await sys_listen(k, out.listener, 4096); error < 0) co_return error;
  co_return co_await sys_epoll_ctl(k, out.server_epoll, EPOLL_CTL_ADD, out.listener, readable(out.listener));
}

/// Connects. From `from` when it names an address.
MaySleep<long> connect_program(Kernel& k, const Address& from) {
  int fd = static_cast<int>(co_await sys_socket(k, AF_INET, SOCK_STREAM, 0));
  if (fd < 0) co_return fd;
  if (from.ip != 0)
    if (long error = co_await sys_bind(k, fd, from); error < 0) co_return error;
  const Address server = server_address();
  long error = co_await sys_connect(k, fd, server);
  co_return error < 0 ? error : fd;
}

MaySleep<long> accept_program(Program p) {
  int fd = static_cast<int>(co_await sys_accept4(p.k, p.listener, nullptr, 0));
  if (fd < 0) co_return fd;
  long error = co_await sys_epoll_ctl(p.k, p.server_epoll, EPOLL_CTL_ADD, fd, readable(fd));
  co_return error < 0 ? error : fd;
}

/// The one event that the kernel has here, too.
bool is_ready(long count, const user_epoll_event& event, int fd) {
  return count == 1 && event.data == static_cast<kernel::u64>(fd);
}

/// As KernelLoad::converse(), call by call, and as there in one function. -EPROTO when something else happens.
MaySleep<long> converse_program(Program p) {
  Kernel& k = p.k;
  std::array<char, kMessage> data;
  data.fill('x');
  user_epoll_event event{};
  int client = static_cast<int>(co_await sys_socket(k, AF_INET, SOCK_STREAM, 0));
  const Address address = server_address();
  bool good = co_await sys_connect(k, client, address) == 0;
  co_await sys_epoll_ctl(k, p.client_epoll, EPOLL_CTL_ADD, client, readable(client));
  good &= co_await sys_send(k, client, data.data(), data.size(), 0) == kMessage;
  good &= is_ready(co_await sys_epoll_wait(k, p.server_epoll, &event, 1, 5000), event, p.listener);
  int server = static_cast<int>(co_await sys_accept4(k, p.listener, nullptr, 0));
  co_await sys_epoll_ctl(k, p.server_epoll, EPOLL_CTL_ADD, server, readable(server));
  good &= is_ready(co_await sys_epoll_wait(k, p.server_epoll, &event, 1, 5000), event, server);
  good &= co_await sys_recv(k, server, data.data(), data.size(), 0) == kMessage;
  good &= co_await sys_send(k, server, data.data(), data.size(), 0) == kMessage;
  good &= is_ready(co_await sys_epoll_wait(k, p.client_epoll, &event, 1, 5000), event, client);
  good &= co_await sys_recv(k, client, data.data(), data.size(), 0) == kMessage;
  co_await sys_close(k, client);
  good &= is_ready(co_await sys_epoll_wait(k, p.server_epoll, &event, 1, 5000), event, server);
  good &= co_await sys_recv(k, server, data.data(), data.size(), 0) == 0;
  co_await sys_close(k, server);
  co_return good ? 0 : -EPROTO;
}

kernel::Config config_for(bool record, std::size_t descriptors) {
  kernel::Config config;
  config.record = record;
  config.rlimit_nofile = descriptors + 1000;
  config.port_low = 1024;  // idle connections and those in TIME_WAIT need more ports than the usual range has
  config.port_high = 65535;
  return config;
}

}  // namespace

ModelLoad::ModelLoad(const Options& options)
    : kernel_(std::make_unique<Kernel>(config_for(options.record, options.open))) {
  program_ = kernel_->spawn_process("bench");
  holder_ = kernel_->spawn_process("holder");
  Program made{*kernel_, -1, -1, -1};
  run(program_, listen_program(*kernel_, made));
  listener_ = made.listener;
  server_epoll_ = made.server_epoll;
  client_epoll_ = made.client_epoll;
  open_idle(options.open);
}

void ModelLoad::run(kernel::task_struct* task, MaySleep<long> program) {
  kernel_->start(task, std::move(program));
  kernel_->run_until_idle();
  if (!task->call_done()) throw std::runtime_error("the model's program sleeps where the kernel's went on");
  if (task->call_result() < 0)
    throw std::runtime_error(fmt::format("the model's program failed with errno {}", -task->call_result()));
}

void ModelLoad::open_idle(std::size_t count) {
  const Address any;
  Program program{*kernel_, listener_, server_epoll_, client_epoll_};
  for (std::size_t i = 0; i < count; ++i) {
    run(holder_, connect_program(*kernel_, any));
    run(program_, accept_program(program));
  }
}

void ModelLoad::connections(std::size_t count) {
  Program program{*kernel_, listener_, server_epoll_, client_epoll_};
  for (std::size_t i = 0; i < count; ++i) {
    run(program_, converse_program(program));
    kernel_->scheduler.advance_to(kernel_->now_ns() + kPause);
  }
}

namespace {

/// Both ends of one connection, each watched by the one epoll. The client's address says which of many it is.
MaySleep<long> pair_program(Program p, const Address& from) {
  int client = static_cast<int>(co_await connect_program(p.k, from));
  if (client < 0) co_return client;
  long error = co_await sys_epoll_ctl(p.k, p.server_epoll, EPOLL_CTL_ADD, client, readable(client));
  if (error < 0) co_return error;
  co_return co_await accept_program(p);
}

}  // namespace

Crowd measure_crowd(std::size_t endpoints) {
  trim_heap();
  std::uint64_t before = resident_bytes();
  Kernel k(config_for(false, endpoints));
  kernel::task_struct* task = k.spawn_process("bench");
  Program p{k, -1, -1, -1};
  k.start(task, listen_program(k, p));
  k.run_until_idle();
  constexpr std::size_t kPortsEach = 50'000;
  constexpr std::uint64_t kNsEach = 42'000;  // what the kernel takes for a connection beside 10,000 others
  double ns = cpu_ns_of([&] {
    for (std::size_t i = 0; i < endpoints / 2; ++i) {
      Address from;
      from.ip = kServer + 1 + static_cast<kernel::u32>(i / kPortsEach);
      from.port = static_cast<kernel::u16>(10'000 + i % kPortsEach);
      k.start(task, pair_program(p, from));
      k.run_until_idle();
      k.scheduler.advance_to(k.now_ns() + kNsEach);  // timers that have nothing left to do run out
      if (!task->call_done() || task->call_result() < 0) throw std::runtime_error("the crowd does not connect");
    }
  });
  auto each = static_cast<double>(endpoints);
  return {static_cast<double>(resident_bytes() - before) / each, ns / each};
}

}  // namespace wakepath::bench
