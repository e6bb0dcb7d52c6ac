// "Why?": the reasons behind the step in which the playhead stands, over the stage.
#include <fmt/format.h>

#include "gui/panel.hh"
#include "gui/tongue.hh"
#include "sim/export/why.hh"

namespace wakepath::gui {

namespace {

/// Walks over causes cost time: they are made when the playhead has moved, not in every frame.
const std::vector<exports::WhyAnswer>& answers_of(Ui& ui) {
  const ViewModel& m = ui.model;
  if (ui.why_revision == m.revision() && ui.why_language == language()) return ui.why;
  ui.why_revision = m.revision();
  ui.why_language = language();
  ui.why.clear();
  if (auto step = m.current_step())
    ui.why = exports::why(m.trace(), m.index().steps()[*step].begin, m.position(), {.language = language()});
  return ui.why;
}

std::string head(const exports::WhyAnswer& answer) {
  switch (answer.kind) {
    case exports::WhyKind::kWoke:
      return said("{} woke", answer.actor);
    case exports::WhyKind::kReturned:
      return said("{}: {} returned {}", answer.actor, answer.call, answer.result);
    case exports::WhyKind::kBlocked:
      return said("{}: {} has not returned", answer.actor, answer.call);
    case exports::WhyKind::kHandled:
      return fmt::format("{}: {}", answer.actor, answer.call);
  }
  return "";
}

}  // namespace

void draw_why(Ui& ui, Rect area) {
  Panel panel("##why", area, theme().bg, true);
  Painter p(ImGui::GetForegroundDrawList(), ui.scale);
  if (hit("why/close", area)) ui.show_why = false;
  p.fill(area, ink(theme().bg, 0.92f));
  float margin = std::max(p.px(30), area.w * 0.12f);
  Rect box{area.x + margin, area.y + p.px(60), area.w - 2 * margin, area.h - p.px(120)};
  p.fill(box, ink(theme().raised), p.px(10));
  p.frame(box, ink(theme().line2), p.px(10));
  float x = box.x + p.px(24), w = box.w - p.px(48), y = box.y + p.px(18);
  p.text(fonts().title, {x, y}, ink(theme().text), tr("Why?"), w);
  y += p.px(38);
  auto line = [&](const Font& font, std::string_view words, Rgb colour, float indent) {
    int lines = std::max(1, Painter::count_lines(font, words, w - indent, 4));
    float h = static_cast<float>(lines) * std::round(font.px * 1.32f);
    if (y + h > box.bottom() - p.px(14)) return;
    p.wrapped(font, {x + indent, y}, ink(colour), words, w - indent, lines);
    y += h + p.px(3);
  };
  const auto& answers = answers_of(ui);
  if (answers.empty()) line(fonts().text, tr("Nobody woke, no call returned, and nobody waits."), theme().dim, 0);
  for (const exports::WhyAnswer& answer : answers) {
    line(fonts().bold, head(answer), theme().now, 0);
    for (const exports::WhyLine& reason : answer.lines) line(fonts().text, reason.text, theme().text, p.px(16));
    y += p.px(8);
  }
}

}  // namespace wakepath::gui
