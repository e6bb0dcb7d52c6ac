// Every deliberate fault of the model is caught. A short series of programs that dwell on what the fault is about
// agrees wholly with the running kernel without the fault, and not with it. (A kernel that is too old to be held
// against the model cannot tell: there the model without the fault stands for it.) What no call can show is on a list,
// with the test that shows it instead, run here. The table of what catches which is printed.

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <fmt/format.h>

#include <functional>

#include "src/proof/fuzz.hh"
#include "tests/kernel/machine.hh"

namespace wakepath::proof {
namespace {

constexpr std::uint64_t kSeed = 1, kPrograms = 12;
constexpr int kCalls = 25;

/// What programs dwell on to show a fault.
const std::map<std::string, std::string> kShows = {
    {"level_not_requeued", "level"},
    {"no_accept_wake", "exclusive"},
    {"edge_requeued", "edge"},
    {"oneshot_stays_armed", "edge"},
    {"exclusive_wakes_all", "exclusive"},
    {"epoll_waiters_fifo", "sleepers"},
    {"level_requeued_in_front", "level"},
    {"modify_does_not_look", "edge"},
    {"nested_not_woken", "nested"},
    {"hangup_missing", "fins"},
    {"rdhup_missing", "fins"},
    {"rcvlowat_ignored", "low-water"},
    {"unread_data_closes_politely", "unread"},
    {"linger_ignored", "resets"},
    {"timewait_forgotten", "port-again"},
    {"window_ignored", "flood"},
    {"reset_without_wake", "resets"},
    {"fin_without_wake", "fins"},
    {"backlog_off_by_one", "full-queue"},
    {"sleepers_not_exclusive", "beside-exclusive"},
    {"accepted_inherits_nonblock", "inheritance"},
    {"wake_before_queueing", "low-water"},
    {"lowest_descriptor_not_taken", "numbers"},
    {"close_forgets_duplicates", "duplicates"},
    {"exec_closes_nothing", "new-program"},
    {"pipe_hangup_missing", "pipe-ends"},
    {"error_reported_twice", "resets"},
    {"release_before_epoll", "closed-below"},
    {"no_second_look", "two-cpus"},
};

/// A model with this fault, whose server's epoll (descriptor 4) watches its listener (3).
struct Faulty : testing_kernel::Machine {
  explicit Faulty(kernel::Mutant mutant) : Machine(with(mutant)) {
    listen();
    watch_listener();
  }
  static kernel::Config with(kernel::Mutant mutant) {
    kernel::Config config;
    config.mutant = mutant;
    return config;
  }
};

/// The accept queue, then its count, then the wake-up: an order of writes that was measured on the kernel.
bool keeps_order_of_accept_queue(kernel::Mutant mutant) {
  Faulty m(mutant);
  m.epoll_wait(-1);
  m.connect();
  return contains_in_order(m.seen(),
                           {"insert tcp_sock.rskq_accept_head", "set tcp_sock.sk_ack_backlog 0 -> 1", "wake"});
}

struct Hidden {
  std::string why, shown_by;
  std::function<bool(kernel::Mutant)> holds;  ///< without the fault
};

/// Faults that no call of a program shows.
const std::map<std::string, Hidden> kNoCallShows = {
    {"accept_counted_first",
     {"two writes of one softirq, and nothing between them reads either: only another CPU could, within nanoseconds",
      "order of writes to the accept queue", keeps_order_of_accept_queue}},
};

struct Series {
  FuzzReport report;
  std::string first;    ///< one of the programs that do not agree, and in what
  std::string not_run;  ///< why one could not be run
};

const Reference& reference() {
  static const Reference kReference =
      scenario::why_not_judged(scenario::version_table(), scenario::host_kernel()).empty() ? running_kernel()
                                                                                           : faultless_model();
  return kReference;
}

Series run(const std::string& focus, const std::string& mutant, bool invariants) {
  FuzzOptions options;
  options.seed = kSeed;
  options.count = kPrograms;
  options.calls = kCalls;
  options.focus = focus;
  options.mutant = mutant;
  options.invariants = invariants;
  options.shrink_tries = 0;
  options.longest_s = 20;
  options.reference = reference();
  Series out;
  FuzzListener listener;
  listener.progress = [](const FuzzReport&) {};
  listener.failed = [&](const Failure& f) {
    if (f.kind == "not run") {
      out.not_run = f.story;
    }
    if (out.first.empty() || (f.kind == "differs" && out.first.find("differs") == std::string::npos)) {
      out.first = fmt::format("program {} {} {}", f.index, f.kind, f.fingerprint);
    }
  };
  out.report = fuzz(options, listener);
  return out;
}

/// The address sanitizer ends a program at the first use of a freed object, which is what some of the faults are.
#ifdef __SANITIZE_ADDRESS__
constexpr bool kStopsAtUseAfterFree = true;
#else
constexpr bool kStopsAtUseAfterFree = false;
#endif

std::vector<std::string>& table() {
  static std::vector<std::string> rows;
  return rows;
}

void note(const std::string& mutant, const std::string& by, const std::string& what) {
  table().push_back(fmt::format("{:<28} {:<38} {}\n", mutant, by, what));
  fmt::print("{}", table().back());
}

class EveryMutant : public testing::TestWithParam<std::size_t> {
 protected:
  static void TearDownTestSuite() {
    fmt::print("\n{:<28} {:<38} {}\n", "fault", "caught by", "what shows");
    for (const std::string& row : table()) {
      fmt::print("{}", row);
    }
  }
};

TEST_P(EveryMutant, IsCaught) {
  const kernel::MutantWords& words = kernel::mutants()[GetParam()];
  const auto hidden = kNoCallShows.find(words.name);
  if (hidden != kNoCallShows.end()) {
    EXPECT_TRUE(hidden->second.holds(kernel::Mutant::none));
    EXPECT_FALSE(hidden->second.holds(words.mutant)) << words.sentence;
    note(words.name, hidden->second.shown_by, "no call shows it: " + hidden->second.why);
    return;
  }
  ASSERT_EQ(kShows.count(words.name), 1u) << "no programs are meant for it";
  const std::string& focus = kShows.at(words.name);
  const Series clean = run(focus, "", true);
  if (!clean.not_run.empty()) {
    GTEST_SKIP() << clean.not_run;
  }
  EXPECT_TRUE(all_stand(clean.report)) << clean.first;
  const Series mutated = run(focus, words.name, false);  // what the calls give counts here, not what sim/check says
  EXPECT_LT(mutated.report.agree, clean.report.agree) << words.sentence;
  const bool stopped = kStopsAtUseAfterFree && mutated.report.failures.contains("crashed");
  // invalid: an actor sleeps whom the program, made on the faultless model, has make its next call
  const bool shown = mutated.report.failures.contains("differs") || mutated.report.failures.contains("invalid");
  EXPECT_TRUE(stopped || shown) << "one that crashes or never ends is no proof";
  std::string kinds;
  for (const auto& [kind, count] : mutated.report.failures) {
    kinds += fmt::format(" {} {}", kind, count);
  }
  note(words.name, fmt::format("fuzz --focus {}", focus),
       fmt::format("agree {} -> {} of {}:{}; {}", clean.report.agree, mutated.report.agree, kPrograms, kinds,
                   mutated.first));
}

INSTANTIATE_TEST_SUITE_P(Of, EveryMutant, testing::Range<std::size_t>(0, kernel::mutants().size()),
                         [](const auto& row) { return std::string(kernel::mutants()[row.param].name); });

/// Two faults that need a particular queue before them: the generator gives them more than a chance, also where nothing
/// is dwelt on. Judged by the model without the fault, so that the same programs show it everywhere.
class WithoutAFocus : public testing::TestWithParam<std::string> {};

TEST_P(WithoutAFocus, RandomProgramsShowIt) {
  FuzzOptions options;
  options.seed = kSeed;
  options.count = 150;
  options.mutant = GetParam();
  options.invariants = false;
  options.shrink_tries = 0;
  options.longest_s = 20;
  options.reference = faultless_model();
  FuzzListener listener;
  listener.progress = [](const FuzzReport&) {};
  listener.failed = [](const Failure&) {};
  const FuzzReport report = fuzz(options, listener);
  fmt::print("{}: agree {} of {}\n", GetParam(), report.agree, report.programs);
  EXPECT_LT(report.agree, report.programs - 1);
  EXPECT_TRUE(report.failures.contains("differs"));
}

INSTANTIATE_TEST_SUITE_P(Of, WithoutAFocus, testing::Values("rcvlowat_ignored", "sleepers_not_exclusive"),
                         [](const auto& row) { return row.param; });

TEST(Mutants, AreMoreThanFifteen) { EXPECT_GE(kernel::mutants().size(), 15u); }

TEST(Mutants, OnTheListDoNotShowInPrograms) {
  for (const auto& [name, hidden] : kNoCallShows) {
    const Series series = run("", name, false);
    if (!series.not_run.empty()) {
      GTEST_SKIP() << series.not_run;
    }
    EXPECT_TRUE(all_stand(series.report)) << name << " shows in a program: take it off the list. " << series.first;
  }
}

}  // namespace
}  // namespace wakepath::proof
