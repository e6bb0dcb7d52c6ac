// wakepath export FILE --html PAGE: a scenario as one page for any browser.
#include <fmt/format.h>

#include "src/cli/commands.hh"
#include "src/cli/open.hh"
#include "src/cli/output.hh"
#include "src/lesson/lesson.hh"
#include "src/scenario/parser.hh"

namespace wakepath::cli {

int export_lesson(const std::string& file, const std::string& page) {
  if (!file.ends_with(".yaml") && !file.ends_with(".yml"))
    return fail(kWrong, fmt::format("{}: --html makes a page of a scenario: expected a file ending in .yaml", file));
  const auto parsed = scenario::parse_file(file);
  if (const auto* problem = std::get_if<scenario::Problem>(&parsed)) return fail(kWrong, problem->text());
  const auto& story = std::get<scenario::Scenario>(parsed);
  const Opened opened = run_scenario(story);
  if (!opened.trace) return fail(kWrong, opened.message);
  if (!opened.message.empty()) fmt::print(stderr, "{}\n", opened.message);
  const auto slides = lesson::slides_of(story);
  exports::LayoutHelper helper;
  const auto drawn = lesson::draw(slides, *opened.trace, helper);
  if (const auto* error = std::get_if<std::string>(&drawn)) return fail(kLacking, "no picture: " + *error);
  return write_out(page, lesson::page(story, slides, std::get<std::vector<lesson::Pictures>>(drawn)));
}

}  // namespace wakepath::cli
