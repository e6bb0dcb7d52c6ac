#pragma once

#include <fmt/format.h>
#include <gtest/gtest.h>

#include <memory>
#include <string>

#include "src/cli/serve_session.hh"
#include "src/mirror/follower.hh"
#include "src/mirror/mirror.hh"
#include "src/mirror/step_log.hh"
#include "src/os/linux_os.hh"
#include "src/os/recorded_os.hh"
#include "tests/server/fixture.hh"

namespace wakepath::mirror {

/// The server on real sockets, with the echo service if no other is asked for, with a mirror behind every call.
class Mirrored {
 public:
  explicit Mirrored(const MirrorOptions& options = {}, const cli::ServeSetup& setup = {})
      : mirror_(options), session_(std::make_unique<cli::ServeSession>(os_, steps_)) {
    EXPECT_EQ(session_->start(setup), 0);
  }
  cli::ServeSession& session() { return *session_; }
  os::Endpoint endpoint() const { return session_->endpoint(); }
  Mirror& mirror() { return mirror_; }
  Follower& follower() { return follower_; }
  os::Os& machine() { return machine_; }  ///< past the mirror
  os::Os& os() { return os_; }
  /// The demo client from beginning to end; its error.
  int demo() {
    EXPECT_EQ(session_->start_demo(0), 0);
    return session_->join_demo().error;
  }
  /// The figures after the server has stopped.
  Figures stop() {
    session_->stop();
    follower_.catch_up();
    return mirror_.figures();
  }

 private:
  os::LinuxOs machine_;
  Mirror mirror_;
  os::CallLog log_;
  os::RecordedOs os_{machine_, log_};
  StepLog steps_{log_};
  Follower follower_{log_, mirror_};
  std::unique_ptr<cli::ServeSession> session_;
};

inline std::string in_words(const Figures& f) {
  std::string text =
      fmt::format("calls {} checked {} unchecked {} injected {} divergences {} lost {} readings {} + {}", f.calls,
                  f.checked, f.unchecked, f.injected, f.divergences, f.lost, f.readings, f.readings_unchecked);
  for (const auto& [reason, count] : f.reasons) text += fmt::format("\n  unchecked {}: {}", count, reason);
  if (!f.first_divergence.empty()) text += "\n  first divergence: " + f.first_divergence;
  if (!f.stopped.empty()) text += "\n  stopped: " + f.stopped;
  return text;
}

/// No divergence, nothing lost, and at least 99 of 100 checked.
inline void expect_agreement(const Figures& figures) {
  EXPECT_EQ(figures.divergences, 0U) << in_words(figures);
  EXPECT_EQ(figures.lost, 0U) << in_words(figures);
  EXPECT_GE(figures.checked * 100, (figures.checked + figures.unchecked) * 99) << in_words(figures);
}

/// Says something of another length in each round, and hears it again.
inline void talk(server::Client& client, int rounds) {
  for (int round = 0; round < rounds; ++round) {
    const std::string words = server::pattern(static_cast<size_t>(1 + round % 150));
    client.send(words);
    EXPECT_EQ(client.receive(words.size()), words);
  }
}

}  // namespace wakepath::mirror
