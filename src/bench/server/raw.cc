// What the others are measured by: one thread, epoll_wait, recv, send, and what a server cannot do without: the rest of
// an answer is kept until there is room, and a connection is not read from meanwhile.

#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <string>
#include <vector>

#include "src/bench/server/kind.hh"

namespace wakepath::bench {

namespace {

class RawLoop {
 public:
  explicit RawLoop(const Seat& seat) {
    uint16_t port = 0;
    listener_ = listening_socket(port);
    watch(listener_, EPOLLIN, EPOLL_CTL_ADD);
    seat.tell(port);
  }

  [[noreturn]] void run() {
    std::array<epoll_event, 512> events;
    for (;;) {
      const int count = epoll_wait(epoll_, events.data(), static_cast<int>(events.size()), -1);
      for (int i = 0; i < count; ++i) {
        const epoll_event& event = events[static_cast<std::size_t>(i)];
        if (event.data.fd == listener_) {
          accept_all();
        } else if ((event.events & EPOLLOUT) != 0) {
          write_rest(event.data.fd);
        } else {
          answer(event.data.fd);
        }
      }
    }
  }

 private:
  std::string& rest_of(int fd) { return rest_[static_cast<std::size_t>(fd)]; }

  void watch(int fd, uint32_t what, int operation) const {
    epoll_event event{.events = what, .data = {.fd = fd}};
    epoll_ctl(epoll_, operation, fd, &event);
  }

  void accept_all() {
    for (int fd = 0; (fd = accept4(listener_, nullptr, nullptr, SOCK_NONBLOCK | SOCK_CLOEXEC)) >= 0;) {
      if (rest_.size() <= static_cast<std::size_t>(fd)) rest_.resize(static_cast<std::size_t>(fd) + 1);
      watch(fd, EPOLLIN, EPOLL_CTL_ADD);
    }
  }

  void answer(int fd) {
    const ssize_t got = recv(fd, buffer_.data(), buffer_.size(), 0);
    if (got < 0 && errno == EAGAIN) return;
    if (got <= 0) return end(fd);
    const ssize_t sent = send(fd, buffer_.data(), static_cast<std::size_t>(got), MSG_NOSIGNAL);
    if (sent == got) return;
    if (sent < 0 && errno != EAGAIN) return end(fd);
    const auto done = static_cast<std::size_t>(sent < 0 ? 0 : sent);
    rest_of(fd).assign(buffer_.data() + done, static_cast<std::size_t>(got) - done);
    watch(fd, EPOLLOUT, EPOLL_CTL_MOD);
  }

  void write_rest(int fd) {
    std::string& rest = rest_of(fd);
    const ssize_t sent = send(fd, rest.data(), rest.size(), MSG_NOSIGNAL);
    if (sent < 0 && errno == EAGAIN) return;
    if (sent < 0) return end(fd);
    rest.erase(0, static_cast<std::size_t>(sent));
    if (rest.empty()) watch(fd, EPOLLIN, EPOLL_CTL_MOD);
  }

  void end(int fd) {
    rest_of(fd) = std::string();
    close(fd);
  }

  int epoll_ = epoll_create1(EPOLL_CLOEXEC);
  int listener_ = -1;
  std::vector<std::string> rest_;  // by descriptor
  std::array<char, 64 * 1024> buffer_;
};

}  // namespace

void serve_raw(const Seat& seat) {
  static RawLoop loop(seat);
  loop.run();
}

}  // namespace wakepath::bench
