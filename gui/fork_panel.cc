// "Fork here": the words of the step in which the playhead stands, to be changed. Enter runs the changed scenario.
#include <algorithm>

#include "gui/panel.hh"
#include "gui/tongue.hh"

namespace wakepath::gui {

void open_fork(Ui& ui) {
  const auto current = ui.model.current_step();
  ui.note.clear();
  if (!ui.workshop.step_text || !ui.workshop.fork) return (void)(ui.note = "Only a scenario can be forked.");
  if (!current) return (void)(ui.note = "Go to a step first: it is that one's call that is changed.");
  const std::uint64_t step = ui.model.index().steps()[*current].number;
  ForkEditor& editor = ui.fork;
  if (editor.step != step) {
    const StepText text = ui.workshop.step_text(step);
    if (!text.problem.empty()) return (void)(ui.note = text.problem);
    editor = {.step = step, .before = text.words, .words = text.words};
  }
  editor.open = true;
  editor.take_focus = true;
  ui.model.play(false);
}

void run_fork(Ui& ui) {
  ForkEditor& editor = ui.fork;
  const std::string& words = editor.words;
  Fork fork = ui.workshop.fork(editor.step, words);
  editor.message = fork.message;
  if (fork.session == nullptr) return;  // what was typed stays
  ui.twin = std::make_unique<Twin>(std::move(fork.session), ui.model.trace(), fork.message);
  ui.twin_stage = {};
  editor.open = false;
  ui.model.seek_step(editor.step);
}

void draw_fork(Ui& ui, Rect area) {
  ForkEditor& editor = ui.fork;
  const float w = std::min(ui.px(720), area.w - ui.px(40));
  const Rect box{area.center().x - w / 2, area.y + ui.px(120), w, ui.px(186)};
  Panel panel("##fork", box, theme().raised, true);
  const Painter p(ImGui::GetWindowDrawList(), ui.scale);
  p.fill(box, ink(theme().raised));
  p.frame(box, ink(theme().user), p.px(4), 2);
  const float x = box.x + p.px(18), room = box.w - p.px(36);
  p.text(fonts().bold, {x, box.y + p.px(14)}, ink(theme().text), said("Fork here: change step {}", editor.step), room);
  p.text(fonts().small, {x, box.y + p.px(38)}, ink(theme().dim),
         tr("Enter runs it on the model, both futures side by side. Escape closes."), room);
  marks::put("fork/field", {x, box.y + p.px(62), room, p.px(30)});
  ImGui::SetCursorScreenPos({x, box.y + p.px(62)});
  ImGui::SetNextItemWidth(room);
  if (editor.take_focus) ImGui::SetKeyboardFocusHere();
  editor.take_focus = false;
  compat::push_font(fonts().mono.face, fonts().mono.px);
  const bool entered = ImGui::InputText("##forkwords", &editor.words, ImGuiInputTextFlags_EnterReturnsTrue);
  ImGui::PopFont();
  if (!editor.message.empty())
    p.wrapped(fonts().small, {x, box.y + p.px(102)}, ink(theme().bad), editor.message, room, 4);
  else
    p.text(fonts().mono_small, {x, box.y + p.px(102)}, ink(theme().dim), said("was {}", editor.before), room);
  if (compat::pressed(compat::Key::kEscape, false)) editor.open = false;
  if (entered) run_fork(ui), editor.take_focus = true;
}

}  // namespace wakepath::gui
