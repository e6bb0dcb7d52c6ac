#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "sim/trace/trace.hh"
#include "sim/trace/world.hh"

/// A small trace with Linux's names, written by hand: a server waits in epoll_wait, a client connects and wakes it, the
/// server accepts. The paths are shortened; the shapes are those of the kernel.

namespace wakepath::exports::story {

/// Writes records the way a producer does, with old values taken from the world so far.
class Writer {
 public:
  explicit Writer(trace::Schema schema) : trace(std::move(schema)) {}

  trace::ObjectId create(std::string_view kind);
  void destroy(trace::ObjectId object);
  void set(trace::ObjectId object, std::string_view field, std::uint64_t value);
  void set(trace::ObjectId object, std::string_view field, trace::Ref ref) { set(object, field, ref.packed()); }
  void push(trace::ObjectId object, std::string_view list, trace::Ref member);  ///< at the end
  void pull(trace::ObjectId object, std::string_view list, trace::Ref member);
  void call(std::string_view function, trace::ObjectId subject = 0);
  void leave(std::int64_t result = 0);
  void syscall(std::string_view entry, std::string_view text);
  void leave_syscall(std::int64_t result, std::string_view text);
  trace::TaskId spawn(std::string_view comm);
  void run(trace::TaskId task);
  void wake(trace::TaskId task);
  void clock(std::uint64_t now);
  void step(std::string_view text);
  void step_end();
  void mark(std::string_view name);
  void log(std::string_view words);
  void rule(std::uint16_t index);
  trace::Ref part(trace::ObjectId object, std::string_view type) const;

  trace::Trace trace;
  trace::Context context{};
  trace::TaskId task = 0;

 private:
  trace::Position add(trace::Record record);
  trace::FieldId field_of(trace::ObjectId object, std::string_view name) const;
  trace::FunctionId function(std::string_view name) const;

  trace::World world_;
  std::vector<std::uint64_t> serials_;
  std::uint64_t step_ = 0;
};

[[nodiscard]] trace::Schema schema();

/// Steps 1 (sockets and epoll), 2 (the server sleeps in epoll_wait), 3 (the client connects and wakes it), 4 (accept4).
void tell(Writer& to);

}  // namespace wakepath::exports::story
