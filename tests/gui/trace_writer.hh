#pragma once

#include <map>
#include <string>
#include <vector>

#include "sim/trace/trace.hh"

namespace wakepath::gui::test {

/// Appends well-formed records: keeps old values, list orders and call positions, as a recorder would.
class TraceWriter {
 public:
  explicit TraceWriter(trace::Trace& trace) : trace_(&trace) {}

  trace::TaskId task = 0;
  trace::Context context = trace::Context::kProcess;

  trace::ObjectId create(const std::string& kind);
  void destroy(trace::ObjectId object);
  void set(trace::ObjectId object, const std::string& field, std::uint64_t value);
  void point(trace::ObjectId object, const std::string& field, trace::ObjectId target, const std::string& part = "");
  void symbol(trace::ObjectId object, const std::string& field, const std::string& name);
  void text(trace::ObjectId object, const std::string& field, const std::string& words);
  /// `field` may be "part path/name" where the name alone is not unique.
  void push(trace::ObjectId object, const std::string& field, trace::ObjectId member, const std::string& part = "");
  void pull(trace::ObjectId object, const std::string& field, trace::ObjectId member, const std::string& part = "");
  void call(const std::string& function, trace::ObjectId subject = 0);
  void ret(std::int64_t result = 0);
  void enter(const std::string& function, const std::string& words);
  void leave(std::int64_t result);
  void spawn(trace::TaskId id, trace::ObjectId object);
  void run(trace::TaskId id);
  void wake(trace::TaskId id);
  void clock(std::uint64_t ns);
  void step(const std::string& words);
  void step_end();
  void note(trace::NoteKind kind, const std::string& words);
  void rule(std::uint16_t index, trace::ObjectId about);

 private:
  trace::Position add(trace::RecordKind kind, std::uint16_t field, std::uint32_t object, std::uint64_t before,
                      std::uint64_t after);
  std::uint16_t field_id(trace::ObjectId object, const std::string& name) const;
  std::uint64_t ref(trace::ObjectId object, const std::string& part) const;

  trace::Trace* trace_;
  std::vector<trace::KindId> kinds_{0};
  std::map<trace::KindId, std::uint64_t> serials_;
  std::map<std::pair<trace::ObjectId, std::uint16_t>, std::uint64_t> values_;
  std::map<std::pair<trace::ObjectId, std::uint16_t>, std::vector<std::uint64_t>> lists_;
  struct Open {
    trace::Position at;
    std::uint16_t function;
    trace::ObjectId subject;
    trace::Context context;
  };
  std::map<trace::TaskId, std::vector<Open>> stacks_;
  std::map<trace::TaskId, Open> syscalls_;
  std::map<trace::TaskId, trace::ObjectId> tasks_;
  trace::TaskId running_ = 0;
  std::uint64_t now_ = 0, step_ = 0;
};

}  // namespace wakepath::gui::test
