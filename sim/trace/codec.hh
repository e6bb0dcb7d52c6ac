#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "sim/trace/trace.hh"

namespace wakepath::trace {

/// Records as bytes: each member as its difference from what the records before it let expect (a return repeats its
/// call, a field's old value is the one written last, objects are near one another), in numbers of variable length, a
/// stream for each member and group of record kinds. What is left over is small and repeats, which is what zstd lives
/// on.
///
/// A coder remembers what it has seen: blocks are decoded in the order in which they were encoded, from the first on.
class RecordCoder {
 public:
  static constexpr Position kMostRecords = 65536;  ///< of one block

  explicit RecordCoder(const Schema& schema);
  /// Records `from` to before `to`, at most kMostRecords; they follow those of the last call.
  [[nodiscard]] std::string encode(const Trace& trace, Position from, Position to);
  /// Appends the records of a block. False when it is damaged; then none was appended.
  [[nodiscard]] bool decode(std::string_view block, Trace& trace);

 private:
  struct Frame {
    Position position = 0;
    std::uint32_t cause = kNoCause;  ///< the same, as a cause
    std::uint32_t object = 0;
    std::uint16_t field = 0;
    std::uint16_t site = 0;
  };
  /// The last value of each field, within a block.
  struct LastValue {
    std::uint64_t field = 0;
    std::uint64_t value = 0;
    bool used = false;
  };

  // One description of a record for both directions: Io either writes a member or sets it.
  template <class Io>
  void pass(Io& io, Record& r, Position position);
  template <class Io>
  void pass_set(Io& io, Record& r, const Frame& top);
  template <class Io>
  void pass_list(Io& io, Record& r, const Frame& top);
  template <class Io>
  void pass_create(Io& io, Record& r, const Frame& top);
  template <class Io>
  void pass_other(Io& io, Record& r, const Frame& top, Position position);

  [[nodiscard]] Frame top_of(TaskId task) const;
  void push(TaskId task, const Frame& frame);
  void begin_block(std::size_t records);
  LastValue& last_value(ObjectId object, FieldId field);
  [[nodiscard]] const FieldInfo* field_of(ObjectId object, FieldId field) const;
  std::uint64_t& last_of_kind(ObjectId object, FieldId field);

  const Schema* schema_;
  Record last_;               // the record before
  ObjectId last_object_ = 0;  // what something happened to last
  ObjectId last_created_ = 0;
  std::vector<std::vector<Frame>> stacks_;               // by task
  std::vector<std::uint16_t> function_sites_;            // by function: where it was entered last
  std::vector<KindId> kinds_;                            // by object
  std::vector<std::uint64_t> serials_;                   // by kind
  std::vector<std::vector<std::uint64_t>> kind_values_;  // by kind and field: what was written last
  std::vector<Record> last_of_record_kind_;
  std::vector<LastValue> values_;  // a hash table with open addressing
  std::uint64_t nowhere_ = 0;
};

}  // namespace wakepath::trace
