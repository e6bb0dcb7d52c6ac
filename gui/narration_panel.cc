#include <fmt/format.h>

#include "gui/fields.hh"
#include "gui/panel.hh"
#include "gui/tongue.hh"
#include "sim/export/explain.hh"
#include "sim/trace/lesson_words.hh"

namespace wakepath::gui {

namespace {

using trace::NoteKind;
using trace::Position;
using trace::Record;
using trace::RecordKind;

/// What the trace says in words up to the playhead, within the current step.
struct Words {
  std::string step, say, divergence;
  std::vector<std::string> rules;
};

Words collect(const ViewModel& m) {
  Words words;
  constexpr Position kMost = 20000;
  Position from = 0;
  if (auto step = m.current_step()) {
    const trace::StepEntry& entry = m.index().steps()[*step];
    from = entry.begin;
    words.step = m.step_words(entry);
  }
  if (m.position() - from > kMost) from = m.position() - kMost;
  for (Position p = from; p < m.position(); ++p) {
    const Record& r = m.trace()[p];
    if (r.kind == RecordKind::kNote && r.field == static_cast<std::uint16_t>(NoteKind::kSay))
      words.say = trace::words_of_note(m.trace().string(r.object)).in(language());
    if (r.kind == RecordKind::kDivergence) words.divergence = record_words(m.trace(), m.world(), p);
    if (r.kind == RecordKind::kRule && r.field < m.trace().schema().rules.size() && p >= m.stride_begin()) {
      const trace::Rule& rule = m.trace().schema().rules[r.field];
      words.rules.push_back(rule.id + "  " + exports::explain_rule(language(), rule));
    }
  }
  return words;
}

float box(const Painter& p, Rect r, std::string_view title, std::string_view body, Rgb colour, const Font& font,
          int most) {
  float inner = r.w - p.px(22);
  int lines = std::max(1, Painter::count_lines(font, body, inner, most));
  float h = p.px(30) + static_cast<float>(lines) * std::round(font.px * 1.32f);
  if (h > r.h) {
    lines = static_cast<int>((r.h - p.px(30)) / std::round(font.px * 1.32f));
    if (lines < 1) return 0;
    h = r.h;
  }
  Rect whole{r.x, r.y, r.w, h};
  p.fill(whole, ink(colour, 0.08f), p.px(7));
  p.frame(whole, ink(colour, 0.4f), p.px(7));
  p.text(fonts().small_bold, {r.x + p.px(11), r.y + p.px(6)}, ink(colour), title, inner);
  p.wrapped(font, {r.x + p.px(11), r.y + p.px(23)}, ink(theme().text), body, inner, lines);
  return h + p.px(6);
}

}  // namespace

void draw_narration(Ui& ui, Rect area) {
  Panel panel("##words", area, theme().panel);
  Painter p(ImGui::GetWindowDrawList(), ui.scale);
  const ViewModel& m = ui.model;
  p.line({area.x, area.y}, {area.right(), area.y}, ink(theme().line));
  if (const Quiz::Asked* asked = m.question(); asked != nullptr)
    return draw_question(ui, {area.x + p.px(12), area.y + p.px(10), area.w - p.px(24), area.h - p.px(18)}, *asked);
  Words words = collect(m);
  float pad = p.px(12), x = area.x + pad, w = area.w - 2 * pad, y = area.y + p.px(9);
  auto room = [&] { return Rect{x, y, w, area.bottom() - y - p.px(8)}; };
  auto step = m.current_step();
  std::string title = step ? said("STEP {} OF {}", m.index().steps()[*step].number, m.index().steps().size())
                           : std::string(tr("START"));
  if (!words.divergence.empty())
    y += box(p, room(), tr("MODEL AND KERNEL DISAGREE"), words.divergence, theme().bad, fonts().small, 3);
  y += box(p, room(), title,
           words.step.empty() ? tr("Nothing has happened yet. Step forward with Right, or play with Space.")
                              : std::string_view(words.step),
           theme().user, fonts().mono_small, 2);
  if (step && ui.workshop.fork && room().h > p.px(60)) {
    const std::string_view word = tr("Fork here   E");
    const Rect button{x, y, Painter::width(fonts().small, word) + p.px(18), p.px(24)};
    if (hit("fork/open", button)) open_fork(ui);
    p.fill(button, ink(ImGui::IsItemHovered() ? theme().hover : theme().button), p.px(6));
    p.text(fonts().small, {button.x + p.px(9), button.y + p.px(4.5f)}, ink(theme().text), word);
    y += p.px(30);
  }
  if (m.position() > 0)
    y += box(p, room(), tr("JUST NOW"), record_words(m.trace(), m.world(), m.position() - 1), theme().now,
             fonts().mono_small, 3);
  if (!words.say.empty()) y += box(p, room(), tr("WHAT TO SEE"), words.say, theme().socket, fonts().text, 6);
  for (std::size_t i = words.rules.size(); i-- > 0 && room().h > p.px(46);)
    y += box(p, room(), tr("RULE"), words.rules[i], theme().tcp, fonts().small, 2);
}

}  // namespace wakepath::gui
