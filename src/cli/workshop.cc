#include "src/cli/workshop.hh"

#include <fmt/format.h>

#include <fstream>
#include <iterator>
#include <utility>

#include "src/cli/file_session.hh"
#include "src/scenario/fork.hh"

namespace wakepath::cli {

namespace {

gui::Fork fork(const std::string& file, const std::string& text, std::uint64_t step, const std::string& words) {
  scenario::Fork made = scenario::run_fork(file, text, static_cast<int>(step), words);
  if (made.trace == nullptr) return {nullptr, made.message};
  return {std::make_shared<FileSession>(std::move(made.trace), fmt::format("{}: {}", step, words)), made.message};
}

}  // namespace

gui::Workshop workshop_of(const std::string& file) {
  if (!file.ends_with(".yaml") && !file.ends_with(".yml")) return {};
  std::ifstream in(file, std::ios::binary);
  const std::string text{std::istreambuf_iterator<char>(in), {}};
  gui::Workshop out;
  out.step_text = [file, text](std::uint64_t step) -> gui::StepText {
    const auto source = scenario::step_source(file, text, static_cast<int>(step));
    if (const auto* problem = std::get_if<scenario::Problem>(&source)) return {"", problem->text()};
    return {std::get<std::string>(source), ""};
  };
  out.fork = [file, text](std::uint64_t step, const std::string& words) { return fork(file, text, step, words); };
  return out;
}

}  // namespace wakepath::cli
