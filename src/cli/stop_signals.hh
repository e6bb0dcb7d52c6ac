#pragma once

namespace wakepath::cli {

/// Turns SIGINT and SIGTERM into something that can be waited for: from its construction on they no longer end the
/// process. Make it before the first thread is started, so that all threads inherit the blocked signals (signalfd(2)).
/// It does not go through Os: the descriptor belongs to the command line, not to what is watched.
class StopSignals {
 public:
  StopSignals();
  ~StopSignals();
  StopSignals(const StopSignals&) = delete;
  StopSignals& operator=(const StopSignals&) = delete;

  /// Waits up to `timeout_ms` (-1: without limit, 0: not at all), or until `input` (-1: none) can be read. True once
  /// one of the signals has come, and ever after.
  bool wait(int timeout_ms, int input = -1);
  /// Whether the last wait ended with something to read.
  [[nodiscard]] bool has_input() const { return has_input_; }

 private:
  int fd_;
  bool came_ = false;
  bool has_input_ = false;
};

}  // namespace wakepath::cli
