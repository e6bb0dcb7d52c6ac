#include "src/os/model_os.hh"

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <utility>

#include "src/os/model_address.hh"

namespace wakepath::os {

ModelOs::ModelOs(kernel::Kernel& k, const ModelOsOptions& options)
    : k_(k), hosts_(options.hosts), random_(options.random_seed), threads_(k, options) {}

std::vector<int> ModelOs::open_descriptors() const {
  std::vector<int> out;
  for (const kernel::fd_slot* slot : threads_.first_task()->files->fd_array)
    if (slot->fd > 2) out.push_back(slot->fd);
  return out;
}

int ModelOs::refuse(const char* call, int subject, int error) {
  return static_cast<int>(threads_.call(call, subject, sys_refused(k_, std::string(call) + "(…)", error)));
}

// ---- sockets and descriptors

int ModelOs::socket(int domain, int type, int protocol) {
  return static_cast<int>(threads_.call("socket", domain, sys_socket(k_, domain, type, protocol)));
}

int ModelOs::bind(int fd, const sockaddr* address, socklen_t size) {
  return static_cast<int>(threads_.call("bind", fd, sys_bind(k_, fd, model_address(address, size))));
}

int ModelOs::listen(int fd, int backlog) {
  return static_cast<int>(threads_.call("listen", fd, sys_listen(k_, fd, backlog)));
}

int ModelOs::accept4(int fd, sockaddr* address, socklen_t* size, int flags) {
  kernel::Address peer;
  const long result = threads_.call("accept4", fd, sys_accept4(k_, fd, &peer, flags));
  if (result >= 0) copy_address(peer, address, size);
  return static_cast<int>(result);
}

int ModelOs::connect(int fd, const sockaddr* address, socklen_t size) {
  return static_cast<int>(threads_.call("connect", fd, sys_connect(k_, fd, model_address(address, size))));
}

int ModelOs::getsockname(int fd, sockaddr* address, socklen_t* size) {
  kernel::Address name;
  const long result = threads_.call("getsockname", fd, sys_getsockname(k_, fd, &name));
  if (result >= 0) copy_address(name, address, size);
  return static_cast<int>(result);
}

int ModelOs::getpeername(int fd, sockaddr* address, socklen_t* size) {
  kernel::Address name;
  const long result = threads_.call("getpeername", fd, sys_getpeername(k_, fd, &name));
  if (result >= 0) copy_address(name, address, size);
  return static_cast<int>(result);
}

int ModelOs::setsockopt(int fd, int level, int option, const void* value, socklen_t size) {
  auto call = sys_setsockopt(k_, fd, level, option, option_ints(level, option, value, size));
  return static_cast<int>(threads_.call("setsockopt", fd, std::move(call)));
}

int ModelOs::getsockopt(int fd, int level, int option, void* value, socklen_t* size) {
  std::vector<int> ints;
  const long result = threads_.call("getsockopt", fd, sys_getsockopt(k_, fd, level, option, &ints));
  if (result >= 0) copy_option(level, option, ints, value, size);
  return static_cast<int>(result);
}

int ModelOs::shutdown(int fd, int how) {
  return static_cast<int>(threads_.call("shutdown", fd, sys_shutdown(k_, fd, how)));
}

int ModelOs::close(int fd) { return static_cast<int>(threads_.call("close", fd, sys_close(k_, fd))); }

ssize_t ModelOs::read(int fd, void* data, size_t size) {
  return threads_.call("read", fd, sys_read(k_, fd, static_cast<char*>(data), size));
}

ssize_t ModelOs::write(int fd, const void* data, size_t size) {
  return threads_.call("write", fd, sys_write(k_, fd, static_cast<const char*>(data), size));
}

ssize_t ModelOs::send(int fd, const void* data, size_t size, int flags) {
  return threads_.call("send", fd, sys_send(k_, fd, static_cast<const char*>(data), size, flags));
}

ssize_t ModelOs::recv(int fd, void* data, size_t size, int flags) {
  return threads_.call("recv", fd, sys_recv(k_, fd, static_cast<char*>(data), size, flags));
}

ssize_t ModelOs::sendto(int fd, const void* data, size_t size, int flags, const sockaddr* to, socklen_t to_size) {
  if (to == nullptr) return send(fd, data, size, flags);
  auto call = sys_sendto(k_, fd, static_cast<const char*>(data), size, flags, model_address(to, to_size));
  return threads_.call("sendto", fd, std::move(call));
}

ssize_t ModelOs::recvfrom(int fd, void* data, size_t size, int flags, sockaddr* from, socklen_t* from_size) {
  std::optional<kernel::Address> sender;
  const long result =
      threads_.call("recvfrom", fd, sys_recvfrom(k_, fd, static_cast<char*>(data), size, flags, &sender));
  if (result >= 0 && from_size != nullptr) {
    if (sender) copy_address(*sender, from, from_size);
    if (!sender) *from_size = 0;  // a stream does not say who sent it
  }
  return result;
}

int ModelOs::fcntl(int fd, int command, int argument) {
  return static_cast<int>(threads_.call("fcntl", fd, sys_fcntl(k_, fd, command, argument)));
}

int ModelOs::pipe2(int fds[2], int flags) {
  return static_cast<int>(threads_.call("pipe2", 0, sys_pipe2(k_, fds, flags)));
}

// ---- epoll

int ModelOs::epoll_create1(int flags) {
  return static_cast<int>(threads_.call("epoll_create1", flags, sys_epoll_create1(k_, flags)));
}

int ModelOs::epoll_ctl(int epfd, int operation, int fd, epoll_event* event) {
  kernel::user_epoll_event wanted{};
  if (event != nullptr) wanted = {event->events, event->data.u64};
  return static_cast<int>(threads_.call("epoll_ctl", fd, sys_epoll_ctl(k_, epfd, operation, fd, wanted)));
}

int ModelOs::epoll_wait(int epfd, epoll_event* events, int max_events, int timeout_ms) {
  std::vector<kernel::user_epoll_event> found(static_cast<size_t>(std::clamp(max_events, 0, 4096)));
  const int wanted = std::min(max_events, 4096);
  const long result = threads_.call("epoll_wait", epfd, sys_epoll_wait(k_, epfd, found.data(), wanted, timeout_ms));
  for (long i = 0; i < result; ++i) {
    const kernel::user_epoll_event& event = found[static_cast<size_t>(i)];
    events[i].events = event.events;
    events[i].data.u64 = event.data;
  }
  return static_cast<int>(result);
}

// ---- names

int ModelOs::resolve(const std::string& host, uint16_t port, int, bool passive, std::vector<SocketAddress>& addresses) {
  addresses.clear();
  if (const auto known = hosts_.find(host); known != hosts_.end()) {
    addresses = known->second;
  } else if (host.empty() && passive) {
    addresses = {Endpoint{.address = INADDR_ANY}};
  } else if (host.empty() || host == "localhost") {
    addresses = {Endpoint{.address = INADDR_LOOPBACK}};
  } else if (const auto figures = SocketAddress::parse(host, port)) {
    addresses = {*figures};
  }
  for (SocketAddress& address : addresses) address.port = port;
  return addresses.empty() ? -ENOENT : 0;
}

// ---- threads, time and chance

int ModelOs::thread_start(const std::string& name, std::function<void()> body) {
  return threads_.start(name, std::move(body));
}

int ModelOs::park(std::atomic<uint32_t>& word, uint32_t expected, int64_t timeout_ns) {
  const uint64_t timeout = timeout_ns < 0 ? kernel::kForever : static_cast<uint64_t>(timeout_ns);
  return static_cast<int>(threads_.call("park", expected, sys_futex_wait(k_, word, expected, timeout)));
}

int ModelOs::unpark(std::atomic<uint32_t>& word, int count) {
  return static_cast<int>(threads_.call("unpark", count, sys_futex_wake(k_, word, count)));
}

int ModelOs::sleep_ns(int64_t duration_ns) {
  if (duration_ns < 0) return -EINVAL;
  auto call = sys_clock_nanosleep(k_, static_cast<uint64_t>(duration_ns));
  return static_cast<int>(threads_.call("sleep_ns", duration_ns, std::move(call)));
}

int ModelOs::random(void* data, size_t size) {
  auto* to = static_cast<std::byte*>(data);
  while (size > 0) {
    const uint64_t number = next_random(random_);
    const size_t taken = std::min(size, sizeof number);
    std::memcpy(to, &number, taken);
    to += taken;
    size -= taken;
  }
  return 0;
}

}  // namespace wakepath::os
