// Files that start services: the same socket-server, with its threads, beside the actors of the modelled kernel and of
// the running one.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <filesystem>
#include <fstream>

#include "sim/check/check.hh"
#include "sim/trace/cursor.hh"
#include "sim/trace/trace.hh"
#include "src/scenario/json_output.hh"
#include "src/scenario/kernel_run.hh"
#include "src/scenario/kernel_versions.hh"
#include "src/scenario/model_machine.hh"
#include "src/scenario/parser.hh"
#include "src/scenario/text_output.hh"
#include "tests/os/recording.hh"
#include "tests/scenario_files.hh"
#include "tests/temporary_folder.hh"

namespace wakepath::scenario {
namespace {

namespace fs = std::filesystem;
using testing::HasSubstr;
using testing::IsEmpty;

std::vector<fs::path> stories() { return test::scenario_files({"/tests/scenario/services"}); }

/// Asks after every step whether all is as it must be.
class WatchedModel : public ModelMachine {
 public:
  void end_step(const Step& step) override {
    ModelMachine::end_step(step);
    EXPECT_THAT(check::check_invariants(*kernel()), IsEmpty()) << "after step " << step.number;
  }
};

class Served : public testing::TestWithParam<fs::path> {
 protected:
  void SetUp() override {
    auto parsed = parse_file(GetParam().string());
    ASSERT_TRUE(std::holds_alternative<Scenario>(parsed)) << std::get<Problem>(parsed).text();
    scenario_ = std::get<Scenario>(std::move(parsed));
  }
  std::string report(const FileResult& result) const { return text_report(scenario_, result, {}); }
  Scenario scenario_;
};

TEST_P(Served, ItsClientsHearOnTheModelWhatTheFileSays) {
  WatchedModel machine;
  const FileResult model = run(scenario_, machine, RunOptions{});
  EXPECT_TRUE(model.ok) << report(model);
}

TEST_P(Served, ItsClientsHearTheSameOnTheRunningKernel) {
  const FileResult kernel = run_on_kernel(scenario_, {});
  if (kernel.skipped) {
    GTEST_SKIP() << *kernel.skipped;
  }
  EXPECT_TRUE(kernel.ok) << report(kernel);
  const FileResult model = run_on_model(scenario_, {});
  EXPECT_TRUE(judge(model, kernel).failing.empty()) << text_comparison(model, kernel, {});
}

TEST_P(Served, ItLeavesTheSameTraceEachTime) {
  std::shared_ptr<trace::Trace> first, second;
  run_on_model(scenario_, {}, &first);
  run_on_model(scenario_, {}, &second);
  EXPECT_GT(first->size(), 1000u);
  EXPECT_TRUE(os::everything(*first) == os::everything(*second));
}

TEST_P(Served, ItCanBeSteppedForwardAndBack) {
  std::shared_ptr<trace::Trace> trace;
  run_on_model(scenario_, {}, &trace);
  std::vector<trace::Position> ends;
  std::vector<trace::World> on_the_way;
  trace::Cursor cursor(*trace);
  for (trace::Position at = 0; at < trace->size(); ++at) {
    if ((*trace)[at].kind != trace::RecordKind::kStepEnd) continue;
    cursor.seek(at + 1);
    ends.push_back(at + 1);
    on_the_way.push_back(cursor.world());
  }
  ASSERT_EQ(ends.size(), scenario_.steps.size());
  for (size_t i = ends.size(); i-- > 0;) {
    cursor.seek(ends[i]);
    EXPECT_EQ(cursor.world(), on_the_way[i]) << "step " << i + 1;
  }
}

INSTANTIATE_TEST_SUITE_P(ScenarioServices, Served, testing::ValuesIn(stories()), test::name_of_file);

FileResult on_model(const std::string& text, std::shared_ptr<trace::Trace>* trace = nullptr) {
  auto parsed = parse(WAKEPATH_SOURCE_DIR "/tests/scenario/services/story.yaml", "wakepath: 1\ntitle: t\n" + text);
  if (const auto* problem = std::get_if<Problem>(&parsed)) {
    ADD_FAILURE() << problem->text();
    return {};
  }
  return run_on_model(std::get<Scenario>(parsed), {}, trace);
}

std::string problem_of(const std::string& text) {
  const auto parsed = parse("dir/story.yaml", "wakepath: 1\ntitle: t\n" + text);
  const auto* problem = std::get_if<Problem>(&parsed);
  return problem != nullptr ? problem->text() : "";
}

constexpr const char* kSay = "steps:\n  - say: x\n";

TEST(ScenarioServices, WhatIsWrongWithOneIsAnErrorOfTheFile) {
  const std::string steps = kSay;
  EXPECT_EQ(problem_of("services:\n  talk: {type: ecko, listen: 127.0.0.1:0}\n" + steps),
            "dir/story.yaml:4:16: found 'ecko', expected echo, gate or a .lua file (did you mean echo?)");
  EXPECT_EQ(problem_of("services:\n  talk: {type: none.lua, listen: 127.0.0.1:0}\n" + steps),
            "dir/story.yaml:4:16: found no file that can be read at dir/none.lua, expected a file of Lua, seen from "
            "the folder of this file");
  EXPECT_EQ(problem_of("services:\n  talk: {type: echo, listen: 127.0.0.1}\n" + steps),
            "dir/story.yaml:4:39: found the end of the step, expected ':' and a port");
  EXPECT_EQ(problem_of("services:\n  talk: {type: echo, listen: \"unix:@x\"}\n" + steps),
            "dir/story.yaml:4:31: found 'unix:@x', expected an address of IPv4 or IPv6 such as 127.0.0.1:0");
  EXPECT_EQ(problem_of("services:\n  talk: {type: echo}\n" + steps),
            "dir/story.yaml:4:9: found no key 'listen', expected that key, which is required");
}

TEST(ScenarioServices, NamesAreThoseOfNobodyElse) {
  const std::string top = "services:\n  talk: {type: echo, listen: 127.0.0.1:0}\nsteps:\n";
  EXPECT_EQ(problem_of(top + "  - talk: s = socket(AF_INET, SOCK_STREAM, 0)\n"),
            "dir/story.yaml:4:3: found the service 'talk', a name that an actor has, expected a name of its own for "
            "the service");
  EXPECT_EQ(problem_of(top + "  - a: talk = socket(AF_INET, SOCK_STREAM, 0)\n"),
            "dir/story.yaml:4:3: found the service 'talk', a name that a binds in step 1, expected a name of its own "
            "for the service");
  EXPECT_EQ(problem_of(top + "  - services: s = socket(AF_INET, SOCK_STREAM, 0)\n"),
            "dir/story.yaml:6:5: found the name 'services', expected another one: that is the process of the services");
  EXPECT_EQ(problem_of(top + "  - a: s = socket(AF_INET, SOCK_STREAM, 0)\n  - a: connect(s, addr(tolk)) = 0\n"),
            "dir/story.yaml:7:19: found 'tolk', expected a name that a process has bound (did you mean talk?)");
}

TEST(ScenarioServices, AScriptThatDoesNotStartIsAnErrorOfTheFile) {
  const FileResult result = on_model(std::string("services:\n  bad: {type: bad.lua, listen: 127.0.0.1:0}\n") + kSay);
  ASSERT_TRUE(result.error);
  EXPECT_THAT(result.error->text(), HasSubstr("story.yaml:4:3: the service 'bad' does not start: "));
  EXPECT_THAT(result.error->text(), HasSubstr("bad.lua:2: no such luck"));
}

TEST(ScenarioServices, AScriptListensWhereTheFileSays) {
  const FileResult result = on_model(std::string("services:\n  up: {type: upper.lua, listen: 127.0.0.2:0}\n") + kSay);
  ASSERT_TRUE(result.error);
  EXPECT_THAT(result.error->text(),
              HasSubstr("story.yaml:4:33: the service 'up' listens at 127.0.0.1:32769, not at 127.0.0.2:0"));
}

/// The lines of an epoll's interest list, without the numbers of files, by which the kernel orders them.
std::vector<std::string> interest_list(const fs::path& fdinfo) {
  std::vector<std::string> out;
  std::ifstream in(fdinfo);
  for (std::string line; std::getline(in, line);) {
    if (line.starts_with("tfd:")) out.push_back(line.substr(0, line.find(" pos:")));
  }
  std::sort(out.begin(), out.end());
  return out;
}

TEST(ScenarioServices, TheServerWaitsForTheSameDescriptorsOnBothMachines) {
  auto parsed = parse_file(WAKEPATH_SOURCE_DIR "/scenarios/from-queue-to-callback.yaml");
  const Scenario scenario = std::get<Scenario>(std::move(parsed));
  const test::TemporaryFolder folder;
  const FileResult kernel = run_on_kernel(scenario, {.views = folder / "kernel"});
  if (kernel.skipped) {
    GTEST_SKIP() << *kernel.skipped;
  }
  ASSERT_TRUE(run_on_model(scenario, {.views = folder / "model"}).ok);
  const std::vector<std::string> list = interest_list(folder / "kernel/chain/socket-server/fdinfo-3");
  EXPECT_EQ(list.size(), 3u) << "the control pipe, the listener, the connection";
  EXPECT_EQ(interest_list(folder / "model/chain/socket-server/fdinfo-3"), list);
}

TEST(ScenarioServices, TheirOwnStepsStandInTheTraceInTheOrderOfThePath) {
  std::shared_ptr<trace::Trace> trace;
  const FileResult result = on_model(R"(services:
  talk: {type: echo, listen: 127.0.0.1:0}
steps:
  - a: s = socket(AF_INET, SOCK_STREAM, 0)
  - a: connect(s, addr(talk)) = 0
  - a: 'send(s, "hello") = 5'
  - a: 'recv(s, 100) = 5 "hello"'
)",
                                     &trace);
  EXPECT_TRUE(result.ok);
  std::vector<std::string> notes;
  uint64_t step = 0;
  for (trace::Position at = 0; at < trace->size(); ++at) {
    const trace::Record r = (*trace)[at];
    if (r.kind == trace::RecordKind::kStep) step = r.after;
    if (r.kind == trace::RecordKind::kNote && step == 3) notes.emplace_back(trace->string(r.object));
  }
  EXPECT_THAT(notes, testing::ElementsAre("message 5 data of socket 2 pushed to service 1, 1 waiting",
                                          "message 5 data of socket 2 taken by service 1",
                                          "callback on_data of service 1 begins, socket 2",
                                          "socket 2: 5 of 5 bytes sent by the caller, 0 wait",
                                          "callback on_data of service 1 ends, socket 2"));
}

}  // namespace
}  // namespace wakepath::scenario
