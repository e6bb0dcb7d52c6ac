#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "sim/trace/objects.hh"
#include "sim/trace/trace.hh"

namespace wakepath::trace {

/// One function on a task's stack.
struct Frame {
  Position call = 0;  ///< The record that entered it.
  FunctionId function = 0;
  Context context{};
  ObjectId subject = 0;
  friend bool operator==(const Frame&, const Frame&) = default;
};

struct Task {
  TaskId id = 0;
  ObjectId object = 0;       ///< Its task_struct; 0 for the idle task.
  std::vector<Frame> stack;  ///< Outermost first.
  Position syscall = 0;      ///< Position + 1 of the kSyscall it is in; 0 when in user mode.
  friend bool operator==(const Task&, const Task&) = default;
};

/// The modelled world at one position. `apply` and `revert` are exact inverses.
class World {
 public:
  /// `record` stands at `position` of the trace. Records of a damaged file are survived, not trusted.
  void apply(const Schema& schema, const Record& record, Position position);
  void revert(const Record& record);
  /// The same with all records from `from` up to but without `to`, and back again from `from` down to and with `to`:
  /// the way for many at once.
  void forward(const Trace& trace, Position from, Position to);
  void back(const Trace& trace, Position from, Position to);

  /// All objects ever seen so far, by id (objects[0] is unused). Check `alive`.
  [[nodiscard]] const ObjectTable& objects() const { return objects_; }
  /// nullptr when there is no such living object.
  [[nodiscard]] const Object* find(ObjectId id) const;
  [[nodiscard]] const std::vector<Task>& tasks() const { return tasks_; }
  [[nodiscard]] const Task* task(TaskId id) const;
  [[nodiscard]] TaskId running() const { return running_; }
  [[nodiscard]] std::uint64_t now_ns() const { return now_; }
  [[nodiscard]] std::uint64_t step() const { return step_; }         ///< Number of the step begun last; 0 before.
  [[nodiscard]] std::uint64_t quiet_step() const { return quiet_; }  ///< Number of the step ended last.
  [[nodiscard]] std::uint64_t divergences() const { return divergences_; }
  [[nodiscard]] std::uint64_t peers() const { return peers_; }

  friend bool operator==(const World&, const World&) = default;

 private:
  class Walk;
  Object* at(ObjectId id);
  Task& task_at(TaskId id);
  void trim_tasks();  ///< One world, one representation: no blank tasks at the end.

  ObjectTable objects_;
  std::vector<Task> tasks_;
  TaskId running_ = 0;
  std::uint64_t now_ = 0;
  std::uint64_t step_ = 0;
  std::uint64_t quiet_ = 0;
  std::uint64_t divergences_ = 0;
  std::uint64_t peers_ = 0;
};

/// Name of an object: "tcp_sock#2". Of id 0: "NULL".
[[nodiscard]] std::string object_name(const Trace& trace, const World& world, ObjectId id);
/// Name of a pointer's target with the embedded structure it points to: "socket_alloc#1.socket".
[[nodiscard]] std::string ref_name(const Trace& trace, const World& world, Ref ref);
/// A field's value as a person reads it; for a list its members in order.
[[nodiscard]] std::string value_text(const Trace& trace, const World& world, const FieldInfo& field,
                                     std::uint64_t value);
[[nodiscard]] std::string field_text(const Trace& trace, const World& world, const Object& object, FieldId field);
/// Name of a field that tells it from others of the kind: "sk_receive_queue.list" where "list" alone says nothing.
[[nodiscard]] std::string member_name(const Kind& kind, FieldId field);
/// Name of a task: its task_struct's `comm`, or "idle".
[[nodiscard]] std::string task_name(const Trace& trace, const World& world, TaskId task);
/// The value of a field by name; 0 when the kind has no such field.
[[nodiscard]] std::uint64_t value_of(const Trace& trace, const Object& object, std::string_view field);

}  // namespace wakepath::trace
