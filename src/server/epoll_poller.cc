#include "src/server/epoll_poller.hh"

#include <fcntl.h>

#include <utility>

#include "src/os/retry.hh"

namespace wakepath::server {

int EpollPoller::create() {
  epfd_ = os_.epoll_create1(EPOLL_CLOEXEC);
  return epfd_ < 0 ? epfd_ : 0;
}

void EpollPoller::release() {
  if (epfd_ >= 0) os_.close(std::exchange(epfd_, -1));
}

int EpollPoller::control(int operation, int fd, uint64_t key, bool read, bool write) {
  epoll_event event{};
  event.events = (read ? static_cast<uint32_t>(EPOLLIN) : 0U) | (write ? static_cast<uint32_t>(EPOLLOUT) : 0U) |
                 (edge_ ? static_cast<uint32_t>(EPOLLET) : 0U);
  event.data.u64 = key;
  return os_.epoll_ctl(epfd_, operation, fd, &event);
}

int EpollPoller::add(int fd, uint64_t key, bool read, bool write) {
  return control(EPOLL_CTL_ADD, fd, key, read, write);
}
int EpollPoller::enable(int fd, uint64_t key, bool read, bool write) {
  return control(EPOLL_CTL_MOD, fd, key, read, write);
}
int EpollPoller::del(int fd) { return os_.epoll_ctl(epfd_, EPOLL_CTL_DEL, fd, nullptr); }

int EpollPoller::wait(std::span<Ready, kBatch> ready, int timeout_ms) {
  epoll_event events[kBatch];
  const int count = os::retry_on_eintr([&] { return os_.epoll_wait(epfd_, events, kBatch, timeout_ms); });
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

int EpollPoller::nonblocking(int fd) {
  const int flags = os_.fcntl(fd, F_GETFL, 0);
  if (flags < 0) return flags;
  if ((flags & O_NONBLOCK) != 0) return 1;
  const int set = os_.fcntl(fd, F_SETFL, flags | O_NONBLOCK);
  return set < 0 ? set : 0;
}

}  // namespace wakepath::server
