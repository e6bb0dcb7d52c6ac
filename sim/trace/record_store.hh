#pragma once

#include <atomic>
#include <cstddef>
#include <memory>
#include <vector>

#include "sim/trace/record.hh"

namespace wakepath::trace {

/// The records of a trace: one thread appends, others read at the same time. Chunks never move; the count is published
/// with release order, and a reader never looks beyond a count that it has read.
///
/// As a ring it keeps the last so many records. The floor rises by whole chunks, and what stands below it is gone. A
/// reader of a ring that grows meanwhile begins a `Reading`, then looks at the floor: what is above it stays as it is
/// until the reading ends.
class RecordStore {
 public:
  static constexpr std::size_t kChunkRecords = 65536;  ///< 2 MiB: one huge page where the system has them
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
  [[nodiscard]] const Record& operator[](Position position) const {
    const Record* chunk = chunks_[position / kChunkRecords].load();
    return chunk != nullptr ? chunk[position % kChunkRecords] : kBlank;
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
  /// The place of the next record, to be filled and then published; nullptr when the store is full.
  [[nodiscard]] Record* place() {
    if (tail_ == tail_end_ && !add_chunk()) return nullptr;
    return tail_;
  }
  /// Makes the record at place() visible. Returns its position.
  Position publish() {
    ++tail_;
    Position position = size_.load(std::memory_order_relaxed);
    size_.store(position + 1, std::memory_order_release);
    return position;
  }

 private:
  bool add_chunk();
  [[nodiscard]] Record* fresh_chunk();

  static constexpr Record kBlank{};
  struct Free {
    void operator()(std::atomic<Record*>* table) const;
  };
  std::unique_ptr<std::atomic<Record*>[], Free> chunks_;  // the table's untouched pages cost nothing
  std::atomic<Position> size_{0};
  std::atomic<Position> floor_{0};
  mutable std::atomic<int> readers_{0};
  Record* tail_ = nullptr;
  Record* tail_end_ = nullptr;
  std::size_t chunk_count_ = 0;
  std::size_t keep_chunks_;        // 0: all
  std::size_t attached_from_ = 0;  // chunks before this one are no longer in the table
  std::vector<Record*> detached_;  // of a ring: out of the table, but somebody reads
};

}  // namespace wakepath::trace
