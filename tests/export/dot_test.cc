#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <regex>
#include <set>

#include "sim/export/dot.hh"
#include "sim/export/layout.hh"
#include "sim/export/objects.hh"
#include "sim/export/path.hh"
#include "sim/trace/cursor.hh"
#include "sim/trace/index.hh"
#include "tests/export/golden.hh"
#include "tests/export/story.hh"

namespace wakepath::exports {
namespace {

using ::testing::HasSubstr;
using ::testing::Not;

class StoryPicture : public ::testing::Test {
 protected:
  StoryPicture() : writer(story::schema()), index(writer.trace), cursor(writer.trace) {
    story::tell(writer);
    index.update();
  }
  std::string objects(std::uint64_t step, ObjectsOptions options = {}) {
    const trace::StepEntry& entry = index.steps()[step - 1];
    cursor.seek(*index.after_step(step));
    options.changed_from = entry.begin;
    options.changed_to = cursor.position();
    options.title = "step " + std::to_string(step);
    options.subtitle = writer.trace.string(entry.text);
    return objects_dot(writer.trace, cursor.world(), options);
  }
  std::string path(std::uint64_t step) {
    const trace::StepEntry& entry = index.steps()[step - 1];
    return path_dot(
        writer.trace, entry.begin, *index.after_step(step),
        {.title = "step " + std::to_string(step), .subtitle = std::string(writer.trace.string(entry.text))});
  }
  story::Writer writer;
  trace::Index index;
  trace::Cursor cursor;
};

/// Names of all nodes and edges, as the SVG titles them: `a -> b` for an edge.
std::set<std::string> nodes_and_edges(const std::string& dot) {
  std::set<std::string> out;
  const std::regex node(R"(^\s*([a-z]\d+) \[label=)");
  const std::regex edge(R"(^\s*([a-z]\d+)(?::\w+)* -> ([a-z]\d+)(?::\w+)* \[)");
  std::smatch match;
  std::istringstream in(dot);
  for (std::string line; std::getline(in, line);) {
    if (std::regex_search(line, match, node)) out.insert(match[1]);
    if (std::regex_search(line, match, edge)) out.insert(match[1].str() + "->" + match[2].str());
  }
  return out;
}

/// Whether every tag of an XML text is closed in order. Graphviz's SVG has no CDATA and no '>' in attributes.
bool tags_match(const std::string& xml) {
  std::vector<std::string> open;
  const std::regex tag(R"(<(/?)([A-Za-z][\w:]*)[^>]*?(/?)>)");
  for (std::sregex_iterator it(xml.begin(), xml.end(), tag), end; it != end; ++it) {
    if ((*it)[3].length() > 0) continue;
    if ((*it)[1].length() == 0) {
      open.push_back((*it)[2]);
    } else {
      if (open.empty() || open.back() != (*it)[2]) return false;
      open.pop_back();
    }
  }
  return open.empty();
}

/// The same names from the SVG: `<title>o1:f2&#45;&gt;o3:p0</title>` is the edge o1->o3.
std::set<std::string> titles(const std::string& svg) {
  std::set<std::string> out;
  const std::regex title(R"(<title>([a-z]\d+)(?::\w+)*(&#45;&gt;([a-z]\d+)(?::\w+)*)?</title>)");
  for (std::sregex_iterator it(svg.begin(), svg.end(), title), end; it != end; ++it)
    out.insert((*it)[2].length() == 0 ? (*it)[1].str() : (*it)[1].str() + "->" + (*it)[3].str());
  return out;
}

void expect_all_in_svg(const std::string& dot) {
  LayoutHelper helper;
  Picture svg = helper.layout(dot, LayoutFormat::kSvg);
  ASSERT_EQ(svg.error, "");
  EXPECT_TRUE(tags_match(svg.bytes));
  std::set<std::string> expected = nodes_and_edges(dot);
  EXPECT_GE(expected.size(), 10u);
  EXPECT_EQ(titles(svg.bytes), expected);
}

TEST_F(StoryPicture, OfTheObjectsInDot) {
  expect_golden("story-step2-objects.dot", objects(2));
  expect_golden("story-step3-objects.dot", objects(3));
}

TEST_F(StoryPicture, OfThePathInDot) { expect_golden("story-step3-path.dot", path(3)); }

TEST_F(StoryPicture, HasEveryNodeAndEdgeInItsSvg) {
  expect_all_in_svg(objects(3));
  expect_all_in_svg(path(3));
}

TEST_F(StoryPicture, OfObjectsShowsWhatHangsWhere) {
  std::string dot = objects(2);
  EXPECT_THAT(dot, HasSubstr("<B>server</B>"));
  EXPECT_THAT(dot, HasSubstr("TASK_INTERRUPTIBLE"));
  EXPECT_THAT(dot, HasSubstr("EP_UNACTIVE_PTR"));
  EXPECT_THAT(dot, HasSubstr("was TASK_RUNNING"));
}

TEST_F(StoryPicture, LeavesOutWhatDidNotChangeWhenThereAreTooMany) {
  std::string dot = objects(4, {.most_objects = 3});
  EXPECT_THAT(dot, HasSubstr("3 of 15 objects"));
  EXPECT_THAT(dot, HasSubstr("tcp_sock#1"));
  EXPECT_EQ(nodes_and_edges(dot).count("o1"), 0u);
}

TEST_F(StoryPicture, OfThePathNumbersItsCallsAndShowsTheWake) {
  std::string dot = path(3);
  EXPECT_THAT(dot, HasSubstr("softirq on the stack of client"));
  EXPECT_THAT(dot, HasSubstr("label=\" wakes\""));
  EXPECT_THAT(dot, HasSubstr("TCP_SYN_SENT -&gt; TCP_ESTABLISHED"));
  EXPECT_THAT(dot, Not(HasSubstr("shape=record")));
}

TEST(Path, ShowsAProgramsOwnStepsAndWhoHandedThemOver) {
  story::Writer writer(story::schema());
  const trace::TaskId server = writer.spawn("socket-server"), worker = writer.spawn("worker-1");
  writer.run(server);
  writer.log("message 1 data of socket 7 pushed to service 2, 1 waiting");
  writer.run(worker);
  writer.log("message 1 data of socket 7 taken by service 2");
  writer.log("callback on_data of service 2 begins, socket 7");
  const std::string dot = path_dot(writer.trace, 0, writer.trace.size());
  EXPECT_THAT(dot, HasSubstr("callback on_data of service 2 begins, socket 7"));
  EXPECT_THAT(dot, ::testing::ContainsRegex("b1:h[0-9]+ -> b2:h[0-9]+ .*handed over"));
}

TEST(Dot, EscapesWhatItIsGiven) {
  EXPECT_EQ(html("a<b>&\"c\""), "a&lt;b&gt;&amp;&quot;c&quot;");
  EXPECT_EQ(html("\x01\xff\xc3ok"), "???ok");
  EXPECT_EQ(html("\xc3\xa4\xc3\xb6\xc3\xbc", 2), "\xc3\xa4\xc3\xb6…");
  EXPECT_EQ(quoted("a\"b\\c\nd"), "\"a\\\"b\\\\c d\"");
}

// Words of a recording come from outside: nothing in them may break the picture.
TEST(Dot, StaysWholeWithHostileWords) {
  story::Writer writer(story::schema());
  writer.spawn("<b>&\"\xff</TABLE>>];}");
  trace::Cursor cursor(writer.trace);
  cursor.seek(writer.trace.size());
  LayoutHelper helper;
  Picture svg = helper.layout(objects_dot(writer.trace, cursor.world(), {.title = "]]>\n\"};<"}), LayoutFormat::kSvg);
  EXPECT_EQ(svg.error, "");
  EXPECT_THAT(svg.bytes, HasSubstr("&lt;b&gt;"));
}

}  // namespace
}  // namespace wakepath::exports
