// What happened over time, for other programs: a field as CSV, the calls for trace viewers.
#include "sim/export/series.hh"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <map>
#include <nlohmann/json.hpp>

#include "sim/export/layout.hh"
#include "sim/export/sequence.hh"
#include "sim/export/timeline.hh"
#include "sim/trace/index.hh"
#include "tests/export/story.hh"

namespace wakepath::exports {
namespace {

using ::testing::HasSubstr;
using ::testing::StartsWith;
using Json = nlohmann::json;

class OverTime : public ::testing::Test {
 protected:
  OverTime() : writer(story::schema()), index(writer.trace) {
    story::tell(writer);
    index.update();
  }
  Json events(trace::Position from, trace::Position to) const {
    return Json::parse(timeline_json(writer.trace, from, to)).at("traceEvents");
  }
  std::string csv(std::string_view object, std::string_view field) const {
    const auto made = field_csv(writer.trace, 0, writer.trace.size(), object, field);
    return std::holds_alternative<Csv>(made) ? std::get<Csv>(made).text : std::get<std::string>(made);
  }
  story::Writer writer;
  trace::Index index;
};

TEST_F(OverTime, AFieldHasALineForEachChangeWithWhoMadeIt) {
  const std::string text = csv("tcp_sock#1", "sk_ack_backlog");
  EXPECT_THAT(text, StartsWith("record,time_ms,step,thread,value\r\n"));
  EXPECT_THAT(text, HasSubstr(",3,client,1\r\n"));
}

TEST_F(OverTime, AListHasItsMembers) {
  EXPECT_THAT(csv("eventpoll#1", "rdllist"), HasSubstr(",3,client,[epitem#1]\r\n"));
}

TEST_F(OverTime, AnUnknownObjectOrFieldIsNamedWithWhatIsExpected) {
  EXPECT_EQ(csv("tcp_sock#77", "sk_ack_backlog"),
            "--object: found 'tcp_sock#77', expected the name of an object, such as tcp_sock#1");
  EXPECT_THAT(csv("eventpoll#1", "nothing"), StartsWith("--field: found 'nothing', expected one of eventpoll: "));
}

TEST_F(OverTime, EverySpanOfTheTimelineThatEndsHasBegunOnTheSameThread) {
  std::map<int, int> depth;
  int begun = 0;
  for (const Json& event : events(0, writer.trace.size())) {
    const std::string phase = event.at("ph");
    if (phase == "B") ++begun, ++depth[event.at("tid")];
    if (phase == "E") --depth[event.at("tid")];
    ASSERT_GE(depth[event.at("tid")], 0) << event;
  }
  EXPECT_GT(begun, 10);
}

TEST_F(OverTime, ARangeThatBeginsInsideACallHasNoLooseEnds) {
  const trace::Position wake = index.wakes().at(0).at;
  int depth = 0;
  for (const Json& event : events(wake, writer.trace.size())) {
    depth += event.at("ph") == "B" ? 1 : event.at("ph") == "E" ? -1 : 0;
    ASSERT_GE(depth, 0) << event;
  }
}

TEST_F(OverTime, AnArrowOfTheTimelineLeadsFromTheWakerToTheWoken) {
  Json from, to;
  for (const Json& event : events(0, writer.trace.size())) {
    if (event.at("ph") == "s") from = event;
    if (event.at("ph") == "f") to = event;
  }
  ASSERT_FALSE(from.is_null() || to.is_null());
  EXPECT_EQ(from.at("id"), to.at("id"));
  EXPECT_EQ(from.at("tid"), index.wakes().at(0).waker);
  EXPECT_EQ(to.at("tid"), index.wakes().at(0).woken);
}

TEST_F(OverTime, ASequenceTellsOfCallsSleepsAndWakeUpsInTheirOrder) {
  const std::string text = sequence_mermaid(writer.trace, index.steps()[1].begin, *index.after_step(3));
  EXPECT_THAT(text, StartsWith("sequenceDiagram\n  participant t1 as server\n"));
  std::size_t at = 0;
  for (const char* line : {"Note over t1: 2  epoll_wait(4, 8 events, -1)\n", "Note over t1: sleeps in epoll_wait\n",
                           "Note over t2: 3  socket(AF_INET, SOCK_STREAM, 0) = 3\n", "t2-)t1: wakes, in softirq\n",
                           "Note over t1: epoll_wait(4, 8 events, -1) = 1 [{EPOLLIN, fd 3}]\n"}) {
    at = text.find(line, at);
    ASSERT_NE(at, std::string::npos) << line << " is not, or not in its place, in\n" << text;
  }
}

TEST_F(OverTime, ASequenceOfOneStepNamesTheCallThatItEnds) {
  const std::string text = sequence_mermaid(writer.trace, index.steps()[2].begin, *index.after_step(3));
  EXPECT_THAT(text, HasSubstr("Note over t1: epoll_wait(4, 8 events, -1) = 1 [{EPOLLIN, fd 3}]\n"));
}

TEST_F(OverTime, ASequenceSaysHowMuchItLeavesOut) {
  EXPECT_THAT(sequence_mermaid(writer.trace, 0, writer.trace.size(), {.most_rows = 3}), HasSubstr("… and "));
  EXPECT_THAT(sequence_dot(writer.trace, 0, writer.trace.size(), {.most_rows = 3}), HasSubstr("… and "));
}

TEST_F(OverTime, GraphvizDrawsEveryArrowOfASequence) {
  LayoutHelper helper;
  const Picture picture = helper.layout(sequence_dot(writer.trace, 0, writer.trace.size()), LayoutFormat::kSvg);
  ASSERT_EQ(picture.error, "") << "a lost edge is an error";
  EXPECT_THAT(picture.bytes, HasSubstr(">wakes, in softirq</text>"));
}

}  // namespace
}  // namespace wakepath::exports
