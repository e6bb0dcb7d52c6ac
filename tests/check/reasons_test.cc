// Every call of a random program that fails has a rule that says why, and every question about one has an answer that
// says something of its own.
#include <gtest/gtest.h>

#include <map>
#include <set>
#include <string>

#include "sim/export/call_text.hh"
#include "sim/export/why.hh"
#include "sim/trace/index.hh"
#include "src/proof/generator.hh"
#include "src/proof/random.hh"
#include "tests/check/random_program.hh"

namespace wakepath::check {
namespace {

/// What answers say when they have nothing to say.
bool is_empty_talk(const std::string& id) {
  return id == "error_unexplained" || id == "returned_plainly" || id == "sleeps_in";
}

/// How many calls of a name were asked about.
struct Asked {
  std::map<std::string, int> returned, blocked;
  int failed = 0;
};

void ask(const trace::Trace& trace, trace::Position from, trace::Position to, const std::string& program,
         Asked* asked) {
  for (const exports::WhyAnswer& answer : exports::why(trace, from, to)) {
    std::string name(exports::CallText(answer.call).name);
    EXPECT_FALSE(answer.lines.empty()) << program << ": " << answer.actor << ": " << answer.call;
    for (const exports::WhyLine& line : answer.lines)
      EXPECT_FALSE(is_empty_talk(line.id))
          << program << ": " << answer.actor << ": " << answer.call << " = " << answer.result << ": " << line.text;
    if (answer.kind == exports::WhyKind::kReturned) ++asked->returned[name];
    if (answer.kind == exports::WhyKind::kBlocked) ++asked->blocked[name];
    asked->failed += answer.result.starts_with("-1") ? 1 : 0;
  }
}

TEST(RandomProgramReasons, NoErrorIsWithoutARuleAndNoAnswerWithoutAReason) {
  Asked asked;
  for (std::uint64_t seed = 0; seed < 60; ++seed) {
    RandomProgram program(seed);
    ASSERT_TRUE(program.run(40).empty()) << "seed " << seed;
    const trace::Trace& trace = program.trace();
    for (trace::Position middle : {trace.size() / 2, trace.size()})
      ask(trace, middle / 2, middle, "seed " + std::to_string(seed), &asked);
  }
  EXPECT_GT(asked.failed, 500);
  int blocked = 0;
  for (const auto& [name, count] : asked.blocked) blocked += count;
  EXPECT_GT(blocked, 20);
}

/// Programs as the fuzzer makes them: TCP, UDP, AF_UNIX, pipes, eventfd, timerfd, signalfd, epoll, poll and select.
TEST(RandomProgramReasons, EachKindOfCallIsExplainedInItsOwnWords) {
  Asked asked;
  for (std::uint64_t seed = 0; seed < 60; ++seed) {
    proof::Generated made = proof::generate(proof::mix(77, seed), 40);
    trace::Index index(*made.trace);
    index.update();
    trace::Position from = 0;
    for (const trace::StepEntry& step : index.steps()) {  // asked at the ends of some steps, when all is quiet
      if (step.number % 5 != 0 && step.number != index.steps().back().number) continue;
      ask(*made.trace, from, step.end + 1, "program " + std::to_string(seed), &asked);
      from = step.end + 1;
    }
  }
  for (const char* name :
       {"accept4", "bind",    "close",  "connect",    "dup",      "epoll_ctl", "epoll_wait", "eventfd",
        "listen",  "pipe2",   "poll",   "read",       "recv",     "recvfrom",  "recvmsg",    "select",
        "send",    "sendmsg", "sendto", "setsockopt", "shutdown", "socket",    "socketpair", "timerfd_settime",
        "write"})
    EXPECT_GT(asked.returned[name], 0) << name;
  for (const char* name : {"accept4", "epoll_wait", "poll", "read", "recv"}) EXPECT_GT(asked.blocked[name], 0) << name;
}

}  // namespace
}  // namespace wakepath::check
