// Every call of a random program that fails has a rule that says why, and every question about one has an answer.
#include <gtest/gtest.h>

#include "sim/export/why.hh"
#include "tests/check/random_program.hh"

namespace wakepath::check {
namespace {

TEST(RandomProgramReasons, NoErrorIsWithoutARuleAndNoAnswerWithoutAReason) {
  std::size_t failed = 0;
  std::size_t blocked = 0;
  for (std::uint64_t seed = 0; seed < 60; ++seed) {
    RandomProgram program(seed);
    ASSERT_TRUE(program.run(40).empty()) << "seed " << seed;
    const trace::Trace& trace = program.trace();
    for (trace::Position middle : {trace.size() / 2, trace.size()}) {
      for (const exports::WhyAnswer& answer : exports::why(trace, middle / 2, middle)) {
        ASSERT_FALSE(answer.lines.empty()) << "seed " << seed << ": " << answer.actor << ": " << answer.call;
        failed += answer.result.starts_with("-1") ? 1 : 0;
        blocked += answer.kind == exports::WhyKind::kBlocked ? 1 : 0;
        for (const exports::WhyLine& line : answer.lines)
          EXPECT_NE(line.id, "error_unexplained")
              << "seed " << seed << ": " << answer.call << " = " << answer.result << ": note it with k.error()";
      }
    }
  }
  EXPECT_GT(failed, 500u);
  EXPECT_GT(blocked, 20u);
}

}  // namespace
}  // namespace wakepath::check
