// wakepath view: a recording or a scenario in the window, or a picture of it.
#include <fmt/format.h>

#include <algorithm>
#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <string>

#include "src/cli/commands.hh"
#include "src/cli/file_session.hh"
#include "src/cli/open.hh"
#include "src/cli/output.hh"
#include "src/cli/selection.hh"
#include "src/lesson/grade.hh"
#ifdef WAKEPATH_GUI
#include "src/cli/course.hh"
#include "src/cli/notes_file.hh"
#include "src/cli/window_of.hh"
#include "src/cli/window_state.hh"
#include "src/cli/workshop.hh"
#endif

namespace wakepath::cli {

#ifdef WAKEPATH_GUI
namespace {

struct Paper {
  lesson::Answers answers;
  bool told = false;  ///< that it cannot be kept
};

/// The answers that `options` name, when there are some already. Or why they cannot be used.
std::string open_paper(const ViewOptions& options, Paper& paper) {
  paper.answers.story = std::filesystem::path(options.file).filename().string();
  paper.answers.student = options.student;
  if (options.answers.empty() || !std::filesystem::exists(options.answers)) return "";
  std::ifstream in(options.answers);
  if (!in) return options.answers + ": cannot be read";
  const auto read = lesson::read_answers(options.answers, {std::istreambuf_iterator<char>(in), {}});
  if (const auto* error = std::get_if<std::string>(&read)) return *error;
  const auto& earlier = std::get<lesson::Answers>(read);
  if (!earlier.story.empty() && earlier.story != paper.answers.story)
    return fmt::format("{}: found answers to {}, expected some to {}", options.answers, earlier.story,
                       paper.answers.story);
  if (!options.student.empty() && !earlier.student.empty() && earlier.student != options.student)
    return fmt::format("{}: found answers of {}, expected some of {}", options.answers, earlier.student,
                       options.student);
  paper.answers.by_step = earlier.by_step;
  if (options.student.empty()) paper.answers.student = earlier.student;
  return "";
}

void keep(Paper& paper, const std::string& file) {
  if (replace_file(file, lesson::answers_text(paper.answers))) return;
  if (!paper.told) fmt::print(stderr, "wakepath: {}: cannot be written; the answers live in the window alone\n", file);
  paper.told = true;
}

/// The second stage, when one is asked for. Or why there is none.
std::string put_beside(const ViewOptions& options, gui::WindowOptions& window) {
  if (!options.fork.empty()) {
    if (!window.workshop.fork) return options.file + ": found a recording, expected a scenario for --fork";
    const gui::Fork fork = window.workshop.fork(*options.step, options.fork);
    if (fork.session == nullptr) return fork.message;
    window.beside = fork.session;
    window.beside_message = fork.message;
  } else if (!options.beside.empty()) {
    Opened other = open_any(options.beside);
    if (other.trace == nullptr) return other.message;
    window.beside = std::make_shared<FileSession>(std::move(other.trace), options.beside);
    window.beside_message = other.message;
  }
  return "";
}

gui::Fold fold_named(const std::string& word) {
  const auto* found = std::find(kFoldWords.begin(), kFoldWords.end(), word);
  return static_cast<gui::Fold>(found == kFoldWords.end() ? 0 : found - kFoldWords.begin());
}

/// Panels as they were left, and all as it will be left. What is wrong with the file has been told with the looks.
void remember_window(gui::WindowOptions& window) {
  WindowState state;
  if (read_window_state(window_state_file(), state).empty())
    window.panels = {fold_named(state.calls), fold_named(state.words), fold_named(state.timeline)};
  window.remember = [](const gui::WindowOptions& left) {
    const auto word = [](gui::Fold fold) { return std::string(kFoldWords[static_cast<std::size_t>(fold)]); };
    const std::string why = write_window_state(
        window_state_file(), {left.width, left.height, left.theme, left.language, word(left.panels.calls),
                              word(left.panels.words), word(left.panels.timeline)});
    if (!why.empty()) std::fprintf(stderr, "wakepath: %s\n", why.c_str());
  };
}

/// The first screen: which story it is, into `options`. Nothing when none was chosen, and then `status` is the
/// program's.
bool choose(ViewOptions& options, int& status) {
  const std::string folder = course_folder();
  std::vector<std::string> problems;
  const std::vector<gui::Story> stories = folder.empty() ? std::vector<gui::Story>() : stories_of(folder, problems);
  for (const std::string& problem : problems) std::fprintf(stderr, "%s\n", problem.c_str());
  if (stories.empty()) {
    const char* named = std::getenv("WAKEPATH_SCENARIOS");
    status = fail(kWrong, fmt::format("view: found no FILE, and no scenarios in a folder '{}' to choose from{}",
                                      named != nullptr ? named : "scenarios",
                                      named != nullptr ? "" : " (WAKEPATH_SCENARIOS names another)"));
    return false;
  }
  gui::WindowOptions window = window_of(options.look);
  window.shot = options.shot;
  if (!options.shot.empty()) return status = gui::render_browser(stories, window), false;
  std::optional<std::size_t> chosen;
  status = gui::choose_story(stories, window, chosen);
  if (!chosen) return false;
  options.file = stories[*chosen].file;
  options.look = {window.width, window.height, options.look.scale, window.theme, window.language};
  return true;
}

}  // namespace
#endif

int view(const ViewOptions& asked) {
  ViewOptions options = asked;
  if (!options.shot.empty() && format_of_ending(options.shot) != "png")
    return fail(kWrong,
                fmt::format("{}: found the ending '.{}', expected .png", options.shot, format_of_ending(options.shot)));
#ifdef WAKEPATH_GUI
  int status = 0;
  if (options.file.empty() && !choose(options, status)) return status;
#endif
  std::string alone;
  // a picture is the same on every machine; who looks at the window is told what this one's kernel says
  Opened file = options.shot.empty() ? open_compared(options.file, alone) : open_any(options.file);
  if (!file.message.empty()) std::fprintf(stderr, "%s\n", file.message.c_str());
  if (file.trace == nullptr) return kWrong;
  if (const std::string problem = selects_nothing(options, *file.trace); !problem.empty()) return fail(kWrong, problem);
#ifdef WAKEPATH_GUI
  Paper paper;
  if (const std::string why = open_paper(options, paper); !why.empty()) return fail(kWrong, why);
  FileSession session(std::move(file.trace), options.file, alone.empty() ? "" : "not compared with a kernel: " + alone);
  gui::WindowOptions window = window_of(options.look);
  for (const auto& [step, given] : paper.answers.by_step) window.given[static_cast<std::uint64_t>(step)] = given;
  if (!options.answers.empty())
    window.keep = [&](const auto& given) {
      for (const auto& [step, text] : given) paper.answers.by_step[static_cast<int>(step)] = text;
      keep(paper, options.answers);
    };
  window.reduce_motion = options.reduce_motion;
  window.workshop = workshop_of(options.file);
  Notes notes(options.file);
  window.bookmarks = notes.all();
  window.keep_bookmarks = [&](const std::vector<gui::Bookmark>& all) { notes.keep(all); };
  if (options.shot.empty()) remember_window(window);
  if (const std::string why = put_beside(options, window); !why.empty()) return fail(kWrong, why);
  window.position = options.position;
  window.step = options.step;
  window.select = options.select;
  window.shot = options.shot;
  const bool no_display = std::getenv("DISPLAY") == nullptr && std::getenv("WAYLAND_DISPLAY") == nullptr;
  if (!options.shot.empty() && (options.headless || no_display)) return gui::render_shot(session, window);
  return gui::run_window(session, window);
#else
  std::fprintf(stderr, "wakepath: this build has no window (configured with WAKEPATH_GUI=OFF)\n");
  return 3;
#endif
}

}  // namespace wakepath::cli
