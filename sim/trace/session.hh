#pragma once

#include <string>

#include "sim/trace/trace.hh"

namespace wakepath::trace {

/// The thing that a viewer opens and follows: a scenario that was run, a recording, or a running server. The command
/// line supplies what is behind it; a viewer sees only this.
class Session {
 public:
  virtual ~Session() = default;
  /// Stays the same object as long as the session lives; it may grow (see Trace) while `live()`.
  [[nodiscard]] virtual const Trace& trace() const = 0;
  [[nodiscard]] virtual std::string title() const = 0;
  /// True while more may come.
  [[nodiscard]] virtual bool live() const = 0;
  /// One line for a status bar: "listening 127.0.0.1:40001, 812 calls checked, 0 divergences"; may be empty. Any
  /// thread.
  [[nodiscard]] virtual std::string status() const = 0;
};

}  // namespace wakepath::trace
