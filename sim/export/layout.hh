#pragma once

#include <sys/types.h>

#include <chrono>
#include <cstdint>
#include <filesystem>
#include <string>
#include <string_view>

namespace wakepath::exports {

enum class LayoutFormat : std::uint32_t {
  kSvg = 0,
  kPng = 1,   ///< Needs Graphviz's pango and cairo plugins.
  kJson = 2,  ///< Graphviz's `json`: the graph with positions (`pos`, `bb`, `_draw_`), points, y upwards.
  kPdf = 3,   ///< One page; needs the same plugins as kPng.
};

struct Picture {
  std::string bytes;  ///< Empty when there is none.
  std::string error;  ///< Then a sentence that says why; else empty.
  [[nodiscard]] bool ok() const { return error.empty(); }
};

/// Lays graphs out with Graphviz, in a process of its own (`wakepath-layout`) that may leak, hang and die without harm:
/// each layout has a limit, the process is replaced after some layouts, and one that ended is started again with the
/// next layout. Not thread safe: one helper a thread. The process ends with the object.
class LayoutHelper {
 public:
  struct Options {
    std::filesystem::path executable;  ///< Empty: "wakepath-layout" beside the running executable.
    std::chrono::milliseconds limit{5000};
    int layouts_per_process = 200;
  };

  LayoutHelper() : LayoutHelper(Options{}) {}
  explicit LayoutHelper(Options options);
  ~LayoutHelper() { stop(); }
  LayoutHelper(const LayoutHelper&) = delete;
  LayoutHelper& operator=(const LayoutHelper&) = delete;

  /// Never throws and takes little more than the limit. A graph that Graphviz cannot draw completely is an error.
  [[nodiscard]] Picture layout(std::string_view dot, LayoutFormat format);

  /// The process at work; 0 when none is (before the first layout, after an error).
  [[nodiscard]] pid_t pid() const { return pid_; }
  /// How many processes were started so far.
  [[nodiscard]] int started() const { return started_; }

 private:
  using Deadline = std::chrono::steady_clock::time_point;

  std::string start();  ///< An error, or empty.
  void stop();
  void forget_the_dead();
  std::string send_all(std::string_view bytes, Deadline deadline);
  std::string receive_all(char* to, std::size_t length, Deadline deadline);
  std::string wait_for(short events, Deadline deadline);
  std::string how_it_ended();

  Options options_;
  pid_t pid_ = 0;
  int socket_ = -1;
  int started_ = 0;
  int layouts_ = 0;  // of this process
};

}  // namespace wakepath::exports
