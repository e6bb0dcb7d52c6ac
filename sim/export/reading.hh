#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "sim/trace/world.hh"

namespace wakepath::exports {

/// A world read by Linux's names: fields, pointers and lists of its objects. What a kind does not have reads as 0, as
/// nullptr, as an empty list, so that traces with fewer members still give a picture. Borrows trace and world.
class Reading {
 public:
  Reading(const trace::Trace& trace, const trace::World& world) : trace_(trace), world_(world) {}
  [[nodiscard]] const trace::Trace& trace() const { return trace_; }
  [[nodiscard]] const trace::World& world() const { return world_; }

  /// Living objects of a kind, the oldest first.
  [[nodiscard]] std::vector<const trace::Object*> living(std::string_view kind) const;
  /// nullptr when there is no living object of that id.
  [[nodiscard]] const trace::Object* find(trace::ObjectId id) const { return world_.find(id); }
  [[nodiscard]] bool is(const trace::Object* object, std::string_view kind) const;
  [[nodiscard]] std::string name(const trace::Object* object) const;

  [[nodiscard]] bool has(const trace::Object& object, std::string_view field) const;
  [[nodiscard]] std::uint64_t value(const trace::Object& object, std::string_view field) const;
  [[nodiscard]] std::int64_t number(const trace::Object& object, std::string_view field) const {
    return static_cast<std::int64_t>(value(object, field));
  }
  /// What a pointer leads to, freed or not; nullptr for NULL.
  [[nodiscard]] const trace::Object* target(const trace::Object& object, std::string_view field) const;
  /// Name of the function or table that a field points to: "socket_file_ops".
  [[nodiscard]] std::string_view symbol(const trace::Object& object, std::string_view field) const;
  [[nodiscard]] std::string_view text(const trace::Object& object, std::string_view field) const;
  /// `member` as member_name() has it: "sk_receive_queue.list", "rdllist".
  [[nodiscard]] const std::vector<trace::Ref>& list(const trace::Object& object, std::string_view member) const;

  /// The task of a name or a process id; of several with one name the first. nullptr when there is none.
  [[nodiscard]] const trace::Object* task(std::string_view name_or_pid) const;
  /// A file by its number in the descriptor table of a task; nullptr when it is not open.
  [[nodiscard]] const trace::Object* file(const trace::Object& task, int fd) const;

 private:
  const trace::Trace& trace_;
  const trace::World& world_;
};

/// Whether the task's task_struct says that it waits (__state of include/linux/sched.h: 0 is running).
[[nodiscard]] bool sleeps(const trace::Trace& trace, const trace::World& world, trace::TaskId id);

}  // namespace wakepath::exports
