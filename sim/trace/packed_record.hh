#pragma once

#include <array>
#include <cstddef>
#include <cstdint>

#include "sim/trace/record.hh"

namespace wakepath::trace {

/// A record as it is kept in memory: 24 bytes instead of 32. `before` and `after` have 36 bits each, which holds small
/// numbers of either sign, flags, and pointers to any object and one of its first 15 parts. A record with a larger
/// value is "wide": its two values stand elsewhere (RecordChunk), and `before` says where.
///
/// Three words, from the lowest bit up: kind 5, context 2, wide 1, the upper 4 bits of before and of after, field 16,
/// object 32; task 16, site 16, cause 32; the lower 32 bits of before and of after.
class PackedRecord {
 public:
  PackedRecord() {}  // NOLINT: a chunk of them stays as it is, for a page that nobody touches costs nothing

  // --- putting one together: what happened and where, as two words; then the values ---
  [[nodiscard]] static constexpr std::uint64_t what(RecordKind kind, Context context, std::uint16_t field,
                                                    std::uint32_t object) {
    return of_kind(kind) | in_context(context) | about(object, field);
  }
  /// Its parts, each in its place.
  [[nodiscard]] static constexpr std::uint64_t of_kind(RecordKind kind) { return static_cast<unsigned>(kind); }
  [[nodiscard]] static constexpr std::uint64_t in_context(Context context) {
    return std::uint64_t{static_cast<unsigned>(context)} << 5;
  }
  [[nodiscard]] static constexpr std::uint64_t about(std::uint32_t object, std::uint16_t field) {
    return std::uint64_t{field} << 16 | std::uint64_t{object} << 32;
  }
  [[nodiscard]] static constexpr Context context_of(std::uint64_t what) { return static_cast<Context>(what >> 5 & 3); }
  /// The same with another kind.
  [[nodiscard]] static constexpr std::uint64_t of_kind(std::uint64_t what, RecordKind kind) {
    return (what & ~std::uint64_t{31}) | of_kind(kind);
  }
  [[nodiscard]] static constexpr std::uint64_t where(TaskId task, std::uint16_t site, std::uint32_t cause) {
    return task | std::uint64_t{site} << 16 | std::uint64_t{cause} << 32;
  }
  /// The same place in time, another one in the source.
  [[nodiscard]] static constexpr std::uint64_t at_site(std::uint64_t where, std::uint16_t site) {
    return (where & ~std::uint64_t{0xFFFF0000}) | std::uint64_t{site} << 16;
  }
  [[nodiscard]] static constexpr std::uint64_t caused_by(std::uint64_t where, std::uint32_t cause) {
    return (where & 0xFFFFFFFF) | std::uint64_t{cause} << 32;
  }
  [[nodiscard]] static constexpr std::uint16_t site_of(std::uint64_t where) {
    return static_cast<std::uint16_t>(where >> 16);
  }
  [[nodiscard]] static constexpr std::uint32_t cause_of(std::uint64_t where) {
    return static_cast<std::uint32_t>(where >> 32);
  }
  /// Neither value has more than 32 bits: nearly always.
  [[nodiscard]] static constexpr bool are_small(std::uint64_t before, std::uint64_t after) {
    return (before | after) >> 32 == 0;
  }
  [[nodiscard]] static PackedRecord of_small(std::uint64_t what, std::uint64_t where, std::uint64_t before,
                                             std::uint64_t after) {
    return {what, where, before | after << 32};
  }
  /// Of values that fit.
  [[nodiscard]] static PackedRecord of(std::uint64_t what, std::uint64_t where, std::uint64_t before,
                                       std::uint64_t after) {
    return {what | (before >> 24 & 0xF00) | (after >> 20 & 0xF000), where,
            static_cast<std::uint32_t>(before) | after << 32};
  }
  /// The values stand at `index` among the wide ones.
  [[nodiscard]] static PackedRecord of_wide(std::uint64_t what, std::uint64_t where, std::uint32_t index) {
    return {what | kWide, where, index};
  }

  /// Kind and context can be packed; what is in no file of ours may have others.
  [[nodiscard]] static bool has_place_for(const Record& r) {
    return static_cast<unsigned>(r.kind) < 32 && static_cast<unsigned>(r.context) < 4;
  }
  /// Both values have 36 bits: -65,536 to 2^36 - 65,537.
  [[nodiscard]] static constexpr bool fits(std::uint64_t before, std::uint64_t after) {
    return ((before + kNegatives) | (after + kNegatives)) >> kBits == 0;
  }

  [[nodiscard]] RecordKind kind() const { return static_cast<RecordKind>(what_ & 31); }
  [[nodiscard]] Context context() const { return context_of(what_); }
  [[nodiscard]] bool wide() const { return (what_ & kWide) != 0; }
  [[nodiscard]] std::uint16_t field() const { return static_cast<std::uint16_t>(what_ >> 16); }
  [[nodiscard]] std::uint32_t object() const { return static_cast<std::uint32_t>(what_ >> 32); }
  [[nodiscard]] TaskId task() const { return static_cast<TaskId>(where_); }
  /// Of a wide one: the index of its values.
  [[nodiscard]] std::uint64_t before() const { return value((what_ & 0xF00) << 24 | (values_ & 0xFFFFFFFFu)); }
  /// Of one that is not wide.
  [[nodiscard]] std::uint64_t after() const { return value((what_ & 0xF000) << 20 | values_ >> 32); }
  [[nodiscard]] Record unpacked() const {
    return {kind(),
            context(),
            field(),
            object(),
            task(),
            static_cast<std::uint16_t>(where_ >> 16),
            static_cast<std::uint32_t>(where_ >> 32),
            before(),
            after()};
  }

 private:
  PackedRecord(std::uint64_t what, std::uint64_t where, std::uint64_t values)
      : what_(what), where_(where), values_(values) {}

  static constexpr unsigned kBits = 36;
  static constexpr std::uint64_t kNegatives = 65'536;  ///< the uppermost of the 36-bit numbers are the negative ones
  static constexpr std::uint64_t kWide = 128;

  [[nodiscard]] static constexpr std::uint64_t value(std::uint64_t code) {
    return code - ((code + kNegatives) >> kBits << kBits);
  }

  std::uint64_t what_;
  std::uint64_t where_;
  std::uint64_t values_;
};
static_assert(sizeof(PackedRecord) == 24);

/// The values of a wide record.
struct WideValues {
  std::uint64_t before = 0;
  std::uint64_t after = 0;
};

/// So many records, and the values of those of them that are wide.
class RecordChunk {
 public:
  static constexpr std::size_t kRecords = 65536;

  [[nodiscard]] Record operator[](std::size_t index) const {
    Record record = records_[index].unpacked();
    if (records_[index].wide()) {
      const WideValues& values = wide_[record.before / kWideBlock][record.before % kWideBlock];
      record.before = values.before;
      record.after = values.after;
    }
    return record;
  }
  /// For who reads a few members of many records.
  [[nodiscard]] const PackedRecord& packed(std::size_t index) const { return records_[index]; }

  // --- the writer only ---
  void put(std::size_t index, const PackedRecord& record) { records_[index] = record; }
  /// Keeps the values of a wide record. Returns their index.
  [[nodiscard]] std::uint32_t keep_wide(WideValues values);
  /// As it was when it was new.
  void clear();

 private:
  static constexpr std::size_t kWideBlock = 1024;

  std::array<WideValues*, kRecords / kWideBlock> wide_{};  // in blocks, made when needed
  std::uint32_t wide_count_ = 0;
  alignas(64) PackedRecord records_[kRecords];
};

}  // namespace wakepath::trace
