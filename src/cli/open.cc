#include "src/cli/open.hh"

#include <utility>

#include "sim/trace/file.hh"
#include "sim/trace/world.hh"
#include "src/scenario/compared.hh"
#include "src/scenario/model_machine.hh"
#include "src/scenario/parser.hh"

namespace wakepath::cli {
namespace {

bool is_scenario(const std::filesystem::path& path) {
  return path.extension() == ".yaml" || path.extension() == ".yml";
}

Opened opened(const scenario::Scenario& story, const scenario::FileResult& result,
              std::shared_ptr<trace::Trace> trace) {
  if (result.skipped) return {nullptr, story.file + ": not run: " + *result.skipped};
  Opened out{std::move(trace), ""};
  if (result.error)
    out.message = result.error->text();
  else if (!result.ok)
    out.message = story.file + ": not every step is as the file says; see wakepath run " + story.file;
  return out;
}

}  // namespace

Opened run_scenario(const scenario::Scenario& story) {
  std::shared_ptr<trace::Trace> trace;
  const scenario::FileResult result = scenario::run_on_model(story, {.slow = true}, &trace);
  return opened(story, result, std::move(trace));
}

Opened open_compared(const std::filesystem::path& path, std::string& alone) {
  if (!is_scenario(path)) return open_any(path);
  const auto parsed = scenario::parse_file(path.string());
  if (const auto* problem = std::get_if<scenario::Problem>(&parsed)) return {nullptr, problem->text()};
  const auto& story = std::get<scenario::Scenario>(parsed);
  std::shared_ptr<trace::Trace> trace;
  const scenario::Compared compared = scenario::run_compared(story, {.slow = true}, &trace);
  alone = compared.alone;
  return opened(story, compared.model, std::move(trace));
}

Opened open_any(const std::filesystem::path& path) {
  if (is_scenario(path)) {
    const auto parsed = scenario::parse_file(path.string());
    if (const auto* problem = std::get_if<scenario::Problem>(&parsed)) return {nullptr, problem->text()};
    return run_scenario(std::get<scenario::Scenario>(parsed));
  }
  trace::OpenedFile file = trace::open_file(path);
  return {std::move(file.trace), std::move(file.message)};
}

std::string tasks_there_are(const trace::Trace& trace, const trace::World& world) {
  std::string out;
  for (const trace::Task& task : world.tasks())
    if (task.object != 0) out += (out.empty() ? "" : ", ") + trace::task_name(trace, world, task.id);
  return out.empty() ? "no tasks at this moment" : out;
}

}  // namespace wakepath::cli
