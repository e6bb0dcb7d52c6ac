// The socket-server inside the model when calls fail: each at each point of a short conversation, with each error that
// it may have; and many at random in longer ones. Whatever fails, nobody waits for ever, no descriptor stays open, and
// what a client heard is what it said, from the beginning and without a gap. (WAKEPATH_SEEDS=N: so many random runs.)
#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <cstdlib>
#include <functional>

#include "sim/check/check.hh"
#include "src/os/model_os.hh"
#include "tests/os/faulty_os.hh"
#include "tests/server/conversation.hh"

namespace wakepath::server {
namespace {

using testing::ElementsAre;
using testing::StartsWith;

/// One run on a fresh model.
struct FaultyRun {
  kernel::Kernel k{{.record = false}};
  os::ModelOs os;
  Heard heard;

  FaultyRun(const os::ModelOsOptions& options, const Talk& how, const os::FaultyOs::Plan& plan) : os(k, options) {
    os::FaultyOs faulty(os, plan);
    heard = converse(os, faulty, how);
  }

  void expect_sound(const std::string& what) {
    EXPECT_EQ(os.problem(), "") << what;
    EXPECT_THAT(os.open_descriptors(), ElementsAre()) << what;
    EXPECT_THAT(check::check_invariants(k), ElementsAre()) << what;
    for (size_t i = 0; i < heard.said.size(); ++i)
      EXPECT_THAT(heard.said[i], StartsWith(heard.answers[i])) << what << ", client " << i;
  }
  void expect_all_answered(const std::string& what) {
    EXPECT_EQ(heard.error, 0) << what;
    EXPECT_EQ(heard.answers, heard.said) << what;
    EXPECT_TRUE(heard.served_afterwards) << what;
  }
};

/// An edge triggered poller relies on the kernel: EAGAIN, or a short count, means that there will be an event.
bool is_fair(int error, bool edge) { return !(edge && error == EAGAIN); }

class ModelFault : public testing::TestWithParam<PollerKind> {
 protected:
  bool edge() const { return GetParam() == PollerKind::epoll_edge; }
  Talk short_talk() const { return {.clients = 2, .rounds = 1, .poller = GetParam()}; }
};

TEST_P(ModelFault, EachCallOfAShortConversationFailsOnceInEachWay) {
  std::vector<std::string> calls;
  FaultyRun faultless({}, short_talk(), [&](std::string_view call) {
    calls.emplace_back(call);
    return os::Fault{};
  });
  faultless.expect_sound("no fault");
  faultless.expect_all_answered("no fault");
  const auto first_accept = static_cast<size_t>(std::find(calls.begin(), calls.end(), "accept4") - calls.begin());
  size_t runs = 0;
  for (size_t at = 0; at < calls.size(); ++at) {
    for (const int error : os::errors_of(calls[at])) {
      if (!is_fair(error, edge()) && calls[at] != "read") continue;
      const std::string what = fmt::format("call {}, {}, fails with {}", at, calls[at], strerrorname_np(error));
      size_t number = 0;
      FaultyRun run({}, short_talk(), [&](std::string_view) { return os::Fault{.error = number++ == at ? error : 0}; });
      run.expect_sound(what);
      if (os::is_transient(error)) run.expect_all_answered(what);
      // a server that did not get as far as to accept may stay down, as long as nobody waits for it
      EXPECT_TRUE(at < first_accept || run.heard.served_afterwards) << what;
      ++runs;
      if (HasFailure()) return;
    }
  }
  EXPECT_GT(runs, 100U);
}

/// Faults at random, and what they were.
struct AtRandom {
  uint64_t state;
  uint64_t percent;  ///< of the calls are disturbed, about
  bool transient_only = false;
  bool edge = false;
  std::string happened;

  os::Fault operator()(std::string_view call) {
    if (os::next_random(state) % 100 >= percent) return {};
    const std::vector<int>& errors = os::errors_of(call);
    if (errors.empty() || os::next_random(state) % 3 == 0) return {.one_byte = !edge};
    const int error = errors[os::next_random(state) % errors.size()];
    if ((transient_only && !os::is_transient(error)) || !is_fair(error, edge)) return {};
    happened += fmt::format(" {}:{}", call, strerrorname_np(error));
    return {.error = error};
  }
};

uint64_t seeds() {
  const char* wanted = std::getenv("WAKEPATH_SEEDS");
  return wanted != nullptr ? std::strtoull(wanted, nullptr, 10) : 60;
}

TEST_P(ModelFault, InterruptionsAndShortCountsLoseNothing) {
  for (uint64_t seed = 1; seed <= seeds() && !HasFailure(); ++seed) {
    AtRandom faults{.state = seed, .percent = 20, .transient_only = true, .edge = edge()};
    const size_t size = seed % 4 == 0 ? 5000 : 50;
    FaultyRun run({.schedule_seed = seed, .preemptible = seed % 2 == 0},
                  {.clients = 3, .rounds = 3, .size = size, .poller = GetParam()}, std::ref(faults));
    const std::string what = fmt::format("seed {}:{}", seed, faults.happened);
    run.expect_sound(what);
    run.expect_all_answered(what);
  }
}

TEST_P(ModelFault, AnyFaultsAtRandomAreSurvived) {
  for (uint64_t seed = 1; seed <= seeds() && !HasFailure(); ++seed) {
    AtRandom faults{.state = seed, .percent = 5, .edge = edge()};
    bool up = false;
    FaultyRun run({.schedule_seed = seed, .preemptible = seed % 2 == 0},
                  {.clients = 3, .rounds = 3, .last_is_rude = seed % 5 == 0, .poller = GetParam()},
                  [&](std::string_view call) {
                    up = up || call == "accept4";
                    return up ? faults(call) : os::Fault{};
                  });
    run.expect_sound(fmt::format("seed {}:{}", seed, faults.happened));
  }
}

INSTANTIATE_TEST_SUITE_P(Pollers, ModelFault, testing::Values(PollerKind::epoll_level, PollerKind::epoll_edge),
                         [](const auto& tested) { return tested.param == PollerKind::epoll_level ? "Level" : "Edge"; });

}  // namespace
}  // namespace wakepath::server
