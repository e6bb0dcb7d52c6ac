#pragma once

#include <cstdint>
#include <string>

#include "src/os/os.hh"
#include "src/os/socket_address.hh"
#include "src/server/payload.hh"

namespace wakepath::server {

enum class Priority : uint8_t { high, low };

/// Where bytes go: a stream socket by send(2), a datagram socket by sendto(2), anything else by write(2).
struct Sink {
  enum class Kind : uint8_t { stream, datagram, file };
  int fd = -1;
  Kind kind = Kind::stream;

  /// One system call, repeated when interrupted. `to`: of a datagram, when it does not go to the socket's own peer.
  ssize_t put(os::Os& os, std::string_view bytes, const os::SocketAddress& to) const;
};

/// Bytes that wait until the kernel takes them: two queues. What has low priority goes when nothing of high priority is
/// left. Once a part of a piece is sent, the rest goes next whatever its priority, or two messages would be mixed.
/// The first piece of all has high priority, since there is nothing for it to wait for.
class WriteBuffer {
 public:
  WriteBuffer() = default;
  ~WriteBuffer() { clear(); }
  WriteBuffer(const WriteBuffer&) = delete;
  WriteBuffer& operator=(const WriteBuffer&) = delete;

  /// What of a stream's `payload` comes after its first `sent` bytes. Small pieces are joined.
  void append(Payload payload, size_t sent, Priority priority);
  /// A datagram; `to` as in Sink::put().
  void append_datagram(Payload payload, const os::SocketAddress& to);
  void clear();
  bool empty() const { return high_.head == nullptr && low_.head == nullptr; }
  /// Not sent yet.
  size_t bytes() const { return bytes_; }
  /// What they take, with what it takes to keep them.
  size_t memory() const { return bytes_ + pieces_ * sizeof(Piece); }

  struct Flushed {
    int error = 0;    ///< 0: empty. -EAGAIN: the rest waits for room. kMore: for its turn. Else what send(2) said.
    size_t sent = 0;  ///< bytes
    bool short_count = false;  ///< -EAGAIN is but a guess: the kernel took a part of what it was given
  };
  static constexpr int kMore = 1;
  /// Sends until nothing is left, the kernel takes no more, or more than `budget` bytes have gone.
  /// A datagram that fails is dropped.
  Flushed flush(os::Os& os, Sink sink, size_t budget);

 private:
  struct Piece {
    Payload payload;
    size_t sent = 0;
    os::SocketAddress to;
    Piece* next = nullptr;
  };
  struct Queue {
    Piece* head = nullptr;
    Piece* tail = nullptr;
    void push(Piece* piece);
    Piece* pop();
  };
  static constexpr size_t kJoined = 16 * 1024;
  Queue& queue_for(Priority priority) { return priority == Priority::high || empty() ? high_ : low_; }

  Queue high_, low_;
  size_t bytes_ = 0;
  size_t pieces_ = 0;
};

}  // namespace wakepath::server
