#pragma once

#include <functional>
#include <string>

#include "src/cli/commands.hh"

namespace wakepath::cli {

/// What a window looked like when it was closed last, one `key value` a line.
struct WindowState {
  int width = 1440;
  int height = 900;
  std::string theme = "dark";
  std::string language = "en";
  std::string calls = "room";  ///< of each panel: "room" (where there is room), "shown", "hidden"
  std::string words = "room";
  std::string timeline = "room";
};

/// $XDG_STATE_HOME/wakepath/window, ~/.local/state without it; empty: there is no such folder.
[[nodiscard]] std::string window_state_file();
/// Empty; or what is wrong with the file, and then nothing of it counts. A file that is not there is fine.
[[nodiscard]] std::string read_window_state(const std::string& file, WindowState& state);
/// Empty; or why it cannot be written.
[[nodiscard]] std::string write_window_state(const std::string& file, const WindowState& state);

/// As it was left, except for what the command line says itself: `given` is asked for its options ("--theme"). A file
/// that is wrong is told on standard error.
void recall_look(Look& look, const std::function<bool(const char* option)>& given);

}  // namespace wakepath::cli
