// What can be done: the list of keys (F1), and the palette (Ctrl + P), in which a few letters find any of it.
#include <fmt/format.h>

#include <algorithm>
#include <optional>

#include "gui/commands.hh"
#include "gui/panel.hh"
#include "gui/tongue.hh"

namespace wakepath::gui {

void draw_help(Ui& ui, Rect area) {
  Panel panel("##help", area, theme().bg, true);
  const Painter p(ImGui::GetForegroundDrawList(), ui.scale);
  if (hit("help/close", area)) ui.show_help = false;
  const std::span<const Command> all = commands();
  const std::size_t columns = area.w >= p.px(1000) ? 2 : 1, rows = (all.size() + columns - 1) / columns;
  const float line = std::min(p.px(25), (area.h - p.px(90)) / static_cast<float>(rows));
  const float column = p.px(columns == 1 ? 560 : 480), w = column * static_cast<float>(columns);
  const float h = p.px(74) + line * static_cast<float>(rows);
  const Rect box{area.center().x - w / 2, area.center().y - h / 2, w, h};
  p.fill(area, ink(theme().bg, 0.92f));
  p.fill(box, ink(theme().raised), p.px(10));
  p.frame(box, ink(theme().line2), p.px(10));
  p.text(fonts().title, {box.x + p.px(24), box.y + p.px(18)}, ink(theme().text), tr("Keys"));
  for (std::size_t i = 0; i < all.size(); ++i) {
    const float x = box.x + p.px(24) + column * static_cast<float>(i / rows);
    const float y = box.y + p.px(56) + line * static_cast<float>(i % rows);
    p.text(fonts().mono_small, {x, y}, ink(theme().now), all[i].keys, p.px(140));
    p.text(fonts().small, {x + p.px(150), y}, ink(theme().text), tr(all[i].words), column - p.px(180));
  }
}

void open_palette(Ui& ui) {
  ui.palette = {.open = true, .take_focus = true};
  ui.model.play(false);
}

namespace {

/// What was chosen happens when the palette is gone: it may open something else.
void choose(Ui& ui, const PaletteLine& line) {
  ui.palette.open = false;
  if (line.command != nullptr)
    line.command->run(ui);
  else
    ui.model.seek_step(line.step);
}

void move(Palette& palette, std::size_t count) {
  if (palette.typed != palette.before) palette.chosen = 0, palette.before = palette.typed;
  if (compat::pressed(compat::Key::kDown)) ++palette.chosen;
  if (compat::pressed(compat::Key::kUp) && palette.chosen > 0) --palette.chosen;
  palette.chosen = std::min(palette.chosen, count == 0 ? 0 : count - 1);
}

}  // namespace

void draw_palette(Ui& ui, Rect area) {
  constexpr std::size_t kMost = 12;  // lines; the others are reached by Up and Down
  Palette& palette = ui.palette;
  const float line = ui.px(26), w = std::min(ui.px(640), area.w - ui.px(40));
  const Rect box{area.center().x - w / 2, area.y + ui.px(80), w, ui.px(66) + line * static_cast<float>(kMost)};
  Panel panel("##palette", box, theme().raised, true);
  const Painter p(ImGui::GetWindowDrawList(), ui.scale);
  p.fill(box, ink(theme().raised));
  p.frame(box, ink(theme().user), p.px(4), 2);
  const float x = box.x + p.px(14), room = box.w - p.px(28);
  marks::put("palette/field", {x, box.y + p.px(12), room, p.px(30)});
  ImGui::SetCursorScreenPos({x, box.y + p.px(12)});
  ImGui::SetNextItemWidth(room);
  if (palette.take_focus) ImGui::SetKeyboardFocusHere();
  palette.take_focus = false;
  compat::push_font(fonts().text.face, fonts().text.px);
  const bool entered = ImGui::InputTextWithHint("##palettewords", std::string(tr("What shall be done?")).c_str(),
                                                &palette.typed, ImGuiInputTextFlags_EnterReturnsTrue);
  ImGui::PopFont();
  const std::vector<PaletteLine> all = palette_lines(ui, palette.typed);
  move(palette, all.size());
  const std::size_t first = palette.chosen >= kMost ? palette.chosen - kMost + 1 : 0;
  float y = box.y + p.px(52);
  if (all.empty()) p.text(fonts().small, {x, y}, ink(theme().dim), tr("Nothing has these words."), room);
  std::optional<PaletteLine> taken;
  for (std::size_t i = first; i < std::min(all.size(), first + kMost); ++i, y += line) {
    const Rect row{box.x + p.px(6), y - p.px(2), box.w - p.px(12), line};
    if (i == palette.chosen) p.fill(row, ink(theme().hover), p.px(4));
    if (hit(fmt::format("palette/{}", i).c_str(), row)) taken = all[i];
    const char* keys = all[i].command != nullptr ? all[i].command->keys : "";
    p.text(fonts().text, {x, y + p.px(2)}, ink(theme().text), all[i].words, room - p.px(150));
    p.text_right(fonts().mono_small, {x + room, y + p.px(3)}, ink(theme().dim), keys, p.px(140));
  }
  if (compat::pressed(compat::Key::kEscape, false)) palette.open = false;
  if (entered && !all.empty()) taken = all[palette.chosen];
  if (entered && all.empty()) palette.take_focus = true;
  if (taken) choose(ui, *taken);
}

}  // namespace wakepath::gui
