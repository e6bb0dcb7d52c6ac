// Which differences the version of the running kernel excuses, told with versions that do not run here.
#include "src/scenario/kernel_versions.hh"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>

namespace wakepath::scenario {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;

Entry failed_call(int step, const std::string& call, const std::string& error) {
  Entry entry;
  entry.step = step;
  entry.actor = "server";
  entry.call = call;
  entry.done = true;
  entry.returned_after = step;
  entry.ret = error.empty() ? 0 : -1;
  entry.error = error;
  return entry;
}

FileResult run_of(std::vector<Entry> entries, const char* machine) {
  FileResult result;
  result.file = "story.yaml";
  result.on = machine;
  result.entries = std::move(entries);
  return result;
}

HostKernel linux_of(const std::string& release) { return identify_kernel(release, "Linux version " + release); }

/// epoll_wait() on a closed descriptor with maxevents 0, and a close() that only one machine refuses.
struct Runs {
  FileResult model = run_of({failed_call(3, "n = epoll_wait(ep, 0, 0)", "EBADF")}, "model");
  FileResult kernel = run_of({failed_call(3, "n = epoll_wait(ep, 0, 0)", "EINVAL")}, "kernel");
};

TEST(KernelVersions, AListedDifferenceOfAnOlderKernelIsReportedAndDoesNotFail) {
  const Runs runs;
  const Judged judged = judge(runs.model, runs.kernel, version_table(), linux_of("6.14.3-arch1-1"));
  EXPECT_THAT(judged.failing, IsEmpty());
  EXPECT_THAT(judged.excused, ElementsAre(HasSubstr("step 3: epoll-wait-descriptor-first (before 6.15, here 6.14.3")));
}

TEST(KernelVersions, TheSameDifferenceFailsOnAKernelThatHasCaughtUp) {
  const Runs runs;
  const Judged judged = judge(runs.model, runs.kernel, version_table(), linux_of("6.15.0"));
  ASSERT_EQ(judged.failing.size(), 1u);
  EXPECT_EQ(judged.failing[0].field, "errno");
  EXPECT_THAT(judged.excused, IsEmpty());
}

TEST(KernelVersions, AnotherErrnoOfTheSameCallIsNotTheListedDifference) {
  Runs runs;
  runs.kernel.entries[0].error = "EFAULT";
  EXPECT_EQ(judge(runs.model, runs.kernel, version_table(), linux_of("6.14.0")).failing.size(), 1u);
}

TEST(KernelVersions, AnUnlistedDifferenceFailsFrom612OnAndIsReportedBelow) {
  const FileResult model = run_of({failed_call(5, "close(fd)", "")}, "model");
  const FileResult kernel = run_of({failed_call(5, "close(fd)", "EBADF")}, "kernel");
  EXPECT_EQ(judge(model, kernel, version_table(), linux_of("6.12.0")).failing.size(), 2u) << "ret and errno";
  const Judged older = judge(model, kernel, version_table(), linux_of("6.1.0-18-amd64"));
  EXPECT_THAT(older.failing, IsEmpty());
  EXPECT_THAT(older.excused, ElementsAre("step 5: not judged on 6.1.0-18-amd64, but from 6.12 on"));
}

TEST(KernelVersions, WhatIsOlderOrNotLinuxIsNotHeldAgainstTheModel) {
  EXPECT_THAT(why_not_judged(version_table(), linux_of("6.1.0-18-amd64")), HasSubstr("judged from 6.12 on"));
  EXPECT_EQ(why_not_judged(version_table(), linux_of("6.12.0")), "");
  EXPECT_THAT(why_not_judged(version_table(), identify_kernel("4.4.0", "Linux version 4.4.0 gVisor")),
              HasSubstr("gVisor"));
}

TEST(KernelVersions, ADifferenceThatCameAndWentAppliesOnlyInBetween) {
  const auto has = [](const char* release) {
    const auto known = applying(version_table(), linux_of(release).version);
    return std::any_of(known.begin(), known.end(),
                       [](const VersionDifference* d) { return d->point == "disconnect-refused-while-waiting"; });
  };
  EXPECT_FALSE(has("6.1.0"));
  EXPECT_TRUE(has("6.5.7"));
  EXPECT_FALSE(has("6.6.0"));
}

TEST(KernelVersions, ARunAgainstItsFileIsExcusedInTheSameWay) {
  FileResult run = run_of({failed_call(3, "epoll_wait(ep, 0, 0)", "EINVAL")}, "kernel");
  run.entries[0].expected = false;
  run.ok = false;
  FileResult newest = run;
  excuse(run, version_table(), linux_of("6.14.0"));
  EXPECT_TRUE(run.ok);
  EXPECT_THAT(run.notes, ElementsAre(HasSubstr("epoll-wait-descriptor-first")));
  excuse(newest, version_table(), linux_of("6.18.44"));
  EXPECT_FALSE(newest.ok);
  EXPECT_THAT(newest.notes, IsEmpty());
}

TEST(KernelVersions, WhatOnlyLooksLikeLinuxIsNotJudged) {
  EXPECT_THAT(identify_kernel("4.4.0", "Linux version 4.4.0 #1 SMP Sun Jan 10 15:06:54 PST 2016").not_linux,
              HasSubstr("gVisor"));
  EXPECT_THAT(identify_kernel("4.19.0-gvisor", "Linux version 4.19.0-gvisor").not_linux, HasSubstr("gVisor"));
  EXPECT_THAT(identify_kernel("4.4.0-19041-Microsoft",
                              "Linux version 4.4.0-19041-Microsoft (Microsoft@Microsoft.com) (gcc version 5.4.0)")
                  .not_linux,
              HasSubstr("WSL 1"));
  EXPECT_EQ(identify_kernel("5.15.90.1-microsoft-standard-WSL2",
                            "Linux version 5.15.90.1-microsoft-standard-WSL2 (oe-user@oe-host)")
                .not_linux,
            "")
      << "WSL 2 runs Linux itself";
  EXPECT_EQ(linux_of("6.1.0-18-amd64").not_linux, "");
  EXPECT_EQ(linux_of("6.1.0-18-amd64").version, (KernelVersion{6, 1}));
}

TEST(KernelVersions, EveryEntryOfTheTableSaysWhereAndSince) {
  EXPECT_GE(version_table().differences.size(), 5u);
  EXPECT_EQ(version_table().judged_from, (KernelVersion{6, 12}));
  for (const VersionDifference& d : version_table().differences) {
    EXPECT_THAT(d.source, HasSubstr(".c, ")) << d.point;
    EXPECT_THAT(d.source, HasSubstr("commit")) << d.point;
    EXPECT_GT(d.first, (KernelVersion{6, 1})) << d.point;
    EXPECT_LE(d.first, (KernelVersion{6, 18})) << d.point;
    EXPECT_FALSE(d.calls.empty()) << d.point;
    EXPECT_EQ(d.model_errno.empty(), d.kernel_errno.empty()) << d.point;
  }
  EXPECT_THAT(applying(version_table(), {6, 18}), IsEmpty()) << "the model follows 6.18";
}

TEST(KernelVersions, ATableThatIsWrongSaysWhere) {
  try {
    read_version_table("t.yaml", "judged_from: \"6.12\"\ndifferences:\n  - point: x\n    first: six\n");
    FAIL() << "it was read";
  } catch (const ParseFailure& failure) {
    EXPECT_EQ(failure.problem.text(), "t.yaml:4:12: found 'six', expected a version such as 6.12");
  }
}

}  // namespace
}  // namespace wakepath::scenario
