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

void draw_help(Ui& ui, Rect area) {
  struct Line {
    const char *key, *what;
  };
  static constexpr Line kLines[] = {{"Space", "play, pause"},
                                    {"Right, Left", "one stop forward, back (of the chosen grain)"},
                                    {"Shift + Right, Left", "one step of the scenario forward, back"},
                                    {". and ,", "one record forward, back"},
                                    {"Down, Up", "to the next, the last call or return of a function"},
                                    {"S, Shift + S", "to the next, the last system call or its return"},
                                    {"N, Shift + N", "to the end of the next, the last step"},
                                    {"1 2 3 4", "grain: record, function, call, step"},
                                    {"1 ... 6", "answer the question that is open"},
                                    {"- and =", "slower, faster"},
                                    {"Home, End", "to the start, to the end (live: to now)"},
                                    {"L", "follow the running program"},
                                    {"/ or Ctrl + K", "find: an object, a function, sk_ack_backlog, wake server"},
                                    {"Enter, Shift + Enter", "there: to where it happens next, happened last"},
                                    {"Ctrl + Enter", "there: playing stops where it happens, or no longer"},
                                    {"F", "the whole trace on the timeline"},
                                    {"Escape", "select nothing; close this, or the second stage"},
                                    {"F2", "why: who woke, what returned, who still waits"},
                                    {"F3", "colours: dark, light, contrast, projector"},
                                    {"F4", "language"},
                                    {"E", "fork here: change the step's call, see both futures"},
                                    {"D", "with two stages: to the first difference"},
                                    {"B, G", "bookmark here, or no longer; the list of bookmarks"},
                                    {"F6, F7, F8", "call list, inspector and words, timeline: fold, unfold"},
                                    {"Ctrl + = and -", "everything larger, smaller"},
                                    {"F1", "this list"}};
  Panel panel("##help", area, theme().bg, true);
  Painter p(ImGui::GetForegroundDrawList(), ui.scale);
  if (hit("help/close", area)) ui.show_help = false;
  const float line_h = std::min(p.px(25), (area.h - p.px(90)) / static_cast<float>(std::size(kLines)));
  float h = p.px(74) + line_h * static_cast<float>(std::size(kLines));
  Rect box{area.center().x - p.px(280), area.center().y - h / 2, p.px(560), h};
  p.fill(area, ink(theme().bg, 0.92f));
  p.fill(box, ink(theme().raised), p.px(10));
  p.frame(box, ink(theme().line2), p.px(10));
  p.text(fonts().title, {box.x + p.px(24), box.y + p.px(18)}, ink(theme().text), tr("Keys"));
  float y = box.y + p.px(56);
  for (const Line& line : kLines) {
    p.text(fonts().mono, {box.x + p.px(24), y}, ink(theme().now), line.key, p.px(180));
    p.text(fonts().text, {box.x + p.px(210), y - p.px(1)}, ink(theme().text), tr(line.what), p.px(330));
    y += line_h;
  }
}

}  // namespace wakepath::gui
