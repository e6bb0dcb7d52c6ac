#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "sim/trace/last_values.hh"
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
  RecordCoder(const RecordCoder&) = delete;
  RecordCoder& operator=(const RecordCoder&) = delete;
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
  /// What was written last to the fields of a kind's objects.
  struct FieldState {
    std::uint64_t last = 0;
    bool is_pointer = false;
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
  void pass_call(Io& io, Record& r, const Frame& top);
  template <class Io>
  void pass_other(Io& io, Record& r, const Frame& top, Position position);

  void turn_to(TaskId task);
  [[nodiscard]] FieldState* state_of(ObjectId object, FieldId field);
  void learn_object(ObjectId object, KindId kind);

  Context last_context_{};  // of the record before
  TaskId last_task_ = 0;
  std::vector<Frame>* stack_;  // its task's
  ObjectId last_object_ = 0;   // what something happened to last
  ObjectId last_created_ = 0;
  std::vector<std::vector<Frame>> stacks_;       // by task; the lowest frame of each is blank and stays
  std::vector<std::uint16_t> function_sites_;    // by function: where it was entered last
  std::vector<KindId> kinds_;                    // by object
  std::vector<std::uint64_t> serials_;           // by kind
  std::vector<std::vector<FieldState>> fields_;  // by kind and field
  std::vector<Record> last_of_record_kind_;
  LastValues values_;
  std::vector<Record> decoded_;
};

}  // namespace wakepath::trace
