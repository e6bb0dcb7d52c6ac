// Two futures side by side: the same step on both, what came out of it, and where they part.
#include "gui/panel.hh"
#include "gui/tongue.hh"

namespace wakepath::gui {

namespace {

constexpr float kHead = 66;
constexpr float kFoot = 30;

/// The step in which a model stands, and what came out of it.
struct Now {
  std::string step;
  std::string outcome;
};
Now now_of(Twin& twin, const ViewModel& model) {
  const auto current = model.current_step();
  if (!current) return {};
  const trace::StepEntry& step = model.index().steps()[*current];
  return {std::to_string(step.number) + "  " + model.step_words(step), twin.outcome_in(model)};
}

void draw_head(const Painter& p, Rect area, const std::string& title, const Now& now, Rgb accent, Rgb outcome) {
  const float x = area.x + p.px(12), w = area.w - p.px(24);
  p.fill({x, area.y + p.px(6), p.px(4), p.px(17)}, ink(accent), p.px(2));
  p.text(fonts().bold, {x + p.px(12), area.y + p.px(5)}, ink(theme().text), title, w - p.px(12));
  p.text(fonts().mono_small, {x, area.y + p.px(27)}, ink(theme().dim), now.step, w);
  p.text(fonts().mono_small, {x, area.y + p.px(45)}, ink(outcome), now.outcome, w);
}

void draw_foot(Ui& ui, const Painter& p, Rect area) {
  const exports::Beside& beside = ui.twin->differences();
  const float x = area.x + p.px(12), w = area.w - p.px(24), y = area.y + p.px(7);
  if (!beside.outcome) {
    p.text(fonts().small, {x, y}, ink(theme().good), tr("The same came out of every step."), w);
    return;
  }
  const bool clicked = hit("twin/difference", area);
  if (ImGui::IsItemHovered()) p.fill(area, ink(theme().hover, 0.6f));
  float used = p.pill({x, area.y + p.px(6)}, said("first difference: step {}   D", beside.outcome->step), theme().bad);
  const auto side = [](const std::string& words) { return words.empty() ? std::string(tr("nothing")) : words; };
  p.text(fonts().mono_small, {x + used + p.px(10), y}, ink(theme().text),
         side(beside.outcome->left) + "   \u2260   " + side(beside.outcome->right), w - used - p.px(10));
  if (clicked) ui.model.seek_step(beside.outcome->step);
}

}  // namespace

void draw_twin(Ui& ui, Rect area) {
  Twin& twin = *ui.twin;
  twin.follow(ui.model);
  const float half = area.w / 2, head = ui.px(kHead), foot = ui.px(kFoot);
  const Rect stages{area.x, area.y + head, half, area.h - head - foot};
  draw_stage_of(ui, ui.model, ui.stage, stages, "stage");
  draw_stage_of(ui, twin.model(), ui.twin_stage, {area.x + half, stages.y, half, stages.h}, "twin");
  Panel panel("##twinhead", {area.x, area.y, area.w, head}, theme().panel);
  const Painter p(ImGui::GetWindowDrawList(), ui.scale);
  const Now left = now_of(twin, ui.model), right = now_of(twin, twin.model());
  const auto& beside = twin.differences();
  const auto step = ui.model.current_step();
  const bool differs = beside.outcome && step && ui.model.index().steps()[*step].number >= beside.outcome->step &&
                       left.outcome != right.outcome;
  const Rgb colour = differs ? theme().bad : theme().text;
  draw_head(p, {area.x, area.y, half, head}, ui.model.session().title(), left, theme().user, colour);
  std::string title = twin.session().title();
  if (!twin.message().empty()) title += "   " + twin.message();
  draw_head(p, {area.x + half, area.y, half, head}, title, right, theme().now, colour);
  marks::put(differs ? "twin/differs" : "twin/same", {area.x, area.y, area.w, head});
  {
    Panel below("##twinfoot", {area.x, area.bottom() - foot, area.w, foot}, theme().panel);
    draw_foot(ui, Painter(ImGui::GetWindowDrawList(), ui.scale), {area.x, area.bottom() - foot, area.w, foot});
  }
  const Painter over(ImGui::GetForegroundDrawList(), ui.scale);
  over.line({area.x + half, area.y}, {area.x + half, area.bottom() - foot}, ink(theme().line2), 2);
}

}  // namespace wakepath::gui
