#pragma once

#include "src/server/poller.hh"

namespace wakepath::server {

/// epoll(7), level or edge triggered.
class EpollPoller final : public Poller {
 public:
  EpollPoller(os::Os& os, bool edge) : os_(os), edge_(edge) {}
  ~EpollPoller() override { release(); }

  bool edge_triggered() const override { return edge_; }
  int create() override;
  bool valid() const override { return epfd_ >= 0; }
  void release() override;
  int add(int fd, uint64_t key, bool read, bool write) override;
  int del(int fd) override;
  int enable(int fd, uint64_t key, bool read, bool write) override;
  int wait(std::span<Ready, kBatch> ready, int timeout_ms) override;
  int nonblocking(int fd) override;

 private:
  int control(int operation, int fd, uint64_t key, bool read, bool write);
  os::Os& os_;
  bool edge_;
  int epfd_ = -1;
};

}  // namespace wakepath::server
