#pragma once

#include <atomic>
#include <bit>
#include <cstddef>
#include <cstdint>
#include <string_view>
#include <utility>

#include "src/os/this_thread.hh"

namespace wakepath::server {

class BufferPool;

/// A piece of memory from a BufferPool, with `size()` bytes in it. Any thread may give it up; it may outlive the server
/// that filled it.
class Buffer {
 public:
  Buffer() = default;
  ~Buffer() { reset(); }
  Buffer(Buffer&& other) noexcept : block_(std::exchange(other.block_, nullptr)) {}
  Buffer& operator=(Buffer&& other) noexcept {
    if (this != &other) {
      reset();
      block_ = std::exchange(other.block_, nullptr);
    }
    return *this;
  }

  char* data() { return block_ == nullptr ? nullptr : block_->bytes(); }
  size_t size() const { return block_ == nullptr ? 0 : block_->size; }
  size_t capacity() const { return block_ == nullptr ? 0 : block_->capacity; }
  bool empty() const { return size() == 0; }
  std::string_view view() const {
    return block_ == nullptr ? std::string_view() : std::string_view(block_->bytes(), block_->size);
  }
  /// At most capacity().
  void set_size(size_t size) { block_->size = static_cast<uint32_t>(size); }
  void reset();

 private:
  friend class BufferPool;
  struct Block {
    BufferPool* pool;
    Block* next;
    uint32_t capacity;
    uint32_t size;
    char* bytes() { return reinterpret_cast<char*>(this + 1); }
  };
  explicit Buffer(Block* block) : block_(block) {}

  Block* block_ = nullptr;
};

/// Memory for what is received, used again and again. One thread takes: the first that did. What it gives back itself
/// costs no atomic operation; any other thread gives back without a lock: a stack that is only ever emptied whole has
/// no ABA problem. It lives until its owner has let go of it and the last Buffer is given up.
class BufferPool {
 public:
  static constexpr size_t kSmallest = 64;
  static constexpr size_t kLargest = 1024 * 1024;       ///< larger ones are not kept
  static constexpr size_t kMostKept = size_t{8} << 20;  ///< bytes lying idle

  static BufferPool* create() { return new BufferPool; }
  /// The owner needs it no more. Called by the taking thread, or when that has given up all that it took.
  void let_go();

  /// The taking thread; another one gets new memory. Room for at least `size` bytes; size() of it is 0.
  Buffer take(size_t size);
  /// Bytes that wait to be used again. The taking thread.
  size_t kept() const { return kept_; }

 private:
  friend class Buffer;
  using Block = Buffer::Block;
  static constexpr int kClasses = std::countr_zero(kLargest / kSmallest) + 1;
  static constexpr size_t kAligned = 4096;  ///< from here on bytes begin with a cache line: the kernel copies faster
  static constexpr size_t kLine = 64;
  static constexpr int64_t kOwned = int64_t{1} << 60;

  BufferPool() = default;
  ~BufferPool();
  static int class_of(size_t size) { return size <= kSmallest ? 0 : std::bit_width((size - 1) / kSmallest); }
  Block* new_block(size_t size);
  static void free_block(Block* block);
  bool is_taker() const { return taker_.load(std::memory_order_relaxed) == os::this_thread_mark(); }
  void give_back(Block* block);
  void keep(Block* block);
  void collect();
  void change_balance(int64_t change);

  // the taking thread's
  Block* free_[kClasses] = {};
  size_t kept_ = 0;
  int64_t out_ = 0;  // taken, less those that came back to this thread

  std::atomic<const void*> taker_{nullptr};
  std::atomic<Block*> returned_{nullptr};
  /// kOwned as long as there is an owner, less what other threads have given back; then, with out_ added, the Buffers
  /// that are left.
  std::atomic<int64_t> balance_{kOwned};
};

}  // namespace wakepath::server
