#pragma once

#include <atomic>
#include <cstddef>
#include <memory>
#include <vector>

#include "sim/trace/packed_record.hh"

namespace wakepath::trace {

/// The records of a trace: one thread appends, others read at the same time. Chunks never move; the count is published
/// with release order, and a reader never looks beyond a count that it has read.
///
/// As a ring it keeps the last so many records. The floor rises by whole chunks, and what stands below it is gone. A
/// reader of a ring that grows meanwhile begins a `Reading`, then looks at the floor: what is above it stays as it is
/// until the reading ends.
class RecordStore {
 public:
  static constexpr std::size_t kChunkRecords = RecordChunk::kRecords;
  static constexpr std::size_t kMaxChunks = 8192;

  /// `keep` 0: all of them; else at least the last `keep`.
  explicit RecordStore(Position keep = 0);
  ~RecordStore();
  RecordStore(const RecordStore&) = delete;
  RecordStore& operator=(const RecordStore&) = delete;

  [[nodiscard]] Position size() const { return size_.load(std::memory_order_acquire); }
  /// Position of the oldest record that is kept; rises in a ring only.
  [[nodiscard]] Position floor() const { return floor_.load(); }
  /// A record below a size() seen by this thread. One below the floor reads as a blank record.
  [[nodiscard]] Record operator[](Position position) const {
    const RecordChunk* chunk = chunk_of(position);
    return chunk != nullptr ? (*chunk)[position % kChunkRecords] : Record{};
  }

  /// The chunk that holds a record: index `position % kChunkRecords`. nullptr when it is no longer kept.
  [[nodiscard]] const RecordChunk* chunk_of(Position position) const {
    return chunks_[position / kChunkRecords].load();
  }

  /// While one lives, no chunk that it may look at is written over. Short: the ring grows meanwhile.
  class Reading {
   public:
    explicit Reading(const RecordStore& store) : store_(store) { store_.readers_.fetch_add(1); }
    ~Reading() { store_.readers_.fetch_sub(1); }
    Reading(const Reading&) = delete;
    Reading& operator=(const Reading&) = delete;

   private:
    const RecordStore& store_;
  };

  // --- the writer only ---
  /// Appends and publishes. `what` and `where`: the first two words of a PackedRecord. Returns the position; a record
  /// that finds the store full is dropped, and counted.
  Position append(std::uint64_t what, std::uint64_t where, std::uint64_t before, std::uint64_t after) {
    Position position = size_.load(std::memory_order_relaxed);
    std::size_t index = position % kChunkRecords;
    if (__builtin_expect(index == 0 || !PackedRecord::are_small(before, after), 0))
      return append_slowly(what, where, before, after);
    last_chunk_->put(index, PackedRecord::of_small(what, where, before, after));
    size_.store(position + 1, std::memory_order_release);
    return position;
  }
  [[nodiscard]] std::uint64_t dropped() const { return dropped_; }

 private:
  /// Apart, so that what is rare does not weigh on every write.
  Position append_slowly(std::uint64_t what, std::uint64_t where, std::uint64_t before, std::uint64_t after);
  bool add_chunk();
  [[nodiscard]] RecordChunk* fresh_chunk();

  struct Free {
    void operator()(std::atomic<RecordChunk*>* table) const;
  };
  std::unique_ptr<std::atomic<RecordChunk*>[], Free> chunks_;  // the table's untouched pages cost nothing
  std::atomic<Position> size_{0};
  std::atomic<Position> floor_{0};
  mutable std::atomic<int> readers_{0};
  RecordChunk* last_chunk_ = nullptr;
  std::uint64_t dropped_ = 0;
  std::size_t chunk_count_ = 0;
  std::size_t keep_chunks_;             // 0: all
  std::size_t attached_from_ = 0;       // chunks before this one are no longer in the table
  std::vector<RecordChunk*> detached_;  // of a ring: out of the table, but somebody reads
};

}  // namespace wakepath::trace
