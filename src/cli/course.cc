#include "src/cli/course.hh"

#include <algorithm>
#include <cstdlib>
#include <filesystem>
#include <utility>

#include "src/scenario/parser.hh"

namespace wakepath::cli {

namespace fs = std::filesystem;

std::string course_folder() {
  std::error_code error;
  if (const char* named = std::getenv("WAKEPATH_SCENARIOS"); named != nullptr)
    return fs::is_directory(named, error) ? named : "";
  std::vector<fs::path> candidates{"scenarios"};
  const fs::path program = fs::read_symlink("/proc/self/exe", error);
  if (!error) candidates.push_back(program.parent_path() / "../../scenarios");
  for (const fs::path& one : candidates)
    if (fs::is_directory(one, error)) return one.lexically_normal().string();
  return "";
}

std::vector<gui::Story> stories_of(const std::string& folder, std::vector<std::string>& problems) {
  std::vector<fs::path> files;
  std::error_code error;
  for (const auto& entry : fs::directory_iterator(folder, error))
    if (entry.path().extension() == ".yaml" || entry.path().extension() == ".yml") files.push_back(entry.path());
  std::sort(files.begin(), files.end());
  std::vector<gui::Story> stories;
  for (const fs::path& file : files) {
    auto parsed = scenario::parse_file(file.string());
    if (const auto* problem = std::get_if<scenario::Problem>(&parsed)) {
      problems.push_back(problem->text());
      continue;
    }
    auto& story = std::get<scenario::Scenario>(parsed);
    stories.push_back({.file = file.string(),
                       .level = story.level,
                       .lesson = story.lesson ? story.lesson->first : 0,
                       .order = story.lesson ? story.lesson->second : 0,
                       .title = std::move(story.title),
                       .about = std::move(story.about)});
  }
  return stories;
}

}  // namespace wakepath::cli
