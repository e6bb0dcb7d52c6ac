// A run on the model that is held against this machine's kernel, as the stage opens it: the trace says so.
#include "src/scenario/compared.hh"

#include <gtest/gtest.h>

#include "sim/trace/cursor.hh"
#include "sim/trace/index.hh"
#include "src/scenario/kernel_versions.hh"
#include "src/scenario/model_machine.hh"
#include "src/scenario/parser.hh"

namespace wakepath::scenario {
namespace {

Scenario story(const std::string& text) {
  return std::get<Scenario>(parse("story.yaml", "wakepath: 1\ntitle: x\n" + text));
}

const std::string kPair =
    "steps:\n  - a: p, q = socketpair(AF_UNIX, SOCK_STREAM, 0)\n  - a: send(p, \"xy\")\n  - a: recv(q, 9)\n";

TEST(Compared, TheTraceSaysWithWhatItWasCompared) {
  if (!why_not_judged(version_table(), host_kernel()).empty()) GTEST_SKIP() << "this kernel judges nothing";
  std::shared_ptr<trace::Trace> trace;
  const Compared run = run_compared(story(kPair), {}, &trace);
  EXPECT_EQ(run.alone, "");
  EXPECT_EQ(trace->schema().compared_with, "Linux " + host_kernel().release);
  trace::Index index(*trace);
  index.update();
  EXPECT_TRUE(index.divergences().empty());
}

TEST(Compared, WhatNoKernelCanBeAskedRunsAlone) {
  std::shared_ptr<trace::Trace> trace;
  const Compared run = run_compared(story("only: model\nbecause: it says so\n" + kPair), {}, &trace);
  EXPECT_NE(run.alone, "");
  ASSERT_NE(trace, nullptr);
  EXPECT_EQ(trace->schema().compared_with, "");
}

TEST(Compared, ADifferenceStandsAtTheEndOfItsStep) {
  const Comparison other{.with = "a kernel of dreams",
                         .by_step = {{3, {{3, "ret", "2", "9"}, {3, "data", "\"xy\"", "null"}}}}};
  std::shared_ptr<trace::Trace> trace;
  RunOptions options;
  options.comparison = &other;
  run_on_model(story(kPair), options, &trace);
  trace::Index index(*trace);
  index.update();
  ASSERT_EQ(index.divergences().size(), 2U);
  const trace::Record numbers = (*trace)[index.divergences()[0]], words = (*trace)[index.divergences()[1]];
  EXPECT_EQ(trace->string(numbers.object), "ret");
  EXPECT_EQ(numbers.before, 2U);
  EXPECT_EQ(numbers.after, 9U);
  EXPECT_EQ(trace->string(words.object), "data: model \"xy\", kernel null");
  EXPECT_GT(index.divergences()[0], index.after_step(2).value());
  EXPECT_LT(index.divergences()[1], index.after_step(3).value());
}

}  // namespace
}  // namespace wakepath::scenario
