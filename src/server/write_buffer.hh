#pragma once

#include <deque>
#include <string>

#include "src/os/os.hh"

namespace wakepath::server {

/// Bytes that wait until the kernel takes them, in order. The head may be partly sent.
class WriteBuffer {
 public:
  void append(std::string data);
  void clear();
  bool empty() const { return bytes_ == 0; }
  size_t bytes() const { return bytes_; }

  /// Sends until all is gone or the kernel takes no more: one send(2) a piece.
  /// Returns 0 when empty, -EAGAIN when the rest has to wait for EPOLLOUT, or the error of send(2).
  int flush(os::Os& os, int fd);

 private:
  std::deque<std::string> pieces_;  // none is empty
  size_t head_sent_ = 0;            // bytes of pieces_.front() that are sent already
  size_t bytes_ = 0;                // not yet sent
};

}  // namespace wakepath::server
