// Each scenario of the course on the modelled kernel: as the file says, the same as on the running kernel, the same
// again, and with the calls inside the kernel that its golden tree shows.

#include <gtest/gtest.h>
#include <unistd.h>

#include <algorithm>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <sstream>

#include "sim/export/text.hh"
#include "sim/trace/file.hh"
#include "src/scenario/json_output.hh"
#include "src/scenario/kernel_run.hh"
#include "src/scenario/kernel_versions.hh"
#include "src/scenario/model_machine.hh"
#include "src/scenario/parser.hh"
#include "src/scenario/text_output.hh"
#include "tests/scenario_files.hh"

namespace wakepath::scenario {
namespace {

namespace fs = std::filesystem;

// Beside the course: what the modelled wire does, which the running kernel cannot show.
std::vector<fs::path> scenario_files() { return test::scenario_files({"/scenarios", "/tests/scenario/wire"}); }

std::string contents(const fs::path& path) {
  std::stringstream text;
  text << std::ifstream(path, std::ios::binary).rdbuf();
  return text.str();
}

constexpr std::ptrdiff_t kMostLines = 600;

/// The calls of a scenario: all of them, or, where those are very many, of the steps that the file points at by `focus`
/// or `label`. What the others do stands in the trees of shorter files.
std::string golden_tree(const Scenario& scenario, const trace::Trace& trace) {
  const auto pointed_at = [](const Step& step) { return !step.focus.empty() || !step.label.empty(); };
  std::string whole = exports::call_tree(trace, 0, trace.size());
  if (std::count(whole.begin(), whole.end(), '\n') <= kMostLines ||
      std::none_of(scenario.steps.begin(), scenario.steps.end(), pointed_at))
    return whole;
  std::string chosen;
  trace::Position begin = 0;
  for (trace::Position at = 0; at < trace.size(); ++at) {
    if (trace[at].kind == trace::RecordKind::kStep) begin = at;
    if (trace[at].kind != trace::RecordKind::kStepEnd) continue;
    if (pointed_at(scenario.steps.at(static_cast<std::size_t>(trace[at].after) - 1)))
      chosen += exports::call_tree(trace, begin, at + 1) + "\n";
  }
  return chosen;
}

class OnTheModel : public testing::TestWithParam<fs::path> {
 protected:
  void SetUp() override {
    auto parsed = parse_file(GetParam().string());
    ASSERT_TRUE(std::holds_alternative<Scenario>(parsed)) << std::get<Problem>(parsed).text();
    scenario_ = std::get<Scenario>(std::move(parsed));
    result_ = run_on_model(scenario_, {}, &trace_);
    ASSERT_TRUE(trace_) << *result_.skipped;
  }

  Scenario scenario_;
  FileResult result_;
  std::shared_ptr<trace::Trace> trace_;
};

TEST_P(OnTheModel, EveryStepIsAsTheFileSays) { EXPECT_TRUE(result_.ok) << text_report(scenario_, result_, {}); }

TEST_P(OnTheModel, AgreesWithTheRunningKernel) {
  const FileResult kernel = run_on_kernel(scenario_, {});
  if (kernel.skipped) {
    GTEST_SKIP() << *kernel.skipped;
  }
  EXPECT_TRUE(judge(result_, kernel).failing.empty()) << text_comparison(result_, kernel, {});
}

TEST_P(OnTheModel, TheSameScenarioGivesTheSameBytes) {
  std::shared_ptr<trace::Trace> again;
  run_on_model(scenario_, {}, &again);
  const fs::path folder = fs::temp_directory_path();
  const std::string name = GetParam().stem().string() + std::to_string(getpid());
  const fs::path first = folder / (name + "-1.wkp");
  const fs::path second = folder / (name + "-2.wkp");
  trace::FileWriter(*trace_, first).close();
  trace::FileWriter(*again, second).close();
  EXPECT_GT(fs::file_size(first), 1000u);
  EXPECT_TRUE(contents(first) == contents(second));
  fs::remove(first);
  fs::remove(second);
}

TEST_P(OnTheModel, TakesThePathsOfItsGoldenTree) {
  const std::string tree = golden_tree(scenario_, *trace_);
  const fs::path path = fs::path(WAKEPATH_SOURCE_DIR "/tests/golden/scenario") / (GetParam().stem().string() + ".tree");
  if (const char* again = std::getenv("WAKEPATH_REGOLD"); again != nullptr && *again == '1') {
    fs::create_directories(path.parent_path());
    std::ofstream(path, std::ios::binary) << tree;
    GTEST_SKIP() << "wrote " << path;
  }
  EXPECT_EQ(tree, contents(path)) << path
                                  << " differs; if the change is meant: WAKEPATH_REGOLD=1, look at the diff, say why";
}

INSTANTIATE_TEST_SUITE_P(Scenario, OnTheModel, testing::ValuesIn(scenario_files()), test::name_of_file);

/// What a small story gives on the model.
FileResult model(const std::string& steps, const std::string& top = "") {
  auto parsed = parse("story.yaml", "wakepath: 1\ntitle: t\n" + top + "steps:\n" + steps);
  if (const auto* problem = std::get_if<Problem>(&parsed)) {
    ADD_FAILURE() << problem->text();
    return {};
  }
  return run_on_model(std::get<Scenario>(parsed), {});
}

TEST(ScenarioModel, DoesNotRunWhatItDoesNotKnow) {
  const FileResult raw = model("  - a: s = socket(AF_INET, SOCK_RAW, 0)\n");
  EXPECT_EQ(raw.skipped, "the model does not know SOCK_RAW yet (step 1)");
  EXPECT_TRUE(raw.unavailable);
  EXPECT_EQ(model("  - say: x\n", "kernel: {net.ipv4.tcp_sack: 0}\n").skipped,
            "the model does not know net.ipv4.tcp_sack: 0 yet");
}

TEST(ScenarioModel, LetsACallFailAsOftenAsAFaultSays) {
  const FileResult result = model(R"(  - fault: {actor: a, call: socket, error: EMFILE, times: 2}
  - a: e = eventfd(0, 0) = 3
  - a: s = socket(AF_INET, SOCK_STREAM, 0) = -1 EMFILE
  - b: s = socket(AF_INET, SOCK_STREAM, 0) = 3
  - a: s = socket(AF_INET, SOCK_STREAM, 0) = -1 EMFILE
  - a: s = socket(AF_INET, SOCK_STREAM, 0) = 4
)");
  EXPECT_TRUE(result.ok);
}

// Linux 6.18 does not sleep here: it looks again and again until something comes, so that it cannot be compared.
TEST(ScenarioModel, SleepsWhereThePeekOfTheRunningKernelSpins) {
  EXPECT_TRUE(model(R"(  - a: x, y = socketpair(AF_UNIX, SOCK_STREAM, 0)
  - a: thread(a2)
  - a: 'send(x, "a", MSG_OOB) = 1'
  - a: 'recv(y, 8, MSG_OOB) = 1 "a"'
  - a: 'send(x, "b", MSG_OOB) = 1'
  - a2: recv(y, 8, MSG_PEEK) = blocks
  - a: 'send(x, "c") = 1'
  - a2: 'returns 1 "c"'
)")
                  .ok);
}

TEST(ScenarioModel, ReadsItsOwnFieldsAfterTheWordModel) {
  const FileResult result = model(R"(  - server: lfd = socket(AF_INET, SOCK_STREAM, 0)
  - server: bind(lfd, 127.0.0.1:0) = 0
  - server: listen(lfd, 5) = 0
  - expect: model.lfd.sk.sk_max_ack_backlog == 5
  - expect: model.lfd.sk.sk_max_ack_backlog == 6
)");
  EXPECT_EQ(result.entries[3].truth, Entry::Truth::yes);
  EXPECT_EQ(result.entries[4].truth, Entry::Truth::no);
}

TEST(ScenarioModel, AFieldThatItDoesNotHaveIsAnErrorOfTheFile) {
  const FileResult result = model("  - a: s = socket(AF_INET, SOCK_STREAM, 0)\n  - expect: model.s.sk.no_such == 1\n");
  ASSERT_TRUE(result.error);
  EXPECT_EQ(result.error->text(), "story.yaml:5:13: found 'no_such', expected a field of tcp_sock");
}

TEST(ScenarioModel, TimePassesOnlyWhereTheFormatSaysSo) {
  const FileResult result = model(R"(  - server: r, w = pipe2(0)
  - server: ep = epoll_create1(0)
  - server: epoll_ctl(ep, EPOLL_CTL_ADD, r, EPOLLIN) = 0
  - server: epoll_wait(ep, 8, 50) = 0 []
  - server: epoll_wait(ep, 8, 50) = blocks
  - wait: 20ms
  - server: returns 0 []
)");
  EXPECT_TRUE(result.ok);
  EXPECT_EQ(result.entries[3].returned_after, 4);
  EXPECT_EQ(result.entries[4].returned_after, 7);
}

}  // namespace
}  // namespace wakepath::scenario
