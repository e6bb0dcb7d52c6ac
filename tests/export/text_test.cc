#include "sim/export/text.hh"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "sim/trace/index.hh"
#include "tests/export/golden.hh"
#include "tests/export/story.hh"

namespace wakepath::exports {
namespace {

using ::testing::HasSubstr;
using ::testing::Not;

class CallTree : public ::testing::Test {
 protected:
  CallTree() : writer(story::schema()), index(writer.trace) {
    story::tell(writer);
    index.update();
  }
  std::string step(std::size_t number, const TreeOptions& options = {}) {
    return call_tree(writer.trace, index.steps()[number - 1].begin, *index.after_step(number), options);
  }
  story::Writer writer;
  trace::Index index;
};

TEST_F(CallTree, OfTheWholeStory) { expect_golden("story.tree", call_tree(writer.trace, 0, writer.trace.size())); }

TEST_F(CallTree, OfAStepWithEveryField) { expect_golden("connect-fields.tree", step(3, {.fields = true})); }

TEST_F(CallTree, WithoutFoldingHasALineForEachCall) {
  std::string tree = step(4, {.fold = false});
  EXPECT_THAT(tree, Not(HasSubstr(" > ")));
  EXPECT_THAT(tree, HasSubstr("      do_accept(file#1) = -11\n"));
}

TEST_F(CallTree, ShowsWhereASleeperComesBackTo) {
  EXPECT_THAT(step(2), HasSubstr("* server sleeps; idle runs\n"));
  EXPECT_THAT(step(3), HasSubstr("server  syscall  ... epoll_wait(4, 8 events, -1) = 1 [{EPOLLIN, fd 3}]\n"
                                 "server  process    ... __x64_sys_epoll_wait > do_epoll_wait(eventpoll#1)\n"
                                 "server  process      ep_send_events\n"));
}

TEST_F(CallTree, OfARangeThatBeginsInTheMiddleNamesWhatItIsInside) {
  trace::Position wake = index.wakes().at(0).at;
  std::string tree = call_tree(writer.trace, wake, wake + 1);
  EXPECT_THAT(tree, HasSubstr("client  syscall  ... connect(3, 127.0.0.1:7000) ...\n"));
  EXPECT_THAT(tree, HasSubstr("client  softirq"));
  EXPECT_THAT(tree, HasSubstr("* wakes server\n"));
}

TEST_F(CallTree, IsEmptyWhereNothingHappened) {
  EXPECT_EQ(call_tree(writer.trace, 5, 5), "");
  EXPECT_EQ(call_tree(writer.trace, 9, 3), "");
  EXPECT_EQ(call_tree(writer.trace, ~trace::Position{0}, ~trace::Position{0}), "");
}

TEST_F(CallTree, SaysADivergenceAloud) {
  writer.trace.append({.kind = trace::RecordKind::kDivergence,
                       .object = writer.trace.intern("result of recv"),
                       .task = 1,
                       .before = 5,
                       .after = static_cast<std::uint64_t>(-11)});
  writer.trace.append(
      {.kind = trace::RecordKind::kPeer, .object = writer.trace.intern("3 bytes, seen in recv"), .task = 1});
  std::string tree = call_tree(writer.trace, writer.trace.size() - 2, writer.trace.size());
  EXPECT_EQ(tree,
            "server  process  * DIVERGENCE: result of recv: model 5, kernel -11\n"
            "server  process  * peer: 3 bytes, seen in recv\n");
}

}  // namespace
}  // namespace wakepath::exports
