#pragma once

#include <atomic>
#include <cstddef>
#include <cstdlib>
#include <memory>
#include <new>
#include <span>
#include <string>
#include <string_view>
#include <unordered_map>

#include "sim/trace/record.hh"
#include "sim/trace/record_store.hh"
#include "sim/trace/schema.hh"
#include "sim/trace/string_ids.hh"

namespace wakepath::trace {

/// A table that one thread appends to and others read at the same time: chunks never move, the count is published
/// with release order, and a reader never looks beyond a count that it has read.
template <class T, std::size_t ChunkSize, std::size_t MaxChunks>
class AppendOnly {
 public:
  AppendOnly() : chunks_(static_cast<std::atomic<T*>*>(std::calloc(MaxChunks, sizeof(std::atomic<T*>)))) {
    if (chunks_ == nullptr) throw std::bad_alloc();
  }
  ~AppendOnly() {
    for (std::size_t i = 0; i < MaxChunks; ++i) delete[] chunks_[i].load(std::memory_order_relaxed);
  }
  AppendOnly(const AppendOnly&) = delete;
  AppendOnly& operator=(const AppendOnly&) = delete;

  /// Number of entries that may be read. Any thread.
  [[nodiscard]] std::size_t size() const { return size_.load(std::memory_order_acquire); }
  /// Any thread; `index` below a size() seen by that thread.
  [[nodiscard]] const T& operator[](std::size_t index) const {
    return chunks_[index / ChunkSize].load(std::memory_order_relaxed)[index % ChunkSize];
  }
  /// The writer only. False when the table is full (MaxChunks * ChunkSize entries); then nothing is kept.
  bool append(T value) {
    std::size_t index = size_.load(std::memory_order_relaxed);
    if (index >= MaxChunks * ChunkSize) return false;
    std::atomic<T*>& chunk = chunks_[index / ChunkSize];
    if (chunk.load(std::memory_order_relaxed) == nullptr) chunk.store(new T[ChunkSize], std::memory_order_relaxed);
    chunk.load(std::memory_order_relaxed)[index % ChunkSize] = std::move(value);
    size_.store(index + 1, std::memory_order_release);
    return true;
  }

 private:
  struct Free {
    void operator()(std::atomic<T*>* table) const { std::free(table); }
  };
  std::unique_ptr<std::atomic<T*>[], Free> chunks_;  // the table's untouched pages cost nothing
  std::atomic<std::size_t> size_{0};
};

/// A trace in memory: schema, records, strings, sites. One writer, any number of readers at the same time; the schema
/// is complete before the first record. Each reader owns its own World (world.hh).
class Trace {
 public:
  /// `keep` 0: every record; else a ring that keeps at least the last `keep` (see RecordStore).
  explicit Trace(Schema schema, Position keep = 0);

  [[nodiscard]] const Schema& schema() const { return schema_; }
  [[nodiscard]] Position size() const { return records_.size(); }
  [[nodiscard]] Record operator[](Position position) const { return records_[position]; }
  [[nodiscard]] const RecordStore& records() const { return records_; }
  /// Position of the oldest record that is still kept: 0 unless the trace is a ring.
  [[nodiscard]] Position floor() const { return records_.floor(); }
  /// Held while records of a growing ring are read.
  [[nodiscard]] RecordStore::Reading reading() const { return RecordStore::Reading(records_); }
  /// The string of an id; empty for an id that the trace does not have.
  [[nodiscard]] std::string_view string(StringId id) const;
  /// "file:line" of the model's source; empty when unknown.
  [[nodiscard]] std::string_view site(std::uint16_t site) const;
  [[nodiscard]] StringId site_string(std::uint16_t site) const { return site < sites_.size() ? sites_[site] : 0; }
  [[nodiscard]] std::size_t string_count() const { return strings_.size(); }
  [[nodiscard]] std::size_t site_count() const { return sites_.size(); }

  // --- the writer only ---
  /// Appends and publishes. Returns its position. Kind below 32, context below 4. A full trace (536,870,912 records)
  /// drops the record and says so in `dropped()`.
  Position append(const Record& r) {
    return records_.append(PackedRecord::what(r.kind, r.context, r.field, r.object),
                           PackedRecord::where(r.task, r.site, r.cause), r.before, r.after);
  }
  /// The same in parts, for a writer in a hurry (see RecordStore).
  Position append(std::uint64_t what, std::uint64_t where, std::uint64_t before, std::uint64_t after) {
    return records_.append(what, where, before, after);
  }
  /// The id of `text`, new or known.
  StringId intern(std::string_view text);
  /// The id of a place in the source. 65,535 at most; more get 0.
  std::uint16_t intern_site(std::string_view file_and_line);
  [[nodiscard]] std::uint64_t dropped() const { return records_.dropped(); }

 private:
  Schema schema_;
  RecordStore records_;
  AppendOnly<std::string, 1024, 65536> strings_;
  AppendOnly<StringId, 256, 256> sites_;
  StringIds ids_;  // of strings_
  std::unordered_map<StringId, std::uint16_t> site_ids_;
};

}  // namespace wakepath::trace
