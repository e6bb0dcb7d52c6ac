#include "src/server/poller.hh"

#include "src/os/retry.hh"

namespace wakepath::server {

Poller::~Poller() {
  if (epfd_ >= 0) os_.close(epfd_);
}

int Poller::open() {
  epfd_ = os_.epoll_create1(EPOLL_CLOEXEC);
  return epfd_ < 0 ? epfd_ : 0;
}

int Poller::control(int operation, int fd, uint64_t key, bool read, bool write) {
  epoll_event event{};
  event.events = (read ? static_cast<uint32_t>(EPOLLIN) : 0U) | (write ? static_cast<uint32_t>(EPOLLOUT) : 0U);
  event.data.u64 = key;
  return os_.epoll_ctl(epfd_, operation, fd, &event);
}

int Poller::add(int fd, uint64_t key, bool read, bool write) { return control(EPOLL_CTL_ADD, fd, key, read, write); }
int Poller::modify(int fd, uint64_t key, bool read, bool write) { return control(EPOLL_CTL_MOD, fd, key, read, write); }
int Poller::remove(int fd) { return os_.epoll_ctl(epfd_, EPOLL_CTL_DEL, fd, nullptr); }

int Poller::wait(std::span<Ready, kBatch> ready) {
  epoll_event events[kBatch];
  const int count = os::retry_on_eintr([&] { return os_.epoll_wait(epfd_, events, kBatch, -1); });
  for (int i = 0; i < count; ++i) {
    const uint32_t is = events[i].events;
    ready[static_cast<size_t>(i)] = {.key = events[i].data.u64,
                                     .readable = (is & EPOLLIN) != 0,
                                     .writable = (is & EPOLLOUT) != 0,
                                     .error = (is & EPOLLERR) != 0,
                                     .hangup = (is & EPOLLHUP) != 0};
  }
  return count;
}

}  // namespace wakepath::server
