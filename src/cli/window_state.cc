#include "src/cli/window_state.hh"

#include <fmt/format.h>

#include <algorithm>
#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <span>
#include <sstream>
#include <vector>

#include "src/cli/number.hh"
#include "src/cli/output.hh"

namespace wakepath::cli {

namespace {

namespace fs = std::filesystem;

bool put_size(const std::string& value, std::uint64_t least, std::uint64_t most, int& into) {
  const auto read = number(value);
  if (!read || *read < least || *read > most) return false;
  into = static_cast<int>(*read);
  return true;
}

constexpr std::array<std::string_view, 4> kThemes = {"dark", "light", "contrast", "projector"};
constexpr std::array<std::string_view, 2> kLanguages = {"en", "zh"};

bool put_word(const std::string& value, std::span<const std::string_view> words, std::string& into) {
  if (std::find(words.begin(), words.end(), value) == words.end()) return false;
  into = value;
  return true;
}

/// False when there is no such key, or it cannot have that value.
bool put(const std::string& key, const std::string& value, WindowState& state) {
  if (key == "width") return put_size(value, 640, 7680, state.width);
  if (key == "height") return put_size(value, 480, 4320, state.height);
  if (key == "theme") return put_word(value, kThemes, state.theme);
  if (key == "language") return put_word(value, kLanguages, state.language);
  if (key == "calls") return put_word(value, kFoldWords, state.calls);
  if (key == "words") return put_word(value, kFoldWords, state.words);
  if (key == "timeline") return put_word(value, kFoldWords, state.timeline);
  return false;
}

}  // namespace

std::string window_state_file() {
  const char* state = std::getenv("XDG_STATE_HOME");
  if (state != nullptr && *state == '/') return std::string(state) + "/wakepath/window";
  const char* home = std::getenv("HOME");
  return home != nullptr && *home == '/' ? std::string(home) + "/.local/state/wakepath/window" : "";
}

std::string read_window_state(const std::string& file, WindowState& state) {
  std::ifstream in(file);
  if (!in) return "";
  WindowState read;
  std::string line;
  for (int number = 1; std::getline(in, line); ++number) {
    std::istringstream words(line);
    std::string key, value, more;
    words >> key >> value;
    if (key.empty()) continue;
    if (!put(key, value, read) || words >> more)
      return fmt::format("{}:{}:1: found '{}', expected a line such as 'theme dark'; the window looks as always", file,
                         number, line.substr(0, 60));
  }
  state = read;
  return "";
}

std::string write_window_state(const std::string& file, const WindowState& state) {
  if (file.empty()) return "";
  std::error_code error;
  fs::create_directories(fs::path(file).parent_path(), error);
  const std::string text = fmt::format("width {}\nheight {}\ntheme {}\nlanguage {}\ncalls {}\nwords {}\ntimeline {}\n",
                                       std::clamp(state.width, 640, 7680), std::clamp(state.height, 480, 4320),
                                       state.theme, state.language, state.calls, state.words, state.timeline);
  return replace_file(file, text) ? "" : file + ": cannot be written; the window's looks are not remembered";
}

void recall_look(Look& look, const std::function<bool(const char* option)>& given) {
  WindowState state{.width = look.width, .height = look.height, .theme = look.theme, .language = look.language};
  if (const std::string why = read_window_state(window_state_file(), state); !why.empty())
    std::fprintf(stderr, "%s\n", why.c_str());
  if (!given("--width") && !given("--height")) look.width = state.width, look.height = state.height;
  if (!given("--theme")) look.theme = state.theme;
  if (!given("--lang")) look.language = state.language;
}

}  // namespace wakepath::cli
