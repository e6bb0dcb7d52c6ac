#pragma once

#include <memory>

#include "sim/trace/session.hh"

namespace wakepath::gui::test {

/// A trace written by hand, shaped as the modelled kernel shapes its own: a server waits in epoll_wait, a client
/// connects and sends "ping". Kinds, fields and functions have their Linux names; the numbers are made up.
std::unique_ptr<trace::Trace> make_ping_trace();
/// The same world with `connections` accepted connections, for layout and overflow.
std::unique_ptr<trace::Trace> make_crowd_trace(int connections);
/// `records` records of nested calls of two tasks, for speed.
std::unique_ptr<trace::Trace> make_long_trace(trace::Position records);
/// Objects of kinds that nobody has heard of.
std::unique_ptr<trace::Trace> make_unknown_trace();

/// A trace as a viewer gets it.
class TraceSession : public trace::Session {
 public:
  explicit TraceSession(std::shared_ptr<trace::Trace> trace, bool live = false)
      : trace_(std::move(trace)), live_(live) {}
  [[nodiscard]] const trace::Trace& trace() const override { return *trace_; }
  [[nodiscard]] std::string title() const override { return "a ping over loopback"; }
  [[nodiscard]] bool live() const override { return live_; }
  [[nodiscard]] std::string status() const override { return ""; }
  [[nodiscard]] trace::Trace& writer() { return *trace_; }

 private:
  std::shared_ptr<trace::Trace> trace_;
  bool live_;
};

}  // namespace wakepath::gui::test
