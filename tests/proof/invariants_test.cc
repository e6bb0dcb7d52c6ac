// What must always hold does so after every step of every story, and nothing is left when all have exited.

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "src/proof/judge.hh"
#include "src/scenario/parser.hh"
#include "tests/scenario_files.hh"

namespace wakepath::proof {
namespace {

class Invariants : public testing::TestWithParam<std::filesystem::path> {};

TEST_P(Invariants, HoldAfterEveryStep) {
  const auto parsed = scenario::parse_file(GetParam());
  JudgeOptions options;
  options.pointers = true;
  EXPECT_THAT(run_checked(std::get<scenario::Scenario>(parsed), options).complaints, testing::IsEmpty());
}

INSTANTIATE_TEST_SUITE_P(Of, Invariants, testing::ValuesIn(test::scenario_files({"/tests/scenario/stories"})),
                         test::name_of_file);

/// An epoll in an epoll: what the inner one has ready the outer one must know.
std::vector<std::string> complaints_of_nested_epolls(const std::string& mutant) {
  const auto parsed = scenario::parse("t.yaml",
                                      "wakepath: 1\n"
                                      "title: t\n"
                                      "steps:\n"
                                      "  - a: e = eventfd(0, 0) = ?\n"
                                      "  - a: inner = epoll_create1(0) = ?\n"
                                      "  - a: outer = epoll_create1(0) = ?\n"
                                      "  - a: epoll_ctl(inner, EPOLL_CTL_ADD, e, EPOLLIN) = ?\n"
                                      "  - a: epoll_ctl(outer, EPOLL_CTL_ADD, inner, EPOLLIN) = ?\n"
                                      "  - a: write(e, u64(1)) = ?\n");
  JudgeOptions options;
  options.mutant = mutant;
  return run_checked(std::get<scenario::Scenario>(parsed), options).complaints;
}

TEST(LostItem, OfAnEpollInAnEpollIsNoticed) {
  EXPECT_THAT(complaints_of_nested_epolls(""), testing::IsEmpty());
  EXPECT_THAT(complaints_of_nested_epolls("nested_not_woken"),
              testing::Contains(testing::HasSubstr("it is not on the ready list")));
}

}  // namespace
}  // namespace wakepath::proof
