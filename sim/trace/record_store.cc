#include "sim/trace/record_store.hh"

#include <sys/mman.h>

#include <cstdlib>
#include <mutex>
#include <new>

namespace wakepath::trace {

namespace {

constexpr std::size_t kChunkBytes = RecordStore::kChunkRecords * sizeof(Record);

/// Chunks of traces that are gone, for those to come: a fresh page costs more than the records that go into it.
class ChunkPool {
 public:
  Record* take() {
    {
      std::lock_guard lock(mutex_);
      if (!free_.empty()) {
        Record* chunk = free_.back();
        free_.pop_back();
        return chunk;
      }
    }
    void* bytes = std::aligned_alloc(kChunkBytes, kChunkBytes);
    if (bytes == nullptr) throw std::bad_alloc();
    madvise(bytes, kChunkBytes, MADV_HUGEPAGE);  // only a wish: what it saves is page faults
    return static_cast<Record*>(bytes);
  }
  void give_back(Record* chunk) {
    std::lock_guard lock(mutex_);
    if (free_.size() < kMostKept)
      free_.push_back(chunk);
    else
      std::free(chunk);
  }

 private:
  static constexpr std::size_t kMostKept = 32;  // 64 MiB
  std::mutex mutex_;
  std::vector<Record*> free_;
};

/// Never destroyed: traces that live in static storage give their chunks back after main().
ChunkPool& pool() {
  static auto* const kPool = new ChunkPool;
  return *kPool;
}

}  // namespace

void RecordStore::Free::operator()(std::atomic<Record*>* table) const { std::free(table); }

RecordStore::RecordStore(Position keep)
    : chunks_(static_cast<std::atomic<Record*>*>(std::calloc(kMaxChunks, sizeof(std::atomic<Record*>)))),
      keep_chunks_(keep == 0 ? 0 : static_cast<std::size_t>((keep + kChunkRecords - 1) / kChunkRecords) + 1) {
  static_assert(sizeof(std::atomic<Record*>) == sizeof(Record*) && std::atomic<Record*>::is_always_lock_free);
  if (chunks_ == nullptr) throw std::bad_alloc();
}

RecordStore::~RecordStore() {
  for (std::size_t i = 0; i < chunk_count_; ++i)
    if (Record* chunk = chunks_[i].load()) pool().give_back(chunk);
  for (Record* chunk : detached_) pool().give_back(chunk);
}

/// Chunks below the floor leave the table only while nobody reads: who reads began after the floor rose, or finds them
/// as they were. They are used again only if nobody began to read meanwhile.
Record* RecordStore::fresh_chunk() {
  std::size_t kept_from = static_cast<std::size_t>(floor_.load(std::memory_order_relaxed)) / kChunkRecords;
  if (readers_.load() == 0)
    for (; attached_from_ < kept_from; ++attached_from_) detached_.push_back(chunks_[attached_from_].exchange(nullptr));
  if (detached_.empty() || readers_.load() != 0) return pool().take();
  Record* chunk = detached_.back();
  detached_.pop_back();
  for (Record* other : detached_) pool().give_back(other);
  detached_.clear();
  return chunk;
}

bool RecordStore::add_chunk() {
  if (chunk_count_ == kMaxChunks) return false;
  Position kept_from = floor_.load(std::memory_order_relaxed) / kChunkRecords;
  if (keep_chunks_ != 0 && chunk_count_ - kept_from >= keep_chunks_)
    floor_.store((kept_from + 1) * kChunkRecords, std::memory_order_seq_cst);
  tail_ = fresh_chunk();
  tail_end_ = tail_ + kChunkRecords;
  chunks_[chunk_count_++].store(tail_);
  return true;
}

}  // namespace wakepath::trace
