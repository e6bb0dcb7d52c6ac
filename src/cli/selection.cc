#include "src/cli/selection.hh"

#include <fmt/format.h>

#include <algorithm>
#include <cctype>

#include "sim/trace/cursor.hh"
#include "sim/trace/index.hh"

namespace wakepath::cli {

namespace {

std::string lower(std::string text) {
  std::transform(text.begin(), text.end(), text.begin(), [](unsigned char c) { return std::tolower(c); });
  return text;
}

}  // namespace

std::string selects_nothing(const ViewOptions& options, const trace::Trace& trace) {
  if (options.select.empty()) return {};
  trace::Index index(trace);
  index.update();
  const auto at = options.step ? index.after_step(*options.step) : std::optional(options.position.value_or(0));
  if (!at) return {};  // the window says that there is no such step
  trace::Cursor cursor(trace);
  cursor.seek(*at);
  constexpr std::size_t kMostShown = 30;
  std::size_t count = 0;
  std::string there;
  for (const trace::Object& object : cursor.world().objects()) {
    if (object.id == 0) continue;
    const std::string name = trace::object_name(trace, cursor.world(), object.id);
    if (name == options.select || (object.alive && lower(name).find(lower(options.select)) != std::string::npos))
      return {};
    if (object.alive && count++ < kMostShown) there += (there.empty() ? "" : ", ") + name;
  }
  if (count > kMostShown) there += fmt::format(" and {} more", count - kMostShown);
  const std::string when =
      options.step ? fmt::format("after step {}", *options.step) : fmt::format("after {} records", *at);
  return fmt::format(
      "--select: found '{}', expected {} {}", options.select,
      count == 0 ? "a step or a position at which there are objects; there is none" : "one of " + there + ",", when);
}

}  // namespace wakepath::cli
