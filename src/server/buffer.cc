#include "src/server/buffer.hh"

#include <new>

namespace wakepath::server {

void Buffer::reset() {
  if (block_ != nullptr) block_->pool->give_back(std::exchange(block_, nullptr));
}

BufferPool::~BufferPool() {
  collect();
  for (Block*& list : free_)
    while (list != nullptr) free_block(std::exchange(list, list->next));
}

BufferPool::Block* BufferPool::new_block(size_t size) {
  static_assert(sizeof(Block) <= kLine);
  const Block empty{this, nullptr, static_cast<uint32_t>(size), 0};
  if (size < kAligned) return new (::operator new(sizeof(Block) + size)) Block(empty);
  char* memory = static_cast<char*>(::operator new (kLine + size, std::align_val_t{kLine}));
  return new (memory + kLine - sizeof(Block)) Block(empty);
}

void BufferPool::free_block(Block* block) {
  if (block->capacity < kAligned) return ::operator delete(block);
  ::operator delete (block->bytes() - kLine, std::align_val_t{kLine});
}

Buffer BufferPool::take(size_t size) {
  const int which = class_of(size);
  const size_t capacity = which >= kClasses ? size : kSmallest << which;
  if (taker_.load(std::memory_order_relaxed) == nullptr) taker_.store(os::this_thread_mark());
  if (!is_taker()) {
    change_balance(1);
    return Buffer(new_block(capacity));
  }
  ++out_;
  if (which >= kClasses) return Buffer(new_block(capacity));
  if (free_[which] == nullptr) collect();
  Block* block = free_[which];
  if (block == nullptr) return Buffer(new_block(capacity));
  free_[which] = block->next;
  kept_ -= block->capacity;
  block->size = 0;
  return Buffer(block);
}

void BufferPool::give_back(Block* block) {
  if (is_taker()) {
    --out_;
    return keep(block);
  }
  if (block->capacity > kLargest) {
    free_block(block);
  } else {
    block->next = returned_.load(std::memory_order_relaxed);
    while (!returned_.compare_exchange_weak(block->next, block, std::memory_order_release, std::memory_order_relaxed)) {
    }
  }
  change_balance(-1);
}

/// For the next take(), if there is not too much already.
void BufferPool::keep(Block* block) {
  if (block->capacity > kLargest || kept_ + block->capacity > kMostKept) return free_block(block);
  const int which = class_of(block->capacity);
  block->next = free_[which];
  free_[which] = block;
  kept_ += block->capacity;
}

void BufferPool::collect() {
  Block* block = returned_.exchange(nullptr, std::memory_order_acquire);
  while (block != nullptr) keep(std::exchange(block, block->next));
}

void BufferPool::let_go() {
  taker_.store(this, std::memory_order_relaxed);  // no thread's mark: from now on everybody is another thread
  change_balance(out_ - kOwned);
}

void BufferPool::change_balance(int64_t change) {
  if (balance_.fetch_add(change, std::memory_order_acq_rel) + change == 0) delete this;
}

}  // namespace wakepath::server
