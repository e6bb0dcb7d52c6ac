#pragma once

#include <string>

#include "src/cli/serve_session.hh"

namespace wakepath::cli {

/// The console on standard input: each line is a command (service/console.hh), its answer goes to standard output.
class InputConsole {
 public:
  explicit InputConsole(ServeSession& session) : session_(session) {}

  /// The descriptor to wait for; -1 after the end of the input.
  [[nodiscard]] int fd() const { return ended_ ? -1 : kInput; }
  /// Answers what has come. Call it when the descriptor is readable.
  void read();

 private:
  static constexpr int kInput = 0;
  ServeSession& session_;
  std::string rest_;  // of a line that has not come whole
  bool ended_ = false;
};

}  // namespace wakepath::cli
