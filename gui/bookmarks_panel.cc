// The list of bookmarks over the stage: Up and Down go from one to the other, Enter writes the note of the one here.
#include <algorithm>

#include "gui/panel.hh"
#include "gui/tongue.hh"

namespace wakepath::gui {

namespace {

void edit_note(Ui& ui) {
  const Bookmark* here = ui.bookmarks.at(ui.model.position());
  if (here == nullptr) return;
  ui.note_words = here->note;
  ui.note_of = here->record;
  ui.note_focus = true;
}

}  // namespace

void toggle_bookmark(Ui& ui) {
  const ViewModel& m = ui.model;
  const auto step = m.current_step();
  ui.note_of.reset();
  if (!ui.bookmarks.toggle(m.position(), step ? m.index().steps()[*step].number : 0)) return;
  ui.show_bookmarks = true;
  edit_note(ui);
}

bool bookmark_keys(Ui& ui) {
  for (int direction : {1, -1})
    if (compat::pressed(direction > 0 ? compat::Key::kDown : compat::Key::kUp)) {
      if (const Bookmark* next = ui.bookmarks.beside(ui.model.position(), direction)) ui.model.seek(next->record);
      return true;
    }
  if (!compat::pressed(compat::Key::kEnter, false)) return false;
  edit_note(ui);
  return true;
}

void draw_bookmarks(Ui& ui, Rect area) {
  constexpr std::size_t kMost = 14;  // lines; the others are reached by Up and Down
  const std::vector<Bookmark> all = ui.bookmarks.all();
  const float line = ui.px(26), w = std::min(ui.px(560), area.w - ui.px(40));
  const Rect box{area.center().x - w / 2, area.y + ui.px(90), w,
                 ui.px(78) + line * static_cast<float>(std::clamp<std::size_t>(all.size(), 1, kMost))};
  Panel panel("##bookmarks", box, theme().raised, true);
  const Painter p(ImGui::GetWindowDrawList(), ui.scale);
  p.fill(box, ink(theme().raised));
  p.frame(box, ink(theme().now), p.px(4), 2);
  const float x = box.x + p.px(18), room = box.w - p.px(36);
  p.text(fonts().bold, {x, box.y + p.px(12)}, ink(theme().text), tr("Bookmarks"), room);
  p.text(fonts().small, {x, box.y + p.px(34)}, ink(theme().dim),
         tr("B sets or takes away   Up Down go   Enter writes a note   Escape closes"), room);
  float y = box.y + p.px(62);
  if (all.empty()) p.text(fonts().small, {x, y}, ink(theme().dim), tr("none yet"), room);
  std::size_t first = 0;
  for (std::size_t i = 0; i < all.size(); ++i)
    if (all[i].record <= ui.model.position() && i >= kMost) first = i - kMost + 1;
  for (std::size_t i = first; i < std::min(all.size(), first + kMost); ++i, y += line) {
    const Bookmark& one = all[i];
    const Rect row{box.x + p.px(8), y - p.px(3), box.w - p.px(16), line};
    const bool here = one.record == ui.model.position();
    const bool writes = ui.note_of == one.record;
    const std::string place = said("step {}, record {}", one.step, one.record);
    if (!writes && hit(("bookmark/" + std::to_string(one.record)).c_str(), row)) ui.model.seek(one.record);
    if (here) p.fill(row, ink(theme().now, 0.18f), p.px(5));
    const float used = p.text(fonts().mono_small, {x, y + p.px(2)}, ink(theme().now), place, room) + p.px(14);
    if (!writes) {
      p.text(fonts().text, {x + used, y}, ink(theme().text), one.note, room - used);
      continue;
    }
    ImGui::SetCursorScreenPos({x + used, y - p.px(2)});
    ImGui::SetNextItemWidth(room - used);
    if (ui.note_focus) ImGui::SetKeyboardFocusHere();
    ui.note_focus = false;
    if (ImGui::InputText("##note", &ui.note_words, ImGuiInputTextFlags_EnterReturnsTrue)) {
      ui.bookmarks.note(one.record, ui.note_words);
      ui.note_of.reset();
    } else if (compat::pressed(compat::Key::kEscape, false)) {
      ui.note_of.reset();
    }
  }
}

}  // namespace wakepath::gui
