#include "sim/trace/record_store.hh"

#include <sys/mman.h>

#include <cstdlib>
#include <mutex>
#include <new>
#include <utility>

namespace wakepath::trace {

namespace {

constexpr std::size_t kPageBytes = 4096;
constexpr std::size_t kChunkBytes = (sizeof(RecordChunk) + kPageBytes - 1) / kPageBytes * kPageBytes;

/// Chunks of traces that are gone, for those to come: a fresh page costs more than the records that go into it.
class ChunkPool {
 public:
  RecordChunk* take() {
    std::lock_guard lock(mutex_);
    if (!free_.empty()) {
      RecordChunk* chunk = free_.back();
      free_.pop_back();
      return chunk;
    }
    if (slab_ == slab_end_) add_slab();
    auto* chunk = new (slab_) RecordChunk;
    slab_ += kChunkBytes;
    return chunk;
  }
  void give_back(RecordChunk* chunk) {
    chunk->clear();
    std::lock_guard lock(mutex_);
    if (free_.size() < kMostKept)
      free_.push_back(chunk);
    else
      munmap(chunk, kChunkBytes);
  }

 private:
  static constexpr std::size_t kMostKept = 64;  // 96 MiB: a recording of some 2,000 connections
  static constexpr std::size_t kSlab = 16;      // chunks at a time: together they fill huge pages

  /// Pages that are not touched yet cost nothing.
  void add_slab() {
    void* room = mmap(nullptr, kSlab * kChunkBytes, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    if (room == MAP_FAILED) throw std::bad_alloc();
    madvise(room, kSlab * kChunkBytes, MADV_HUGEPAGE);  // only a wish: what it saves is page faults
    slab_ = static_cast<std::byte*>(room);
    slab_end_ = slab_ + kSlab * kChunkBytes;
  }

  std::mutex mutex_;
  std::vector<RecordChunk*> free_;
  std::byte* slab_ = nullptr;
  std::byte* slab_end_ = nullptr;
};

/// Never destroyed: traces that live in static storage give their chunks back after main().
ChunkPool& pool() {
  static auto* const kPool = new ChunkPool;
  return *kPool;
}

}  // namespace

std::uint32_t RecordChunk::keep_wide(WideValues values) {
  WideValues*& block = wide_[wide_count_ / kWideBlock];
  if (block == nullptr) block = new WideValues[kWideBlock];
  block[wide_count_ % kWideBlock] = values;
  return wide_count_++;
}

void RecordChunk::clear() {
  wide_count_ = 0;
  for (WideValues*& block : wide_) delete[] std::exchange(block, nullptr);
}

void RecordStore::Free::operator()(std::atomic<RecordChunk*>* table) const { std::free(table); }

RecordStore::RecordStore(Position keep)
    : chunks_(static_cast<std::atomic<RecordChunk*>*>(std::calloc(kMaxChunks, sizeof(std::atomic<RecordChunk*>)))),
      keep_chunks_(keep == 0 ? 0 : static_cast<std::size_t>((keep + kChunkRecords - 1) / kChunkRecords) + 1) {
  static_assert(sizeof(std::atomic<RecordChunk*>) == sizeof(RecordChunk*) &&
                std::atomic<RecordChunk*>::is_always_lock_free);
  if (chunks_ == nullptr) throw std::bad_alloc();
}

RecordStore::~RecordStore() {
  for (std::size_t i = 0; i < chunk_count_; ++i)
    if (RecordChunk* chunk = chunks_[i].load()) pool().give_back(chunk);
  for (RecordChunk* chunk : detached_) pool().give_back(chunk);
}

/// Chunks below the floor leave the table only while nobody reads: who reads began after the floor rose, or finds them
/// as they were. They are used again only if nobody began to read meanwhile.
RecordChunk* RecordStore::fresh_chunk() {
  std::size_t kept_from = static_cast<std::size_t>(floor_.load(std::memory_order_relaxed)) / kChunkRecords;
  if (readers_.load() == 0)
    for (; attached_from_ < kept_from; ++attached_from_) detached_.push_back(chunks_[attached_from_].exchange(nullptr));
  if (detached_.empty() || readers_.load() != 0) return pool().take();
  RecordChunk* chunk = detached_.back();
  detached_.pop_back();
  chunk->clear();
  for (RecordChunk* other : detached_) pool().give_back(other);
  detached_.clear();
  return chunk;
}

Position RecordStore::append_slowly(std::uint64_t what, std::uint64_t where, std::uint64_t before,
                                    std::uint64_t after) {
  Position position = size_.load(std::memory_order_relaxed);
  std::size_t index = position % kChunkRecords;
  if (index == 0 && !add_chunk()) return ++dropped_, position;
  last_chunk_->put(index, PackedRecord::fits(before, after)
                              ? PackedRecord::of(what, where, before, after)
                              : PackedRecord::of_wide(what, where, last_chunk_->keep_wide({before, after})));
  size_.store(position + 1, std::memory_order_release);
  return position;
}

bool RecordStore::add_chunk() {
  if (chunk_count_ == kMaxChunks) return false;
  Position kept_from = floor_.load(std::memory_order_relaxed) / kChunkRecords;
  if (keep_chunks_ != 0 && chunk_count_ - kept_from >= keep_chunks_)
    floor_.store((kept_from + 1) * kChunkRecords, std::memory_order_seq_cst);
  last_chunk_ = fresh_chunk();
  chunks_[chunk_count_++].store(last_chunk_);
  return true;
}

}  // namespace wakepath::trace
