#pragma once

#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "sim/trace/trace.hh"

/// A stretch of a trace as a list of events in words, and a matcher for their order.

namespace wakepath::testing_kernel {

/// A stretch of a trace: records [from, to).
struct Stretch {
  trace::Position from = 0;
  trace::Position to = 0;
};

/// One record in words.
struct Event {
  std::string what;                ///< "call", "set", "insert", "erase", "create", "free", "wake"
  std::string name;                ///< Function, "kind.member" or kind.
  std::string part_name;           ///< "kind.part.member": to tell apart members of the same name.
  std::string change;              ///< Of a set: "SYN_SENT -> ESTABLISHED"
  std::vector<std::string> stack;  ///< The open functions of the task, outermost first, with the called one.
  trace::TaskId task = 0;
  trace::Context context{};
  trace::ObjectId object = 0;
  trace::Position at = 0;
};

/// The events of a stretch, and the schema by which patterns are asked about them. Borrows the trace.
struct Events : std::vector<Event> {
  const trace::Schema* schema = nullptr;
};

[[nodiscard]] Events events_of(const trace::Trace& trace, Stretch stretch);

/// Does `event` fit? A pattern is one of
///   "call a > b > c"                the function c is entered, somewhere below b, somewhere below a
///   "set kind.member OLD -> NEW"    a member changes; the values may be left out
///   "insert kind.list", "erase kind.list", "create kind", "free kind", "wake"
/// each of which may end in " in a > b": somewhere below these functions. "kind.part.member" names a structure as well.
[[nodiscard]] bool fits(const Event& event, const std::string& pattern);

/// The part of a pattern that is no name of the schema: a misspelt function, kind or member, which would fit nothing
/// for ever. Empty when all are known.
[[nodiscard]] std::string unknown_in(const trace::Schema& schema, const std::string& pattern);

/// All patterns fit some event, in this order. Says otherwise which is the first that does not.
[[nodiscard]] testing::AssertionResult contains_in_order(const Events& events,
                                                         const std::vector<std::string>& patterns);
/// How many fit. Fails the test when the pattern has a name that the schema does not know.
[[nodiscard]] std::size_t count_of(const Events& events, const std::string& pattern);
/// The first event that fits; fails the test when there is none.
[[nodiscard]] Event first_of(const Events& events, const std::string& pattern);

}  // namespace wakepath::testing_kernel
