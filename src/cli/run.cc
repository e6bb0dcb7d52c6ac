#include <fmt/core.h>
#include <unistd.h>

#include <algorithm>
#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <nlohmann/json.hpp>

#include "src/cli/commands.hh"
#include "src/cli/output.hh"
#include "src/scenario/json_output.hh"
#include "src/scenario/kernel_run.hh"
#include "src/scenario/kernel_versions.hh"
#include "src/scenario/known_gaps.hh"
#include "src/scenario/model_machine.hh"
#include "src/scenario/parser.hh"
#include "src/scenario/text_output.hh"

namespace wakepath::cli {
namespace {

using scenario::FileResult;
using scenario::Problem;
using scenario::Scenario;

constexpr int kDiffers = 1, kFileWrong = 2, kUnavailable = 3;

/// When several files end differently, the status names the gravest: a wrong file, then a difference, then a machine
/// that is not there.
int graver(int a, int b) {
  static const int rank[] = {0, 2, 3, 1};
  return rank[a] >= rank[b] ? a : b;
}

class RunCommand {
 public:
  explicit RunCommand(const RunOptions& options) : options_(options) {
    style_.colour = isatty(STDOUT_FILENO) != 0 && std::getenv("NO_COLOR") == nullptr;
    style_.language = options.language;
  }

  int all() {
    if (const std::string problem = no_folder("--views", options_.views); !problem.empty()) {
      fmt::print(stderr, "wakepath: {}\n", problem);
      return kFileWrong;
    }
    for (const std::string& file : options_.files) {
      const auto parsed = scenario::parse_file(file);
      if (const auto* problem = std::get_if<Problem>(&parsed)) {
        wrong(*problem);
      } else {
        one(std::get<Scenario>(parsed));
      }
    }
    if (options_.format == "junit") {
      fmt::print("{}", scenario::junit_report(junit_));
    }
    return status_;
  }

 private:
  void print(const nlohmann::ordered_json& json) {
    fmt::print("{}\n", json.dump(-1, ' ', false, nlohmann::ordered_json::error_handler_t::replace));
    std::fflush(stdout);
  }

  void wrong(const Problem& problem) {
    status_ = graver(status_, kFileWrong);
    fmt::print(stderr, "{}\n", problem.text());
    if (options_.format == "json") {
      print(scenario::to_json(problem));
    } else if (options_.format == "junit") {
      junit_.push_back({problem.file, options_.on, "", problem.text(), ""});
    }
  }

  void one(const Scenario& file) {
    say_if_no_views(file);
    std::optional<FileResult> model, kernel;
    if (options_.on != "kernel") {
      model = scenario::run_on_model(file, options_for("model", file.file));
      report(file, *model);
    }
    if (options_.on != "model") {
      kernel = scenario::run_on_kernel(file, options_for("kernel", file.file));
      report(file, *kernel);
    }
    if (model && kernel) {
      compare(file, *model, *kernel);
    }
  }

  void say_if_no_views(const Scenario& file) const {
    const bool marks = std::any_of(file.steps.begin(), file.steps.end(),
                                   [](const scenario::Step& step) { return step.kind == scenario::Step::Kind::mark; });
    if (!options_.views.empty() && !marks) {
      fmt::print(stderr,
                 "{}: has no mark, so there are no views of it: write a step `mark: NAME` where they are wanted\n",
                 file.file);
    }
  }

  scenario::RunOptions options_for(std::string_view machine, const std::string& file) const {
    return {options_.slow,
            options_.views.empty() ? "" : fmt::format("{}{}/{}", options_.views, own_folder(file), machine)};
  }

  /// With several files, "/NAME" of a file: marks of one name must not meet. Of files of one name the whole path.
  std::string own_folder(const std::string& file) const {
    namespace fs = std::filesystem;
    if (options_.files.size() < 2) {
      return {};
    }
    const auto stem = [](const std::string& path) { return fs::path(path).stem().string(); };
    const auto namesakes = std::count_if(options_.files.begin(), options_.files.end(),
                                         [&](const std::string& other) { return stem(other) == stem(file); });
    if (namesakes < 2) {
      return "/" + stem(file);
    }
    std::string whole = fs::path(file).lexically_normal().replace_extension().string();
    std::replace(whole.begin(), whole.end(), '/', '-');
    return "/" + whole;
  }

  void report(const Scenario& file, const FileResult& result) {
    if (result.error) {
      status_ = graver(status_, kFileWrong);
      fmt::print(stderr, "{}\n", result.error->text());
    } else if (result.unavailable) {
      status_ = graver(status_, kUnavailable);
    } else if (!result.ok && !result.skipped) {
      status_ = graver(status_, kDiffers);
    }
    if (options_.format == "json") {
      print(scenario::to_json(result));
    } else if (options_.format == "junit") {
      junit_.push_back(scenario::junit_case(file, result));
    } else {
      fmt::print("{}", scenario::text_report(file, result, style_));
      std::fflush(stdout);
    }
  }

  void compare(const Scenario& file, const FileResult& model, const FileResult& kernel) {
    const bool comparable = !model.skipped && !kernel.skipped;
    std::vector<std::string> gaps;
    if (comparable && !scenario::judge(model, kernel).failing.empty()) {
      status_ = graver(status_, kDiffers);
      gaps = scenario::known_gaps(file, kernel);
    }
    if (options_.format == "json") {
      nlohmann::ordered_json json = scenario::comparison(model, kernel);
      if (!gaps.empty()) {
        json["known"] = gaps;
      }
      print(json);
    } else if (options_.format == "junit") {
      junit_.push_back(scenario::junit_comparison(model, kernel));
    } else {
      fmt::print("{}", scenario::text_comparison(model, kernel, style_));
      for (const std::string& gap : gaps) {
        fmt::print("  known: {}\n", gap);
      }
    }
  }

  const RunOptions& options_;
  scenario::TextStyle style_;
  std::vector<scenario::JunitCase> junit_;
  int status_ = 0;
};

}  // namespace

int run(const RunOptions& options) { return RunCommand(options).all(); }

}  // namespace wakepath::cli
