#pragma once

#include <atomic>
#include <string>
#include <utility>

#include "sim/trace/session.hh"
#include "src/mirror/mirror.hh"

namespace wakepath::mirror {

/// A running server as a viewer sees it: the mirror's trace, which grows. The mirror must outlive it.
class LiveSession final : public trace::Session {
 public:
  /// `title`: "listening 127.0.0.1:40001".
  LiveSession(const Mirror& mirror, std::string title)
      : mirror_(mirror), trace_(mirror.trace()), title_(std::move(title)) {}

  const trace::Trace& trace() const override { return *trace_; }
  std::string title() const override { return title_; }
  bool live() const override { return live_.load(); }
  std::string status() const override { return title_ + ", " + mirror_.status(); }
  /// The server has ended: nothing more will come. Any thread.
  void end() { live_.store(false); }

 private:
  const Mirror& mirror_;
  std::shared_ptr<trace::Trace> trace_;
  std::string title_;
  std::atomic<bool> live_{true};
};

}  // namespace wakepath::mirror
