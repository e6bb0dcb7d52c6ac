// What counts of a difference, told with runs on kernels that do not run here.

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "src/proof/fuzz.hh"
#include "src/scenario/model_machine.hh"

namespace wakepath::proof {
namespace {

using Kind = Judgement::Kind;
using scenario::FileResult;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;

ProgramStep step(const std::string& function, std::vector<std::string> targets, std::vector<std::string> args) {
  return {"a", std::move(targets), function, std::move(args), "", "", false};
}

/// epoll_wait() with two mistakes at once, which older kernels see in another order; then two more calls.
Program program() {
  Program out;
  out.steps = {step("epoll_wait", {}, {"99", "0", "0"}), step("eventfd", {"e"}, {"0", "0"}), step("close", {}, {"e"})};
  return out;
}

void fails(FileResult& run, std::size_t step, const std::string& error) {
  run.entries.at(step - 1).ret = -1;
  run.entries.at(step - 1).error = error;
}
void listed(FileResult& run) { fails(run, 1, "EINVAL"); }
void unlisted(FileResult& run) { fails(run, 3, "EIO"); }
void both(FileResult& run) {
  listed(run);
  unlisted(run);
}
void nothing(FileResult& /*run*/) {}

using Changes = std::vector<std::function<void(FileResult&)>>;

/// A kernel of that release whose runs are the model's but for these changes; the last goes on for ever.
Reference made_up(const std::string& release, Changes changes) {
  Reference out;
  out.host = scenario::identify_kernel(release, "Linux version " + release);
  out.run = [changes = std::move(changes), run = std::size_t{0}](const scenario::Scenario& scenario) mutable {
    FileResult result = scenario::run_on_model(scenario, {});
    changes[std::min(run++, changes.size() - 1)](result);
    return result;
  };
  return out;
}

Judgement judged(const std::string& release, Changes changes) {
  JudgeOptions options;
  options.reference = made_up(release, std::move(changes));
  return judge(program(), options);
}

TEST(Judge, AProgramWithoutAnyDifferenceAgreesOnEveryKernel) {
  EXPECT_EQ(judged("6.1.0-18-amd64", {nothing}).kind, Kind::agrees);
  EXPECT_EQ(judged("6.12.0", {nothing}).kind, Kind::agrees);
}

TEST(Judge, AnUnlistedDifferenceFailsFrom612On) {
  const Judgement found = judged("6.12.0", {unlisted});
  EXPECT_EQ(found.kind, Kind::differs);
  EXPECT_EQ(found.fingerprint(), "close.ret");
  EXPECT_FALSE(stands(found.kind));
}

TEST(Judge, AnUnlistedDifferenceOfADebian12KernelIsReportedAndStands) {
  const Judgement found = judged("6.1.0-18-amd64", {unlisted});
  EXPECT_EQ(found.kind, Kind::not_judged);
  EXPECT_THAT(found.excused, ElementsAre(HasSubstr("step 3: not judged on 6.1.0-18-amd64")));
  EXPECT_TRUE(stands(found.kind));
}

TEST(Judge, AListedDifferenceIsCountedApartOnEveryKernelThatHasIt) {
  for (const char* release : {"6.1.0-18-amd64", "6.12.0", "6.14.3"}) {
    const Judgement found = judged(release, {listed});
    EXPECT_EQ(found.kind, Kind::listed) << release;
    EXPECT_THAT(found.excused, ElementsAre(HasSubstr("step 1: epoll-wait-descriptor-first"))) << release;
  }
  EXPECT_EQ(judged("6.18.0", {listed}).kind, Kind::differs) << "there it is mended";
}

TEST(Judge, AListedDifferenceDoesNotHideAnother) {
  const Judgement found = judged("6.12.0", {both});
  EXPECT_EQ(found.kind, Kind::differs);
  EXPECT_EQ(found.fingerprint(), "close.ret");
  EXPECT_THAT(found.excused, testing::SizeIs(1));
  EXPECT_EQ(judged("6.1.0", {both}).kind, Kind::not_judged);
}

TEST(Judge, WhatFollowsFromAListedDifferenceIsNotAskedAbout) {
  Program chain;  // built downwards: older kernels count only what is below a new epoll
  chain.steps = {step("eventfd", {"e"}, {"0", "0"}), step("close", {}, {"e"})};
  for (int i = 0; i < 7; ++i) {
    const std::string p = "p" + std::to_string(i), above = "p" + std::to_string(i - 1);
    chain.steps.push_back(step("epoll_create1", {p}, {"0"}));
    if (i > 0) {
      chain.steps.push_back(step("epoll_ctl", {}, {above, "EPOLL_CTL_ADD", p, "EPOLLIN"}));
    }
  }
  chain.steps.push_back(step("close", {}, {"p0"}));
  const std::size_t after = chain.steps.size();
  const auto allows = [](FileResult& run) {
    const auto refused = std::find_if(run.entries.begin(), run.entries.end(),
                                      [](const scenario::Entry& e) { return e.error == "ELOOP"; });
    refused->ret = 0;
    refused->error.clear();
  };
  const auto and_then = [&](FileResult& run) {
    allows(run);
    fails(run, after, "EIO");
  };
  const auto and_before = [&](FileResult& run) {
    allows(run);
    fails(run, 2, "EIO");
  };
  JudgeOptions options;
  options.reference = made_up("6.12.0", {allows});
  EXPECT_EQ(judge(chain, options).kind, Kind::listed);
  options.reference = made_up("6.12.0", {and_then});
  EXPECT_EQ(judge(chain, options).kind, Kind::listed);
  options.reference = made_up("6.12.0", {and_before});
  EXPECT_EQ(judge(chain, options).kind, Kind::differs);
}

TEST(Judge, AProgramThatAgreesOnlyInALaterRunIsUnsteady) {
  const Judgement third = judged("6.12.0", {unlisted, unlisted, nothing});
  EXPECT_EQ(third.kind, Kind::unsteady);
  EXPECT_EQ(third.fingerprint(), "close.ret") << "what the kernel did not show again";
  EXPECT_EQ(judged("6.12.0", {unlisted, unlisted, unlisted, nothing}).kind, Kind::differs);
}

TEST(Judge, WhatCannotRunSaysWhy) {
  const auto emulated = [](FileResult& run) { run.skipped = "this is gVisor"; };
  const Judgement found = judged("4.4.0", {emulated});
  EXPECT_EQ(found.kind, Kind::not_run);
  EXPECT_EQ(found.why_not, "this is gVisor");
}

// --- a series ---

FuzzReport series(const std::string& release, Changes changes) {
  FuzzOptions options;
  options.count = 6;
  options.calls = 8;
  options.jobs = 2;
  options.shrink_tries = 0;
  options.reference = made_up(release, std::move(changes));
  return fuzz(options, {[](const Failure&) {}, [](const FuzzReport&) {}});
}

/// Another errno of the first call that failed, or a failure of the first one at all.
void first_call_fails(FileResult& run) { fails(run, 1, "EIO"); }

TEST(Series, CountsApartWhatAnOldKernelDoes) {
  const FuzzReport report = series("6.1.0", {first_call_fails});
  EXPECT_EQ(report.not_judged, 6u);
  EXPECT_EQ(report.agree, 0u);
  EXPECT_TRUE(all_stand(report));
}

TEST(Series, FailsOnAJudgedKernel) {
  const FuzzReport report = series("6.12.0", {first_call_fails});
  EXPECT_EQ(report.failures.at("differs"), 6u);
  EXPECT_FALSE(all_stand(report));
}

TEST(Series, DoesNotCallUnsteadyProgramsAgreement) {
  FuzzOptions options;
  options.jobs = 1;
  options.count = 1;
  options.calls = 8;
  options.shrink_tries = 0;
  options.reference = made_up("6.12.0", {first_call_fails, nothing});
  const FuzzReport report = fuzz(options, {[](const Failure&) {}, [](const FuzzReport&) {}});
  EXPECT_EQ(report.unsteady, 1u);
  EXPECT_EQ(report.agree, 0u);
  EXPECT_TRUE(all_stand(report));
}

TEST(Series, OfThousandProgramsMustReachEverything) {
  FuzzOptions options;
  FuzzReport report;
  report.programs = 1000;
  report.coverage.programs = 1000;
  EXPECT_FALSE(reaches_enough(options, report)) << "nothing was called";
  report.programs = 999;
  EXPECT_TRUE(reaches_enough(options, report)) << "too few to tell";
  report.programs = 1000;
  options.focus = "edge";
  EXPECT_TRUE(reaches_enough(options, report)) << "it was not about everything";
}

}  // namespace
}  // namespace wakepath::proof
