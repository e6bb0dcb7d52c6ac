#include <gtest/gtest.h>

#include <algorithm>
#include <nlohmann/json.hpp>

#include "src/scenario/json_output.hh"
#include "src/scenario/text_output.hh"

namespace wakepath::scenario {
namespace {

FileResult example() {
  FileResult r;
  r.file = "accept.yaml";
  r.on = "model";
  Entry wait;
  wait.step = 6;
  wait.at = {11, 5};
  wait.actor = "server";
  wait.call = "epoll_wait(ep, 8, -1)";
  wait.done = true;
  wait.returned_after = 10;
  wait.ret = 1;
  wait.events = {{ShownEvent{"EPOLLIN", "lfd"}}};
  r.entries.push_back(wait);
  return r;
}

/// Single quotes stand for double ones, so that JSON can be read in a test.
std::string quoted(std::string text) {
  std::replace(text.begin(), text.end(), '\'', '"');
  return text;
}

TEST(ScenarioJson, IsTheObjectOfTheFormat) {
  const std::string wanted =
      "{'wakepath':1,'file':'accept.yaml','on':'model','ok':true,'steps':[{'step':6,'line':11,'actor':'server',"
      "'call':'epoll_wait(ep, 8, -1)','state':'done','returned_after':10,'ret':1,'errno':null,'data':null,"
      "'events':[{'events':'EPOLLIN','data':'lfd'}],'expected':true}]}";
  EXPECT_EQ(to_json(example()).dump(), quoted(wanted));
}

TEST(ScenarioJson, ComesBackAsItWas) {
  FileResult r = example();
  Entry e = r.entries[0];
  e.ret = -1;
  e.error = "EAGAIN";
  e.events.reset();
  e.data = std::string("a\x80\xff\0", 4);
  e.address = "127.0.0.1:?1";
  e.value = {1, 0};
  e.fds = {3, 4};
  e.expected = false;
  e.failed_at = 12;
  r.entries.push_back(e);
  Entry blocked = example().entries[0];
  blocked.done = false;
  blocked.returned_after.reset();
  blocked.ret.reset();
  r.entries.push_back(blocked);
  Entry statement;
  statement.step = 7;
  statement.expect = "a.error == 0";
  statement.truth = Entry::Truth::unobservable;
  r.entries.push_back(statement);
  const std::string text = to_json(r).dump();
  const FileResult back = from_json(nlohmann::json::parse(text));
  EXPECT_EQ(to_json(back).dump(), text);
  EXPECT_EQ(back.entries[1].data, e.data);
  const std::string ascii = to_json(r).dump(-1, ' ', true);
  EXPECT_NE(ascii.find("a\\u0080\\u00ff\\u0000"), std::string::npos) << ascii;
}

TEST(ScenarioJson, TellsWhereAFileIsWrong) {
  const Problem problem{"x.yaml", {3, 9}, "EPOLIN", "an epoll event (did you mean EPOLLIN?)"};
  const std::string wanted =
      "{'wakepath':1,'file':'x.yaml','error':{'line':3,'column':9,'found':'EPOLIN',"
      "'expected':'an epoll event (did you mean EPOLLIN?)'}}";
  EXPECT_EQ(to_json(problem).dump(), quoted(wanted));
}

TEST(ScenarioJson, ComparesTheMachinesFieldByField) {
  const FileResult model = example();
  FileResult kernel = example();
  kernel.on = "kernel";
  EXPECT_TRUE(differences(model, kernel).empty());
  kernel.entries[0].ret = 0;
  const std::string wanted =
      "{'wakepath':1,'file':'accept.yaml','on':'both','ok':false,"
      "'differences':[{'step':6,'field':'ret','model':1,'kernel':0}]}";
  EXPECT_EQ(comparison(model, kernel).dump(), quoted(wanted));
}

TEST(ScenarioJson, AnEntryThatOneMachineLacksIsADifference) {
  FileResult kernel = example();
  kernel.entries.clear();
  EXPECT_EQ(differences(example(), kernel).size(), 1u);
}

TEST(ScenarioText, WritesResultsAsAFileWould) {
  Entry e = example().entries[0];
  EXPECT_EQ(result_text(e), "1 [{EPOLLIN, lfd}]");
  e.events.reset();
  e.data = "a\n\"";
  EXPECT_EQ(result_text(e), "1 \"a\\n\\\"\"");
  e.data.reset();
  e.ret = -1;
  e.error = "EAGAIN";
  EXPECT_EQ(result_text(e), "-1 EAGAIN");
  e.ret.reset();
  EXPECT_EQ(result_text(e), "blocks");
}

TEST(ScenarioJunit, CountsAndEscapes) {
  const std::string report = junit_report({{"a.yaml", "kernel", "", "", ""},
                                           {"b.yaml", "kernel", "1 < 2", "", ""},
                                           {"c.yaml", "kernel", "", "", "no 'such' & thing"}});
  EXPECT_NE(report.find(quoted("tests='3' failures='1' errors='0' skipped='1'")), std::string::npos);
  EXPECT_NE(report.find("1 &lt; 2"), std::string::npos);
  EXPECT_NE(report.find("no 'such' &amp; thing"), std::string::npos);
}

}  // namespace
}  // namespace wakepath::scenario
