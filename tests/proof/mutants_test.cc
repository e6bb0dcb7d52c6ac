// Every deliberate fault of the model is caught by at least one kind of test. The table of which catches which is
// printed. Each fault runs in a process of its own: some bring the model down, which also counts as caught.

#include <gtest/gtest.h>
#include <sys/wait.h>
#include <unistd.h>

#include <fmt/format.h>

#include <algorithm>
#include <filesystem>
#include <sstream>

#include "sim/syscalls/syscalls.hh"
#include "src/proof/explore.hh"
#include "src/proof/fuzz.hh"
#include "src/proof/generator.hh"
#include "src/proof/judge.hh"
#include "src/scenario/parser.hh"
#include "tests/kernel/machine.hh"

namespace wakepath::proof {
namespace {

constexpr std::uint64_t kPrograms = 250;
const std::vector<std::string> kColumns = {"stories", "programs", "invariants", "orders", "facts", "ends the model"};

using Found = std::map<std::string, std::string>;  ///< by column: where

/// The first story in which the fault shows: the stories are the same on the model and on the running kernel.
std::string in_stories(const JudgeOptions& mutated) {
  std::vector<std::string> files;
  for (const auto& entry : std::filesystem::directory_iterator(WAKEPATH_SOURCE_DIR "/tests/scenario/stories")) {
    files.push_back(entry.path().string());
  }
  std::sort(files.begin(), files.end());
  for (const std::string& file : files) {
    const auto parsed = scenario::parse_file(file);
    const auto& story = std::get<scenario::Scenario>(parsed);
    if (!scenario::differences(run_checked(story, mutated).result, run_checked(story, {}).result).empty()) {
      return std::filesystem::path(file).stem().string();
    }
  }
  return "";
}

void in_programs(const JudgeOptions& mutated, const std::function<void(const std::string&, const std::string&)>& tell) {
  bool shown = false, broken = false;
  for (std::uint64_t i = 0; i < kPrograms && !(shown && broken); ++i) {
    const auto parsed = generate(mix(11, i), 40).program.parsed();
    const auto& program = std::get<scenario::Scenario>(parsed);
    const ModelRun run = run_checked(program, mutated);
    if (!broken && !run.complaints.empty()) {
      broken = true;
      tell("invariants", fmt::format("#{}", i));
    }
    if (!shown && !scenario::differences(run.result, run_checked(program, {}).result).empty()) {
      shown = true;
      tell("programs", fmt::format("#{}", i));
    }
  }
}

std::string in_orders(const std::string& mutant) {
  const auto parsed = scenario::parse_file(WAKEPATH_SOURCE_DIR "/tests/proof/lost-wake-up.yaml");
  const auto& file = std::get<scenario::Scenario>(parsed);
  const Explored clean = explore(file, {}), found = explore(file, {20000, mutant});
  return found.bad > 0 || found.results != clean.results ? "lost-wake-up" : "";
}

/// The orders of events that were measured on the kernel and that no result shows.
std::string in_facts(kernel::Mutant mutant) {
  kernel::Config config;
  config.mutant = mutant;
  testing_kernel::Machine m(config);
  m.listen();
  m.watch_listener();
  m.epoll_wait(-1);
  m.connect();
  if (!contains_in_order(m.seen(),
                         {"insert tcp_sock.rskq_accept_head", "set tcp_sock.sk_ack_backlog 0 -> 1", "wake"})) {
    return "accept queue, its count, wake-up";
  }
  testing_kernel::Machine pair(config);
  pair.listen();
  kernel::task_struct* second = pair.k.spawn_thread("second", pair.server);
  for (kernel::task_struct* sleeper : {pair.server, second}) {
    pair.call(sleeper, kernel::sys_accept4(pair.k, 3, nullptr, 0));
  }
  pair.connect();
  if (count_of(pair.seen(), "wake") != 1) {
    return "one connection, one wake-up";
  }
  m.call(m.server, kernel::sys_close(m.k, 3));
  return contains_in_order(m.seen(), {"call __fput > eventpoll_release_file", "call __fput > sock_close"})
             ? ""
             : "who watches hears of the close first";
}

/// What catches it, asked in a process of its own.
Found look_for(const kernel::MutantWords& words) {
  int channel[2];
  EXPECT_EQ(pipe(channel), 0);
  const pid_t pid = fork();
  if (pid == 0) {
    close(2);
    alarm(50);
    const auto tell = [&](const std::string& column, const std::string& where) {
      const std::string line = where.empty() ? "" : fmt::format("{}\t{}\n", column, where);
      [[maybe_unused]] const ssize_t n = write(channel[1], line.data(), line.size());
    };
    JudgeOptions mutated;
    mutated.mutant = words.name;
    tell("facts", in_facts(words.mutant));
    tell("orders", in_orders(words.name));
    tell("stories", in_stories(mutated));
    in_programs(mutated, tell);
    _exit(0);
  }
  close(channel[1]);
  std::string all;
  char buffer[1024];
  for (ssize_t n = 0; (n = read(channel[0], buffer, sizeof buffer)) > 0;) {
    all.append(buffer, static_cast<std::size_t>(n));
  }
  close(channel[0]);
  int status = 0;
  waitpid(pid, &status, 0);
  Found found;
  std::istringstream lines(all);
  for (std::string line; std::getline(lines, line);) {
    found[line.substr(0, line.find('\t'))] = line.substr(line.find('\t') + 1);
  }
  if (WIFSIGNALED(status)) {
    found["ends the model"] = WTERMSIG(status) == SIGALRM ? "runs for ever" : "yes";
  }
  return found;
}

class EveryMutant : public testing::TestWithParam<std::size_t> {};

constexpr std::size_t kParts = 10;

TEST_P(EveryMutant, IsCaught) {
  fmt::print("{:<30}", "fault");
  for (const std::string& column : kColumns) {
    fmt::print(" {:<24}", column);
  }
  fmt::print("\n");
  for (std::size_t i = GetParam(); i < kernel::mutants().size(); i += kParts) {
    const kernel::MutantWords& words = kernel::mutants()[i];
    Found found = look_for(words);
    fmt::print("{:<30}", words.name);
    for (const std::string& column : kColumns) {
      fmt::print(" {:<24}", found.count(column) > 0 ? found[column].substr(0, 24) : "-");
    }
    fmt::print("\n");
    EXPECT_FALSE(found.empty()) << words.name << " was caught by nothing: " << words.sentence;
  }
}

INSTANTIATE_TEST_SUITE_P(Part, EveryMutant, testing::Range<std::size_t>(0, kParts));

TEST(Mutants, AreMoreThanFifteen) { EXPECT_GE(kernel::mutants().size(), 15u); }

/// `agree` falls with a fault on: against the running kernel, not against the model without it.
TEST(Mutants, MakeProgramsDisagreeWithTheRunningKernel) {
  for (const char* mutant : {"edge_requeued", "epoll_waiters_fifo", "rdhup_missing", "backlog_off_by_one"}) {
    FuzzOptions options;
    options.seed = 11;
    options.count = 60;
    options.mutant = mutant;
    options.shrink_tries = 0;
    const FuzzReport report = fuzz(options, {[](const Failure&) {}, [](const FuzzReport&) {}});
    if (report.failures.count("not run") > 0) {
      GTEST_SKIP() << "the running kernel cannot be used here";
    }
    EXPECT_LT(report.agree, report.programs) << mutant;
  }
}

}  // namespace
}  // namespace wakepath::proof
