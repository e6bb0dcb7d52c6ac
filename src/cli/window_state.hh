#pragma once

#include <array>
#include <functional>
#include <string>
#include <string_view>

#include "src/cli/commands.hh"

namespace wakepath::cli {

/// What a panel does, as gui::Fold counts it: to be seen where there is room, always, never.
inline constexpr std::array<std::string_view, 3> kFoldWords = {"room", "shown", "hidden"};

/// What a window looked like when it was closed last, one `key value` a line.
struct WindowState {
  int width = 1440;
  int height = 900;
  std::string theme = "dark";
  std::string language = "en";
  std::string calls = "room";  ///< of each panel: one of kFoldWords
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
