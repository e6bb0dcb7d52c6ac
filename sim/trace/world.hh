#pragma once

#include <array>
#include <atomic>
#include <cstdint>
#include <string>
#include <utility>
#include <vector>

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

/// The members of one list field, in order.
struct Members {
  FieldId field = 0;
  std::uint32_t hint = 0;  ///< Where the last change was: the next is near. No part of the state.
  std::vector<Ref> refs;
  friend bool operator==(const Members& a, const Members& b) { return a.field == b.field && a.refs == b.refs; }
};

/// An object as it is at one moment. A freed object keeps its last values (`alive` is false), so that going back is
/// cheap and a viewer can still tell what it was.
struct Object {
  ObjectId id = 0;
  std::uint32_t serial = 0;  ///< Number within its kind, from 1: "tcp_sock#2".
  KindId kind = 0;
  bool alive = false;
  Position born = 0;
  std::vector<std::uint64_t> values;  ///< By FieldId; unused at list fields.
  std::vector<Members> lists;         ///< Those that have members, by rising FieldId.

  /// Members in order; empty for a list without any.
  [[nodiscard]] const std::vector<Ref>& list(FieldId field) const;
  friend bool operator==(const Object&, const Object&) = default;
};

/// Objects by id, index 0 unused. A copy shares pages with its original until one of them writes: that makes keyframes
/// cheap. Copies may live on different threads.
class ObjectTable {
 public:
  ObjectTable() = default;
  ObjectTable(const ObjectTable& other);
  ObjectTable(ObjectTable&& other) noexcept : pages_(std::move(other.pages_)), size_(std::exchange(other.size_, 0)) {
    other.pages_.clear();
  }
  ObjectTable& operator=(ObjectTable other) noexcept;
  ~ObjectTable();

  [[nodiscard]] std::size_t size() const { return size_; }
  [[nodiscard]] bool empty() const { return size_ == 0; }
  [[nodiscard]] const Object& operator[](std::size_t id) const { return pages_[id / kPage]->objects[id % kPage]; }
  [[nodiscard]] const Object& back() const { return (*this)[size_ - 1]; }

  class Iterator {
   public:
    using value_type = Object;
    using difference_type = std::ptrdiff_t;
    Iterator() = default;
    Iterator(const ObjectTable* table, std::size_t at) : table_(table), at_(at) {}
    const Object& operator*() const { return (*table_)[at_]; }
    const Object* operator->() const { return &(*table_)[at_]; }
    Iterator& operator++() { return ++at_, *this; }
    Iterator operator++(int) { return {table_, at_++}; }
    friend bool operator==(const Iterator&, const Iterator&) = default;

   private:
    const ObjectTable* table_ = nullptr;
    std::size_t at_ = 0;
  };
  [[nodiscard]] Iterator begin() const { return {this, 0}; }
  [[nodiscard]] Iterator end() const { return {this, size_}; }
  friend bool operator==(const ObjectTable& a, const ObjectTable& b);

  // --- the world that owns it ---
  /// For writing: the page becomes this table's own first.
  [[nodiscard]] Object& edit(std::size_t id);
  /// Longer: with blank objects; shorter: the last ones go.
  void resize(std::size_t size);

 private:
  static constexpr std::size_t kPage = 8;
  struct Page {
    std::atomic<std::uint32_t> owners{1};
    std::array<Object, kPage> objects;
  };
  static void release(Page* page);

  std::vector<Page*> pages_;
  std::size_t size_ = 0;
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
  void revert(const Record& record, Position position);

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
