#include <fmt/format.h>

#include <utility>

#include "sim/export/objects.hh"
#include "sim/export/path.hh"
#include "sim/export/text.hh"
#include "sim/trace/cursor.hh"
#include "sim/trace/index.hh"
#include "src/lesson/lesson.hh"
#include "src/scenario/step_text.hh"

namespace wakepath::lesson {

namespace {

/// The <svg> element alone: the prolog and the comments are Graphviz's, and two pictures on one page may not share ids.
std::string element_of(const std::string& svg) {
  const std::size_t begin = svg.find("<svg");
  if (begin == std::string::npos) return "";
  std::string out;
  for (std::size_t at = begin; at < svg.size();) {
    if (svg.compare(at, 4, "<!--") == 0) {
      const std::size_t end = svg.find("-->", at);
      at = end == std::string::npos ? svg.size() : end + 3;
    } else if (svg.compare(at, 5, " id=\"") == 0) {
      at = svg.find('"', at + 5) + 1;
    } else {
      out += svg[at++];
    }
  }
  return out;
}

class Artist {
 public:
  Artist(const trace::Trace& trace, exports::LayoutHelper& helper) : trace_(trace), helper_(helper), cursor_(trace) {}

  Pictures of(const Slide& slide, const trace::StepEntry& entry) {
    const trace::Position from = entry.begin, to = entry.end != 0 ? entry.end + 1 : trace_.size();
    const std::string title = fmt::format("step {}: {}", entry.number, scenario::step_text(*slide.step));
    Pictures out;
    cursor_.seek(to);
    out.objects = drawn(exports::objects_dot(trace_, cursor_.world(),
                                             {.changed_from = from, .changed_to = to, .title = title, .subtitle = ""}));
    out.tree = exports::call_tree(trace_, from, to);
    if (!out.tree.empty()) out.path = drawn(exports::path_dot(trace_, from, to, {.title = title, .subtitle = ""}));
    return out;
  }
  /// What went wrong first; empty: nothing.
  [[nodiscard]] const std::string& error() const { return error_; }

 private:
  std::string drawn(const std::string& dot) {
    if (!error_.empty()) return "";
    exports::Picture picture = helper_.layout(dot, exports::LayoutFormat::kSvg);
    if (!picture.ok()) error_ = picture.error;
    return element_of(picture.bytes);
  }

  const trace::Trace& trace_;
  exports::LayoutHelper& helper_;
  trace::Cursor cursor_;
  std::string error_;
};

}  // namespace

std::variant<std::vector<Pictures>, std::string> draw(const std::vector<Slide>& slides, const trace::Trace& trace,
                                                      exports::LayoutHelper& helper) {
  trace::Index index(trace);
  index.update();
  Artist artist(trace, helper);
  std::vector<Pictures> out;
  auto entry = index.steps().begin();
  for (const Slide& slide : slides) {
    Pictures& pictures = out.emplace_back();
    if (slide.step == nullptr) continue;
    const auto number = static_cast<std::uint64_t>(slide.step->number);
    while (entry != index.steps().end() && entry->number < number) ++entry;
    if (entry == index.steps().end() || entry->number != number) continue;  // the run ended before it
    pictures = artist.of(slide, *entry);
    if (!artist.error().empty()) return artist.error();
  }
  return out;
}

}  // namespace wakepath::lesson
