#include "src/server/write_buffer.hh"

#include <cerrno>
#include <utility>

#include "src/os/retry.hh"

namespace wakepath::server {

void WriteBuffer::append(std::string data) {
  if (data.empty()) return;
  bytes_ += data.size();
  pieces_.push_back(std::move(data));
}

void WriteBuffer::clear() {
  pieces_.clear();
  head_sent_ = bytes_ = 0;
}

int WriteBuffer::flush(os::Os& os, int fd) {
  while (!pieces_.empty()) {
    const std::string& head = pieces_.front();
    const size_t left = head.size() - head_sent_;
    const ssize_t sent = os::retry_on_eintr([&] { return os.send(fd, head.data() + head_sent_, left, MSG_NOSIGNAL); });
    if (sent < 0) return static_cast<int>(sent);
    bytes_ -= static_cast<size_t>(sent);
    if (static_cast<size_t>(sent) < left) {
      head_sent_ += static_cast<size_t>(sent);
      return -EAGAIN;  // a short count says that the socket's buffer is full: no need to hear EAGAIN as well
    }
    pieces_.pop_front();
    head_sent_ = 0;
  }
  return 0;
}

}  // namespace wakepath::server
