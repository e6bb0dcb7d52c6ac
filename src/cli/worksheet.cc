// wakepath worksheet LESSON|FILE…: scenarios as sheets for students.
#include "src/lesson/worksheet.hh"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <filesystem>
#include <iterator>
#include <optional>

#include "src/cli/commands.hh"
#include "src/cli/output.hh"
#include "src/scenario/parser.hh"

namespace wakepath::cli {

namespace {

namespace fs = std::filesystem;
using Scenarios = std::vector<scenario::Scenario>;

std::optional<long> lesson_number(const std::string& word) {
  long number = 0;
  const auto [end, error] = std::from_chars(word.data(), word.data() + word.size(), number);
  return error == std::errc{} && end == word.data() + word.size() ? std::optional(number) : std::nullopt;
}

/// Reads a file into `into`; says what is wrong with it.
bool read(const std::string& file, Scenarios& into) {
  auto parsed = scenario::parse_file(file);
  if (const auto* problem = std::get_if<scenario::Problem>(&parsed)) {
    fail(kWrong, problem->text());
    return false;
  }
  into.push_back(std::get<scenario::Scenario>(std::move(parsed)));
  return true;
}

/// The files of a lesson, in its order.
bool read_lesson(const std::string& folder, long number, Scenarios& into) {
  std::error_code error;
  Scenarios all;
  for (const auto& entry : fs::directory_iterator(folder, error))
    if (entry.path().extension() == ".yaml" && !read(entry.path().string(), all)) return false;
  std::erase_if(all, [&](const auto& one) { return !one.lesson || one.lesson->first != number; });
  std::sort(all.begin(), all.end(), [](const auto& a, const auto& b) { return a.lesson->second < b.lesson->second; });
  if (all.empty()) {
    fail(kWrong, fmt::format("{}: found no file of lesson {}, expected a lesson of the course (--folder says where)",
                             folder, number));
    return false;
  }
  std::move(all.begin(), all.end(), std::back_inserter(into));
  return true;
}

}  // namespace

int worksheet(const WorksheetCommandOptions& options) {
  Scenarios scenarios;
  for (const std::string& word : options.what) {
    const auto number = lesson_number(word);
    if (!(number ? read_lesson(options.folder, *number, scenarios) : read(word, scenarios))) return kWrong;
  }
  return write_out(options.output, lesson::worksheet(scenarios, {options.language, options.answers}));
}

}  // namespace wakepath::cli
