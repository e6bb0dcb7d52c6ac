// The same seed makes the same program; a series of programs reaches what it must, on the model alone.

#include <gtest/gtest.h>

#include <fmt/format.h>

#include <algorithm>
#include <optional>
#include <set>
#include <stdexcept>

#include "src/proof/coverage.hh"
#include "src/proof/generator.hh"

namespace wakepath::proof {
namespace {

TEST(Generator, MakesTheSameProgramForTheSameSeed) {
  for (std::uint64_t seed = 1; seed <= 5; ++seed) {
    const std::string once = generate(seed, 40).program.yaml("p", "");
    EXPECT_EQ(once, generate(seed, 40).program.yaml("p", ""));
    EXPECT_NE(once, generate(seed + 100, 40).program.yaml("p", ""));
  }
}

TEST(Generator, DwellsOnWhatAFocusNames) {
  const std::string plain = generate(1, 25).program.yaml("p", "");
  for (const Focus& focus : focuses()) {
    EXPECT_NE(generate(std::uint64_t{1}, 25, std::string(focus.name)).program.yaml("p", ""), plain) << focus.name;
    bool dwells = focus.favoured.empty();
    for (std::uint64_t seed = 1; seed <= 5 && !dwells; ++seed) {
      const Program program = generate(seed, 25, std::string(focus.name)).program;
      dwells = std::any_of(program.steps.begin(), program.steps.end(),
                           [&](const ProgramStep& step) { return focus.favours(step.function); });
    }
    EXPECT_TRUE(dwells) << focus.name;
  }
  EXPECT_THROW(generate(1, 25, "nothing"), std::invalid_argument);
}

TEST(Generator, WritesFilesThatParse) {
  for (std::uint64_t i = 0; i < 100; ++i) {
    const Generated made = generate(mix(42, i), 40);
    EXPECT_FALSE(made.result.error) << made.result.error->text();
    const auto parsed = made.program.parsed();
    const auto* problem = std::get_if<scenario::Problem>(&parsed);
    EXPECT_EQ(problem, nullptr) << problem->text() << "\n" << made.program.yaml("p", "");
  }
}

/// All tries for a first step fail with this seed: nothing is open yet.
TEST(Generator, MakesAStepWhereNoneComesToMind) {
  const Generated made = generate(mix(20261122, 5612), 40);
  EXPECT_EQ(made.program.steps.size(), 40u);
}

TEST(Generator, MakesAsManyStepsAsItIsAskedFor) {
  for (std::uint64_t i = 0; i < 100; ++i) {
    EXPECT_EQ(generate(mix(271828, i), 10).program.steps.size(), 10u) << "program " << i;
  }
}

TEST(Generator, WritesLongFilesThatParse) {
  for (std::uint64_t i = 0; i < 60; ++i) {
    const Generated made = generate(mix(31337, i), 120);
    const auto parsed = made.program.parsed();
    const auto* problem = std::get_if<scenario::Problem>(&parsed);
    ASSERT_EQ(problem, nullptr) << "program " << i << ": " << problem->text();
  }
}

TEST(Generator, NamesAnyNumberOfProcessesSoThatAFileCan) {
  scenario::ModelMachine machine;
  World world(1, machine);
  Program program;
  std::set<std::string> names;
  for (int i = 0; i < 500; ++i) {
    const std::string name = world.new_process();
    EXPECT_TRUE(names.insert(name).second) << name;
    EXPECT_TRUE(names.insert(world.new_actor_name(name)).second) << name;
    program.steps.push_back({name, {}, "close", {"-1"}, "", "", false});
  }
  EXPECT_EQ(program.steps.front().actor, "a");
  const auto parsed = program.parsed();
  const auto* problem = std::get_if<scenario::Problem>(&parsed);
  EXPECT_EQ(problem, nullptr) << problem->text();
}

/// Whether a step lets a timer expire that has 40 ms left, or stops it; a step that ends near it is a failure.
bool lets_it_pass(const ProgramStep& step) {
  if (!step.wait.empty()) {
    EXPECT_EQ(step.wait, "70ms");
    return true;
  }
  const bool timed = step.function == "select" || step.function.find("poll") != std::string::npos ||
                     (step.function.starts_with("epoll_") && step.function.ends_with("wait"));
  if (timed) {
    for (const std::string& arg : step.args) {
      EXPECT_NE(arg, "30") << step.call();
    }
  }
  const bool stops = step.function == "timerfd_settime" && step.args[1] == "0ms";
  return stops || (timed && mentions(step.call(), "100"));
}

/// What the last step of the program that is written so gave; nothing when none is.
const scenario::Entry* last_of(const Generated& made, const std::string& call) {
  const scenario::Entry* found = nullptr;
  for (const scenario::Entry& entry : made.result.entries) found = entry.call == call ? &entry : found;
  return found;
}

/// Whether a step waited for a timer that is read as `step` was: a program goes on once it has ended.
bool waited_for_it(const Generated& made, const ProgramStep& step) {
  const scenario::Entry* entry = step.function == "read" ? last_of(made, step.call()) : nullptr;
  return entry != nullptr && entry->ret == sizeof(std::uint64_t);
}

TEST(Generator, KeepsTimersApart) {
  constexpr int kMostBetween = 4;
  int armed = 0;
  for (std::uint64_t i = 0; i < 300; ++i) {
    const Generated made = generate(mix(21, i), 40);
    std::optional<int> since;
    for (const ProgramStep& step : made.program.steps) {
      if (since && (lets_it_pass(step) || waited_for_it(made, step))) {
        since.reset();
      } else if (since) {
        EXPECT_LE(++*since, kMostBetween) << made.program.yaml("p", "");
      } else if (step.function == "timerfd_settime" && step.args[1] == "40ms") {
        const scenario::Entry* entry = last_of(made, step.call());
        since = entry != nullptr && entry->ret == 0 ? std::optional(0) : std::nullopt;
        armed += since ? 1 : 0;
      }
    }
  }
  EXPECT_GT(armed, 5);
}

TEST(Generator, ReachesWhatASeriesMustReach) {
  Coverage coverage;
  for (std::uint64_t i = 0; i < 400; ++i) {
    coverage.add(generate(mix(7, i), 40));
  }
  for (const std::string& sentence : coverage.missing()) {
    ADD_FAILURE() << sentence;
  }
  if (HasFailure()) {
    fmt::print("{}", coverage.text());
  }
}

}  // namespace
}  // namespace wakepath::proof
