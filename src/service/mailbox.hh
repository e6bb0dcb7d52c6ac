#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

#include "src/service/message.hh"

namespace wakepath::service {

/// The messages that wait for one service, oldest first: a ring that grows. Whoever uses it holds its context's lock.
/// Serial numbers are given in order of arrival, from 1.
class Mailbox {
 public:
  static constexpr size_t kOverload = 1024;  ///< so many waiting messages are worth a notice; then doubling

  /// Returns its serial number.
  uint64_t push(Message&& message);
  /// Takes up to `most` of the oldest into `out`. Returns the serial number of the first.
  uint64_t take(std::vector<Message>& out, size_t most);
  size_t size() const { return count_; }
  /// Of what waits: payload of sockets and text.
  size_t bytes() const { return bytes_; }
  /// How many wait, once for each time that a threshold is passed; else 0.
  size_t overload();
  /// Gives its memory back; the serial numbers go on.
  void clear();

 private:
  std::vector<Message> ring_;  // a power of two, or empty
  size_t head_ = 0, count_ = 0, bytes_ = 0;
  uint64_t last_serial_ = 0;
  size_t overload_at_ = kOverload;
};

}  // namespace wakepath::service
