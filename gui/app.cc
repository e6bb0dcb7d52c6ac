#include "gui/app.hh"

#include <algorithm>

#include "gui/commands.hh"
#include "gui/draw.hh"
#include "gui/panel.hh"
#include "gui/tongue.hh"

namespace wakepath::gui {

namespace {
constexpr double kPulse = 2.5;  // seconds that the path pulses after a move; then the window goes to sleep
constexpr float kLow = 720;     // windows less high than this have a timeline without its head

}  // namespace

std::string next_of(const std::vector<std::string>& all, const std::string& one) {
  const auto found = std::find(all.begin(), all.end(), one);
  return found == all.end() || found + 1 == all.end() ? all.front() : *(found + 1);
}

Panel::Panel(const char* name, Rect area, Rgb background, bool front) {
  ImGui::SetNextWindowPos({area.x, area.y});
  ImGui::SetNextWindowSize({area.w, area.h});
  if (front) ImGui::SetNextWindowFocus();
  ImGui::PushStyleVar(ImGuiStyleVar_WindowPadding, ImVec2(0, 0));
  ImGui::PushStyleColor(ImGuiCol_WindowBg, ink(background, front ? 0.0f : 1.0f));
  ImGui::Begin(name, nullptr,
               ImGuiWindowFlags_NoDecoration | ImGuiWindowFlags_NoMove | ImGuiWindowFlags_NoSavedSettings |
                   ImGuiWindowFlags_NoNav | (front ? 0 : ImGuiWindowFlags_NoBringToFrontOnFocus));
  ImGui::PopStyleColor();  // at once: a tooltip of the panel has its own
  ImGui::PopStyleVar();
}

Panel::~Panel() { ImGui::End(); }

float panel_head(const Painter& paint, Point p, std::string_view title, std::string_view sub, Rgb accent, float room) {
  paint.fill({p.x, p.y + paint.px(2), paint.px(4), paint.px(17)}, ink(accent), paint.px(2));
  float w =
      paint.text(fonts().bold, {p.x + paint.px(12), p.y + paint.px(1)}, ink(theme().text), title, room - paint.px(12));
  paint.text(fonts().small, {p.x + w + paint.px(22), p.y + paint.px(3.5f)}, ink(theme().dim), sub,
             room - w - paint.px(22));
  return paint.px(26);
}

bool hit(const char* name, Rect rect) {
  marks::put(name, rect);
  if (rect.w < 1 || rect.h < 1) return false;
  ImGui::SetCursorScreenPos({rect.x, rect.y});
  return ImGui::InvisibleButton(name, {rect.w, rect.h});
}

void apply_style(float scale) {
  const Theme& t = theme();
  ImGuiStyle& s = ImGui::GetStyle();
  s = ImGuiStyle();
  s.WindowPadding = {12, 10}, s.FramePadding = {9, 5}, s.ItemSpacing = {8, 6};
  s.WindowRounding = 0, s.FrameRounding = 6, s.GrabRounding = 6, s.PopupRounding = 8, s.ScrollbarRounding = 8;
  s.ScrollbarSize = 9, s.WindowBorderSize = 0, s.PopupBorderSize = 1;
  s.ScaleAllSizes(scale);
  auto v = [](Rgb c, float a = 1) { return ImGui::ColorConvertU32ToFloat4(ink(c, a)); };
  ImVec4* c = s.Colors;
  c[ImGuiCol_WindowBg] = v(t.panel), c[ImGuiCol_ChildBg] = v(t.panel, 0), c[ImGuiCol_PopupBg] = v(t.raised);
  c[ImGuiCol_Border] = v(t.line), c[ImGuiCol_Text] = v(t.text), c[ImGuiCol_TextDisabled] = v(t.dim);
  c[ImGuiCol_FrameBg] = v(t.button), c[ImGuiCol_FrameBgHovered] = v(t.hover), c[ImGuiCol_FrameBgActive] = v(t.hover);
  c[ImGuiCol_Button] = v(t.button), c[ImGuiCol_ButtonHovered] = v(t.hover), c[ImGuiCol_ButtonActive] = v(t.line2);
  c[ImGuiCol_ScrollbarBg] = v(t.panel, 0), c[ImGuiCol_ScrollbarGrab] = v(t.line2);
  c[ImGuiCol_TextSelectedBg] = v(t.user, 0.35f), c[ImGuiCol_NavHighlight] = v(t.user);
}

App::App(ViewModel& model, float scale, bool reduce_motion)
    : model_(&model),
      ui_{.model = model,
          .scale = scale,
          .wanted_scale = scale,
          .reduce_motion = reduce_motion,
          .rows = TimelineRows(model.trace())} {}

void App::offer(const WindowOptions& options) {
  ui_.workshop = options.workshop;
  ui_.panels = options.panels;
  ui_.bookmarks.resume(options.bookmarks, options.keep_bookmarks);
  if (options.beside != nullptr)
    ui_.twin = std::make_unique<Twin>(options.beside, model_->trace(), options.beside_message);
}

bool App::animating() const {
  return model_->playing() || (!ui_.reduce_motion && since_move_ < kPulse && model_->position() > 0);
}

/// An open question takes the digits; otherwise they choose the grain.
void App::digits() {
  static constexpr Grain kGrains[] = {Grain::kRecord, Grain::kFunction, Grain::kSyscall, Grain::kStep};
  const Quiz::Asked* asked = model_->question();
  const bool open = asked != nullptr && !model_->quiz().given_to(asked->step);
  for (std::size_t i = 0; i < 6; ++i) {
    if (!compat::pressed(static_cast<compat::Key>(static_cast<std::size_t>(compat::Key::kOne) + i), false)) continue;
    if (open && i < asked->question.choices.size())
      model_->answer(std::to_string(i + 1));
    else if (open && i < asked->question.names.size())
      model_->answer(asked->question.names[i]);
    else if (!open && i < std::size(kGrains))
      model_->set_grain(kGrains[i]);
  }
}

void App::keys() {
  if (ImGui::GetIO().WantTextInput || ui_.palette.open) return;
  if (ui_.show_bookmarks && !compat::ctrl_held() && bookmark_keys(ui_)) return;
  if (!compat::ctrl_held()) digits();
  run_keys(ui_);
}

PanelSizes App::divide(float width, float height) const {
  const auto shown = [](Fold fold, bool room) { return fold == Fold::kShown || (fold == Fold::kRoom && room); };
  const bool wide = width >= ui_.px(1700), low = height < ui_.px(kLow);
  PanelSizes sizes;
  const bool one = ui_.twin == nullptr;  // two stages need what panels take
  if (shown(ui_.panels.calls, one && width >= ui_.px(1200))) sizes.calls = ui_.px(wide ? 286 : 214);
  if (shown(ui_.panels.words, one && width >= ui_.px(760)) || (one && model_->question() != nullptr))
    sizes.words = ui_.px(wide ? 366 : 276);
  if (shown(ui_.panels.timeline, height >= ui_.px(480)))
    sizes.timeline = low ? ui_.px(104) : std::min(ui_.px(236), height * 0.222f);
  return sizes;
}

void App::frame(float width, float height, double seconds) {
  marks::clear();
  model_->poll();
  model_->tick(seconds);
  keys();
  ui_.rows.update();
  if (model_->position() != seen_position_) {
    seen_position_ = model_->position();
    ui_.note.clear();
    since_move_ = 0;
  } else {
    since_move_ += seconds;
  }
  ui_.clock = ui_.reduce_motion ? 0 : ui_.clock + seconds;
  ui_.sizes = divide(width, height);
  const float top = ui_.px(54), status = ui_.px(25), bottom = ui_.sizes.timeline, left = ui_.sizes.calls,
              right = ui_.sizes.words;
  float middle = std::max(ui_.px(200), height - top - status - bottom);
  const bool asks = model_->question() != nullptr;
  float words = std::clamp(middle * (asks ? 0.66f : 0.40f), ui_.px(150), ui_.px(asks ? 480 : 290));
  Rect stage{left, top, std::max(ui_.px(200), width - left - right), middle};
  draw_topbar(ui_, {0, 0, width, top});
  if (left > 0) draw_stack(ui_, {0, top, left, middle});
  if (ui_.twin != nullptr)
    draw_twin(ui_, stage);
  else
    draw_stage(ui_, stage);
  if (right > 0) draw_inspector(ui_, {stage.right(), top, right, middle - words});
  if (right > 0) draw_narration(ui_, {stage.right(), top + middle - words, right, words});
  if (bottom > 0) draw_timeline(ui_, {0, top + middle, width, bottom});
  draw_status(ui_, {0, height - status, width, status});
  Painter paint(ImGui::GetForegroundDrawList(), ui_.scale);
  for (float x : {left, stage.right()}) paint.line({x, top}, {x, top + middle}, ink(theme().line));
  for (float y : {top, top + middle, height - status}) paint.line({0, y}, {width, y}, ink(theme().line));
  if (ui_.fork.open) draw_fork(ui_, {0, 0, width, height});
  if (ui_.show_bookmarks) draw_bookmarks(ui_, {0, 0, width, height});
  if (ui_.show_why) draw_why(ui_, {0, 0, width, height});
  if (ui_.show_help) draw_help(ui_, {0, 0, width, height});
  if (ui_.palette.open) draw_palette(ui_, {0, 0, width, height});
}

}  // namespace wakepath::gui
