// Texts of a trace: one id each, found again among many.
#include <gtest/gtest.h>

#include <set>
#include <string>

#include "sim/trace/trace.hh"

namespace wakepath::trace {
namespace {

TEST(Strings, HaveOneIdEach) {
  Trace trace{Schema{}};
  StringId first = trace.intern("epoll_wait(4, 1, 5000)");
  EXPECT_NE(first, trace.intern("epoll_wait(4, 1, 5001)"));
  EXPECT_EQ(first, trace.intern(std::string("epoll_wait(4, 1, 5000)")));
  EXPECT_EQ(trace.string(first), "epoll_wait(4, 1, 5000)");
}

TEST(Strings, TheEmptyOneIsNumberNull) {
  Trace trace{Schema{}};
  EXPECT_EQ(trace.intern(""), 0u);
  EXPECT_EQ(trace.string(0), "");
  EXPECT_EQ(trace.string_count(), 1u);
}

TEST(Strings, OfTheSameBeginningAndOfZeroBytesDiffer) {
  Trace trace{Schema{}};
  std::set<StringId> ids;
  for (std::size_t size = 1; size <= 20; ++size) ids.insert(trace.intern(std::string(size, '\0')));
  EXPECT_EQ(ids.size(), 20u);
}

TEST(Strings, AreFoundAmongMany) {
  Trace trace{Schema{}};
  constexpr int kMany = 20'000;
  for (int i = 0; i < kMany; ++i) ASSERT_EQ(trace.intern("text " + std::to_string(i)), static_cast<StringId>(i + 1));
  for (int i = 0; i < kMany; ++i) ASSERT_EQ(trace.intern("text " + std::to_string(i)), static_cast<StringId>(i + 1));
}

}  // namespace
}  // namespace wakepath::trace
