// Keeps the house tidy: what no compiler says about the tree. Each failure names the file, the line and the rule.
#include <gtest/gtest.h>

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <map>
#include <regex>
#include <set>
#include <string>
#include <vector>

namespace {

namespace fs = std::filesystem;
using Names = std::set<std::string>;

/// The layering: a folder and what it may include of ours, beside itself. "sim" stands for all of sim/*, "src" for all
/// of src/*. Within sim and within src, who may use a folder may also use what that folder uses; src uses of sim only
/// what stands in its own row.
const std::map<std::string, Names> kLayers = {
    {"sim/trace", {}},
    {"sim/record", {"sim/trace"}},
    {"sim/engine", {"sim/record"}},
    {"sim/kernel", {"sim/engine", "sim/record"}},
    {"sim/syscalls", {"sim/kernel"}},
    {"sim/check", {"sim/kernel"}},
    {"sim/export", {"sim/trace"}},
    {"src/os", {"sim/syscalls"}},  // and that in ModelOs alone, see below
    {"src/probe", {"sim/trace"}},  // its notes alone: the words that a trace is read by
    {"src/server", {"src/os", "src/probe"}},
    {"src/service", {"src/server"}},
    {"src/scenario", {"src/os", "src/service", "sim"}},  // a scenario may start services
    {"src/lesson", {"src/scenario", "sim"}},
    {"src/mirror", {"src/os", "src/probe", "sim"}},
    {"src/guest", {"src/os", "src/mirror", "sim"}},
    {"src/proof", {"src/scenario", "sim"}},
    {"src/bench", {"src", "sim", "gui"}},
    {"src/cli", {"src", "sim", "gui"}},
    {"src/main.cc", {"src/cli"}},
    {"gui", {"sim/trace", "sim/export"}},
};

constexpr std::size_t kMostLines = 500;

struct File {
  std::string path;  // from the root of the tree, with '/'
  std::vector<std::string> lines;
  [[nodiscard]] bool is_code() const { return path.ends_with(".cc") || path.ends_with(".hh"); }
};

std::vector<File> read_tree() {
  const fs::path root = WAKEPATH_SOURCE_DIR;
  std::vector<File> files;
  auto read = [&](const fs::path& path) {
    File file{fs::relative(path, root).generic_string(), {}};
    std::ifstream in(path);
    for (std::string line; std::getline(in, line);) file.lines.push_back(line);
    files.push_back(std::move(file));
  };
  const Names text = {".cc", ".hh", ".txt", ".cmake", ".md", ".yaml", ".json", ".toml", ".dot", ".c", ".h", ".sh", ""};
  for (const char* top : {"sim", "src", "gui", "tests", "scenarios", "assets", "cmake", ".ci"}) {
    if (!fs::exists(root / top)) continue;
    for (const auto& entry : fs::recursive_directory_iterator(root / top))
      if (entry.is_regular_file() && text.contains(entry.path().extension().string())) read(entry.path());
  }
  for (const char* name : {"run", "README.md", "CONTRIBUTING.md", "CMakeLists.txt", "CMakePresets.json"})
    if (fs::exists(root / name)) read(root / name);
  std::sort(files.begin(), files.end(), [](const File& a, const File& b) { return a.path < b.path; });
  return files;
}

const std::vector<File>& tree() {
  static const std::vector<File> kFiles = read_tree();
  return kFiles;
}

/// The row that a path of ours belongs to; empty when none does.
std::string row_of(const std::string& path) {
  std::string best;
  for (const auto& [row, unused] : kLayers)
    if ((path == row || path.starts_with(row + "/")) && row.size() > best.size()) best = row;
  return best;
}

std::string top(const std::string& row) { return row.substr(0, row.find('/')); }

/// All rows that `row` may include.
Names allowed(const std::string& row) {
  Names out = {row};
  std::vector<std::string> open = {row};
  while (!open.empty()) {
    std::string at = open.back();
    open.pop_back();
    for (const std::string& use : kLayers.at(at)) {
      if (at != row && top(at) == "src" && top(use) != "src") continue;  // src passes nothing of sim on
      for (const auto& [candidate, unused] : kLayers) {
        bool means = candidate == use || (use.find('/') == std::string::npos && top(candidate) == use);
        if (means && out.insert(candidate).second) open.push_back(candidate);
      }
    }
  }
  return out;
}

/// Calls `see(file, number, line)` for each line of each file that `wanted` accepts.
template <class Wanted, class See>
void each_line(Wanted wanted, See see) {
  for (const File& file : tree())
    if (wanted(file))
      for (std::size_t i = 0; i < file.lines.size(); ++i) see(file, i + 1, file.lines[i]);
}

const std::regex kOurInclude(R"re(^\s*#\s*include\s*"([^"]+)")re");
const std::regex kAnyInclude(R"re(^\s*#\s*include\s*[<"]([^>"]+)[>"])re");

bool all(const File&) { return true; }
bool code(const File& file) { return file.is_code(); }

TEST(Tidy, SeesTheTree) {
  EXPECT_GT(tree().size(), 30u);
  EXPECT_TRUE(std::any_of(tree().begin(), tree().end(), [](const File& f) { return f.path == "sim/trace/trace.hh"; }));
}

TEST(Tidy, FoldersIncludeOnlyWhatTheirRowAllows) {
  each_line(code, [](const File& file, std::size_t number, const std::string& line) {
    std::smatch match;
    if (file.path.starts_with("tests/") || !std::regex_search(line, match, kOurInclude)) return;
    std::string from = row_of(file.path);
    std::string to = row_of(match[1]);
    if (from.empty()) return void(ADD_FAILURE() << file.path << ": its folder has no row in the layering table");
    if (to.empty())
      return void(ADD_FAILURE() << file.path << ":" << number << ": found \"" << match[1]
                                << "\", expected a path from the root of the tree (<> for what is not ours)");
    EXPECT_TRUE(allowed(from).contains(to)) << file.path << ":" << number << ": " << from << " may not include " << to;
  });
}

TEST(Tidy, OnlyModelOsOfTheBoundaryKnowsTheModel) {
  each_line(
      [](const File& f) {
        return f.is_code() && f.path.starts_with("src/os/") && f.path.find("model") == std::string::npos;
      },
      [](const File& file, std::size_t number, const std::string& line) {
        std::smatch match;
        if (!std::regex_search(line, match, kOurInclude)) return;
        EXPECT_FALSE(match[1].str().starts_with("sim/")) << file.path << ":" << number << ": " << line;
      });
}

TEST(Tidy, LibrariesFromOutsideStayWhereTheyBelong) {
  // {what an include begins with, the only places that may have it}
  const std::vector<std::pair<std::string, std::vector<std::string>>> rules = {
      {"CLI/", {"src/cli/cli.cc", "src/cli/proof_commands.cc"}},
      {"graphviz/", {"sim/export/"}},
      {"yaml-cpp/", {}},
      {"libfyaml.h", {"src/scenario/"}},
      {"lua.hpp", {"src/service/"}},
      {"zstd.h", {"sim/trace/"}},
      {"imgui", {"gui/"}},
      {"GLFW/", {"gui/"}},
      {"glad/", {"gui/"}},
      {"gtest/", {"tests/"}},
      {"gmock/", {"tests/"}},
      {"event2/", {"src/bench/"}},
      {"uv.h", {"src/bench/"}},
      {"asio", {"src/bench/"}},
  };
  each_line(code, [&](const File& file, std::size_t number, const std::string& line) {
    std::smatch match;
    if (!std::regex_search(line, match, kAnyInclude)) return;
    for (const auto& [begins, places] : rules) {
      if (!match[1].str().starts_with(begins)) continue;
      bool fine = file.path.starts_with("tests/") && begins != "CLI/";
      for (const std::string& place : places) fine = fine || file.path.starts_with(place);
      EXPECT_TRUE(fine) << file.path << ":" << number << ": " << match[1] << " does not belong here";
    }
  });
}

// What a server thread does besides computing goes through Os, so that the model can play every machine.
TEST(Tidy, ServerAndServicesHaveNoThreadsClocksOrSleepOfTheirOwn) {
  const std::regex forbidden(
      R"(\bstd::(j?thread|mutex|recursive_mutex|condition_variable\w*|this_thread|random_device|chrono::\w*clock)\b|\b(usleep|nanosleep|clock_gettime|gettimeofday)\s*\()");
  each_line(
      [](const File& f) {
        return f.is_code() && (f.path.starts_with("src/server/") || f.path.starts_with("src/service/"));
      },
      [&](const File& file, std::size_t number, const std::string& line) {
        EXPECT_FALSE(std::regex_search(line, forbidden)) << file.path << ":" << number << ": " << line;
      });
}

// The model is deterministic: no clock, no chance, no threads in it.
TEST(Tidy, TheModelHasNoClockChanceOrThreads) {
  const std::regex forbidden(
      R"(\bstd::(j?thread|mutex|condition_variable\w*|this_thread|random_device|chrono::\w*clock)\b|\b(rand|time|clock_gettime|gettimeofday)\s*\((NULL|nullptr|0|CLOCK)|\bsource_location\b)");
  each_line(
      [](const File& f) {
        std::string row = row_of(f.path);
        return f.is_code() &&
               Names{"sim/engine", "sim/kernel", "sim/syscalls", "sim/check", "sim/record"}.contains(row);
      },
      [&](const File& file, std::size_t number, const std::string& line) {
        EXPECT_FALSE(std::regex_search(line, forbidden)) << file.path << ":" << number << ": " << line;
      });
}

TEST(Tidy, FilesAreShortEnoughToRead) {
  for (const File& file : tree()) {
    if (!file.is_code()) continue;
    EXPECT_LE(file.lines.size(), kMostLines) << file.path << ": split it (files aim at 400 lines)";
  }
}

TEST(Tidy, LinesAreShortEnoughToRead) {
  each_line(code, [](const File& file, std::size_t number, const std::string& line) {
    // counted in characters, not bytes
    auto length =
        std::count_if(line.begin(), line.end(), [](char c) { return (static_cast<unsigned char>(c) & 0xC0) != 0x80; });
    bool raw = line.find("R\"") != std::string::npos || line.find("://") != std::string::npos;
    EXPECT_TRUE(length <= 120 || raw) << file.path << ":" << number << ": " << length
                                      << " columns, expected 120 at most";
  });
}

TEST(Tidy, HeadersSayPragmaOnce) {
  for (const File& file : tree()) {
    if (!file.path.ends_with(".hh")) continue;
    EXPECT_TRUE(std::find(file.lines.begin(), file.lines.end(), "#pragma once") != file.lines.end()) << file.path;
  }
}

TEST(Tidy, EveryFolderOfCodeHasAReadme) {
  std::set<fs::path> folders;
  for (const File& file : tree())
    if (file.is_code() && !file.path.starts_with("tests/")) folders.insert(fs::path(file.path).parent_path());
  for (const fs::path& folder : folders)
    EXPECT_TRUE(fs::exists(fs::path(WAKEPATH_SOURCE_DIR) / folder / "README.md")) << folder << ": has no README.md";
}

TEST(Tidy, NothingNamesOneParticularMachine) {
  // written in pieces, so that this file does not find itself
  const std::regex machine(std::string("/wo") + R"(rk/(main|shared|\.)|/tmp/)" + "wt/|/ho" + R"(me/[a-z]+/|/ro)" +
                           "ot/");
  each_line(all, [&](const File& file, std::size_t number, const std::string& line) {
    EXPECT_FALSE(std::regex_search(line, machine)) << file.path << ":" << number << ": " << line;
  });
}

TEST(Tidy, NothingIsLeftForLater) {
  const std::regex later(std::string(R"(\b(TO)") + R"(DO|FIX)" + R"(ME|XX)" + R"(X)\b)");
  each_line(all, [&](const File& file, std::size_t number, const std::string& line) {
    EXPECT_FALSE(std::regex_search(line, later)) << file.path << ":" << number << ": " << line;
  });
}

TEST(Tidy, TestsDoNotWaitByTheClock) {
  const std::regex waits(
      R"(\b(sleep_for|sleep_until|usleep|nanosleep)\b|(^|[^.\w])sleep\s*\()");  // a Lua service's is the model's time
  each_line(
      [](const File& f) { return f.is_code() && f.path.starts_with("tests/") && !f.path.starts_with("tests/tidy/"); },
      [&](const File& file, std::size_t number, const std::string& line) {
        EXPECT_FALSE(std::regex_search(line, waits))
            << file.path << ":" << number << ": wait for what should happen, not for time: " << line;
      });
}

TEST(Tidy, NoWhitespaceAtTheEndOfLines) {
  each_line(all, [](const File& file, std::size_t number, const std::string& line) {
    bool golden = file.path.starts_with("tests/golden/");
    EXPECT_FALSE(!golden && !line.empty() && (line.back() == ' ' || line.back() == '\t' || line.back() == '\r'))
        << file.path << ":" << number;
  });
}

}  // namespace
