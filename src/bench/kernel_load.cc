#include "src/bench/kernel_load.hh"

#include <arpa/inet.h>
#include <fmt/format.h>
#include <netinet/in.h>
#include <sys/epoll.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <csignal>
#include <cstring>
#include <stdexcept>

namespace wakepath::bench {

namespace {

constexpr std::size_t kMessage = 64;
/// Each address of ours has ports of its own: connections that rest in TIME_WAIT do not use them up.
constexpr std::size_t kAddresses = 8;

long need(long result, const char* what) {
  if (result < 0) throw std::runtime_error(fmt::format("{}: {}", what, std::strerror(errno)));
  return result;
}

int need_fd(int result, const char* what) { return static_cast<int>(need(result, what)); }

sockaddr_in loopback(std::size_t number, unsigned short port) {
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_port = htons(port);
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK + static_cast<std::uint32_t>(number));
  return address;
}

const sockaddr* plain(const sockaddr_in& address) { return reinterpret_cast<const sockaddr*>(&address); }

int connected(std::size_t number, unsigned short port) {
  int fd = need_fd(socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0), "socket");
  sockaddr_in to = loopback(number, port);
  need(connect(fd, plain(to), sizeof to), "connect");
  return fd;
}

void watch(int epoll, int fd) {
  epoll_event event{};
  event.events = EPOLLIN;
  event.data.fd = fd;
  need(epoll_ctl(epoll, EPOLL_CTL_ADD, fd, &event), "epoll_ctl");
}

int next_ready(int epoll) {
  epoll_event event{};
  if (need(epoll_wait(epoll, &event, 1, 5000), "epoll_wait") == 0) throw std::runtime_error("nothing became ready");
  return event.data.fd;
}

void expect_ready(int epoll, int fd) {
  if (next_ready(epoll) != fd) throw std::runtime_error("another descriptor became ready than expected");
}

}  // namespace

KernelLoad::KernelLoad(std::size_t open)
    : server_epoll_(need_fd(epoll_create1(EPOLL_CLOEXEC), "epoll_create1")),
      client_epoll_(need_fd(epoll_create1(EPOLL_CLOEXEC), "epoll_create1")) {
  rlimit limit{};
  getrlimit(RLIMIT_NOFILE, &limit);
  limit.rlim_cur = limit.rlim_max;
  setrlimit(RLIMIT_NOFILE, &limit);
  listen_on_several_addresses();
  start_holder(open);
  for (std::size_t i = 0; i < open; ++i) {
    expect_ready(server_epoll_, listeners_[0]);
    idle_.push_back(need_fd(accept4(listeners_[0], nullptr, nullptr, SOCK_CLOEXEC), "accept4"));
    watch(server_epoll_, idle_.back());
  }
}

void KernelLoad::listen_on_several_addresses() {
  for (std::size_t i = 0; i < kAddresses; ++i) {
    int fd = need_fd(socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0), "socket");
    listeners_.push_back(fd);
    sockaddr_in address = loopback(i, 0);
    need(bind(fd, plain(address), sizeof address), "bind");
    need(listen(fd, 4096), "listen");
    socklen_t size = sizeof address;
    need(getsockname(fd, reinterpret_cast<sockaddr*>(&address), &size), "getsockname");
    ports_.push_back(ntohs(address.sin_port));
    watch(server_epoll_, fd);
  }
}

/// The child connects them all, one handshake after the other, and lives until our end of the pipe is closed.
void KernelLoad::start_holder(std::size_t open) {
  std::array<int, 2> ends{};
  need(pipe(ends.data()), "pipe");
  holder_ = static_cast<pid_t>(need(fork(), "fork"));
  if (holder_ == 0) {
    prctl(PR_SET_PDEATHSIG, SIGKILL);
    close(ends[1]);
    try {
      for (std::size_t i = 0; i < open; ++i) connected(0, ports_[0]);
    } catch (const std::runtime_error& error) {
      fmt::print(stderr, "wakepath bench: {}\n", error.what());
      _exit(3);
    }
    char byte = 0;
    ssize_t ignored = read(ends[0], &byte, 1);
    _exit(ignored < 0 ? 3 : 0);
  }
  close(ends[0]);
  holder_pipe_ = ends[1];
}

KernelLoad::~KernelLoad() {
  for (int fd : idle_) close(fd);
  for (int fd : listeners_) close(fd);
  for (int fd : {server_epoll_, client_epoll_, holder_pipe_})
    if (fd >= 0) close(fd);
  if (holder_ > 0) waitpid(holder_, nullptr, 0);
}

void KernelLoad::converse(std::size_t number) {
  std::array<char, kMessage> data;
  data.fill('x');
  std::size_t which = 1 + number % (kAddresses - 1);
  int client = connected(which, ports_[which]);
  watch(client_epoll_, client);
  need(send(client, data.data(), data.size(), 0), "send");
  expect_ready(server_epoll_, listeners_[which]);
  int server = need_fd(accept4(listeners_[which], nullptr, nullptr, SOCK_CLOEXEC), "accept4");
  watch(server_epoll_, server);
  expect_ready(server_epoll_, server);
  need(recv(server, data.data(), data.size(), 0), "recv");
  need(send(server, data.data(), data.size(), 0), "send");
  expect_ready(client_epoll_, client);
  need(recv(client, data.data(), data.size(), 0), "recv");
  close(client);
  expect_ready(server_epoll_, server);
  if (need(recv(server, data.data(), data.size(), 0), "recv") != 0) throw std::runtime_error("recv: expected the end");
  close(server);
}

void KernelLoad::connections(std::size_t count) {
  for (std::size_t i = 0; i < count; ++i) converse(i);
}

}  // namespace wakepath::bench
