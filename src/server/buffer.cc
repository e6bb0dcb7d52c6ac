#include "src/server/buffer.hh"

#include <new>

namespace wakepath::server {

void Buffer::reset() {
  if (block_ != nullptr) block_->pool->give_back(std::exchange(block_, nullptr));
}

BufferPool::~BufferPool() {
  collect();
  for (Block*& list : free_)
    while (list != nullptr) ::operator delete(std::exchange(list, list->next));
}

Buffer BufferPool::take(size_t size) {
  users_.fetch_add(1, std::memory_order_relaxed);
  const int which = class_of(size);
  if (which >= kClasses) {
    void* memory = ::operator new(sizeof(Block) + size);
    return Buffer(new (memory) Block{this, nullptr, static_cast<uint32_t>(size), 0});
  }
  if (free_[which] == nullptr) collect();
  if (Block* block = free_[which]) {
    free_[which] = block->next;
    kept_ -= block->capacity;
    block->size = 0;
    return Buffer(block);
  }
  const size_t capacity = kSmallest << which;
  void* memory = ::operator new(sizeof(Block) + capacity);
  return Buffer(new (memory) Block{this, nullptr, static_cast<uint32_t>(capacity), 0});
}

void BufferPool::give_back(Block* block) {
  if (block->capacity > kLargest) {
    ::operator delete(block);
  } else {
    block->next = returned_.load(std::memory_order_relaxed);
    while (!returned_.compare_exchange_weak(block->next, block, std::memory_order_release, std::memory_order_relaxed)) {
    }
  }
  drop_one();
}

void BufferPool::collect() {
  Block* block = returned_.exchange(nullptr, std::memory_order_acquire);
  while (block != nullptr) {
    Block* next = block->next;
    if (kept_ + block->capacity > kMostKept) {
      ::operator delete(block);
    } else {
      const int which = class_of(block->capacity);
      block->next = free_[which];
      free_[which] = block;
      kept_ += block->capacity;
    }
    block = next;
  }
}

void BufferPool::drop_one() {
  if (users_.fetch_sub(1, std::memory_order_acq_rel) == 1) delete this;
}

}  // namespace wakepath::server
