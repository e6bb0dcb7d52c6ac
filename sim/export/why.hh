#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "sim/trace/trace.hh"

namespace wakepath::exports {

/// One reason, in words. `id` is stable: a rule's id (sim/kernel/rules.def) or one of assets/explain.
struct WhyLine {
  std::string id;
  std::string text;
  trace::Position at = 0;  ///< The record behind it; 0: none, it is read off the world.
  std::uint64_t step = 0;  ///< The step of that record; 0: none.
};

enum class WhyKind : std::uint8_t {
  kWoke,      ///< Why a sleeping thread woke.
  kReturned,  ///< Why a call returned what it did.
  kBlocked,   ///< Why a call did not return.
  kHandled,   ///< Why a service's callback began.
};

struct WhyAnswer {
  WhyKind kind{};
  trace::TaskId task = 0;
  std::string actor;
  std::string call;        ///< "epoll_wait(4, 8, -1)"; of kHandled: "callback on_data of service 2 begins, socket 7"
  std::string result;      ///< Of kReturned: "1 [{EPOLLIN, 3}]".
  trace::Position at = 0;  ///< The kWake, the kSyscallReturn, the note, or where the question was asked.
  std::vector<WhyLine> lines;
};

struct WhyOptions {
  std::string actor;  ///< Only about this thread; empty: about all.
  std::string language = "en";
};

/// What happened between two positions, and what did not, explained from the trace's records and their causes: every
/// wake-up, every return and every callback of a service in [from, to), and every call that has not returned at `to`.
/// Answers in the order of their records, calls that did not return last.
[[nodiscard]] std::vector<WhyAnswer> why(const trace::Trace& trace, trace::Position from, trace::Position to,
                                         const WhyOptions& options = {});

/// As text: a paragraph an answer.
[[nodiscard]] std::string why_text(const std::vector<WhyAnswer>& answers, const std::string& language = "en");
/// As JSON: {"answers": [{"kind", "actor", "call", "result", "record", "reasons": [{"id", "text", "record",
/// "step"}]}]}.
[[nodiscard]] std::string why_json(const std::vector<WhyAnswer>& answers);

}  // namespace wakepath::exports
