#include <fmt/format.h>

#include "gui/panel.hh"
#include "gui/tongue.hh"

namespace wakepath::gui {

void draw_status(Ui& ui, Rect area) {
  Panel panel("##status", area, theme().bar);
  Painter p(ImGui::GetWindowDrawList(), ui.scale);
  const ViewModel& m = ui.model;
  const trace::World& world = m.world();
  float x = area.x + p.px(14), y = area.y + p.px(5);
  auto word = [&](const std::string& text, Rgb colour) {
    x += p.text(fonts().small, {x, y}, ink(colour), text, p.px(420)) + p.px(20);
  };
  word(said("record {} / {}", m.position(), m.end()), theme().dim);
  if (!m.index().steps().empty()) word(said("step {} / {}", world.step(), m.index().steps().size()), theme().dim);
  Verdict verdict = m.verdict();
  Rgb colours[] = {theme().dim, theme().good, theme().bad};
  Rect badge{x, area.y + p.px(3.5f), 0, area.h - p.px(7)};
  badge.w = p.pill({badge.x, badge.y}, tr(verdict.badge), colours[static_cast<int>(verdict.kind)]);
  hit("status/verdict", badge);
  if (ImGui::IsItemHovered()) ImGui::SetTooltip("%s", verdict.about.c_str());
  x += badge.w + p.px(14);
  for (std::size_t i = 0; i < m.breakpoints().size(); ++i) {
    const std::string text = m.breakpoints()[i].text;
    Rect stop{x, badge.y, 0, badge.h};
    stop.w = p.pill({stop.x, stop.y}, said("stops at {}", text), theme().now, false, p.px(260));
    const bool clicked = hit(fmt::format("status/breakpoint/{}", i).c_str(), stop);
    if (ImGui::IsItemHovered()) ImGui::SetTooltip("%s", std::string(tr("A click takes it away")).c_str());
    x += stop.w + p.px(8);
    if (clicked) return (void)ui.model.toggle_breakpoint(text);
  }
  if (!ui.found.empty()) word(fmt::format("{}: {}", ui.search, tr(ui.found)), theme().bad);
  if (!ui.note.empty()) word(std::string(tr(ui.note)), theme().bad);
  if (world.peers() != 0) word(said("{} peer events", world.peers()), theme().dim);
  if (m.session().live())
    word(std::string(tr(m.following() ? "live, following" : "live, standing back")),
         m.following() ? theme().good : theme().syscall);
  std::string_view keys =
      tr("Space play   Left Right step   , . record   Up Down function   S call   N step   / find   F1 keys");
  float room = area.right() - p.px(14) - x;
  float status_room = room - Painter::width(fonts().small, keys) - p.px(20);
  if (status_room > p.px(80)) p.text(fonts().small, {x, y}, ink(theme().dim), m.session().status(), status_room);
  if (room > p.px(120)) p.text_right(fonts().small, {area.right() - p.px(14), y}, ink(theme().dim), keys, room);
}

}  // namespace wakepath::gui
