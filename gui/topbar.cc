#include <fmt/format.h>

#include "gui/panel.hh"
#include "gui/tongue.hh"

namespace wakepath::gui {

namespace {

enum class Icon { kStart, kBack, kPlay, kPause, kForward, kEnd };

void draw_icon(const Painter& p, Icon icon, Point c, ImU32 colour) {
  auto triangle = [&](float x, float direction) {
    float s = p.px(5.5f);
    x = p.px(x);
    p.list()->AddTriangleFilled({c.x + x - direction * s * 0.7f, c.y - s}, {c.x + x - direction * s * 0.7f, c.y + s},
                                {c.x + x + direction * s, c.y}, colour);
  };
  auto bar = [&](float x) { p.fill({c.x + p.px(x) - p.px(1.5f), c.y - p.px(6), p.px(3), p.px(12)}, colour, p.px(1)); };
  switch (icon) {
    case Icon::kStart:
      bar(-6), triangle(2, -1);
      break;
    case Icon::kBack:
      triangle(-1, -1);
      break;
    case Icon::kPlay:
      triangle(0, 1);
      break;
    case Icon::kPause:
      bar(-4), bar(4);
      break;
    case Icon::kForward:
      triangle(1, 1);
      break;
    case Icon::kEnd:
      triangle(-2, 1), bar(6);
      break;
  }
}

bool icon_button(const Painter& p, const char* name, Icon icon, Point& cursor, bool on, const char* tip) {
  Rect r{cursor.x, cursor.y, p.px(34), p.px(30)};
  bool clicked = hit(name, r);
  bool hovered = ImGui::IsItemHovered();
  p.fill(r, on ? ink(theme().user) : ink(hovered ? theme().hover : theme().button), p.px(6));
  draw_icon(p, icon, r.center(), on ? ink(theme().on_colour) : ink(theme().text));
  if (hovered) ImGui::SetTooltip("%s", std::string(tr(tip)).c_str());
  cursor.x = r.right() + p.px(4);
  return clicked;
}

bool word_button(const Painter& p, const char* name, std::string_view english, Point& cursor, bool on,
                 const char* tip) {
  const std::string_view word = tr(english);
  float w = Painter::width(fonts().small, word) + p.px(18);
  Rect r{cursor.x, cursor.y, w, p.px(30)};
  bool clicked = hit(name, r);
  bool hovered = ImGui::IsItemHovered();
  p.fill(r, on ? ink(theme().user, 0.26f) : ink(hovered ? theme().hover : theme().button), p.px(6));
  if (on) p.frame(r, ink(theme().user, 0.7f), p.px(6));
  p.text(fonts().small, {r.x + p.px(9), r.y + p.px(7.5f)}, ink(on ? theme().text : theme().dim), word);
  if (hovered) ImGui::SetTooltip("%s", std::string(tr(tip)).c_str());
  cursor.x = r.right() + p.px(3);
  return clicked;
}

void draw_transport(Ui& ui, const Painter& p, Point& cursor) {
  ViewModel& m = ui.model;
  if (icon_button(p, "transport/start", Icon::kStart, cursor, false, "To the start   Home")) m.play(false), m.seek(0);
  if (icon_button(p, "transport/back", Icon::kBack, cursor, false, "One back   Left")) m.step(m.grain(), -1);
  if (icon_button(p, "transport/play", m.playing() ? Icon::kPause : Icon::kPlay, cursor, m.playing(),
                  "Play, pause   Space"))
    m.play(!m.playing());
  if (icon_button(p, "transport/forward", Icon::kForward, cursor, false, "One forward   Right")) m.step(m.grain(), 1);
  if (icon_button(p, "transport/end", Icon::kEnd, cursor, false, "To the end   End")) m.play(false), m.seek(m.end());
  cursor.x += p.px(10);
  struct Choice {
    Grain grain;
    const char *name, *word, *tip;
  };
  static constexpr Choice kChoices[] = {
      {Grain::kRecord, "grain/record", "Record", "Stop at every record   1   (, and . step)"},
      {Grain::kFunction, "grain/function", "Function", "Stop at every call and return   2   (Up and Down step)"},
      {Grain::kSyscall, "grain/syscall", "Call", "Stop at every system call and its return   3   (S steps)"},
      {Grain::kStep, "grain/step", "Step", "Stop when a step is quiet   4   (N steps)"}};
  for (const Choice& c : kChoices)
    if (word_button(p, c.name, c.word, cursor, m.grain() == c.grain, c.tip)) m.set_grain(c.grain);
  cursor.x += p.px(10);
  if (word_button(p, "speed/slower", "\u2212", cursor, false, "Slower   -")) m.set_speed(m.speed() / 2);
  std::string speed = fmt::format("{:g}\u00d7", m.speed());
  p.text(fonts().mono, {cursor.x + p.px(2), cursor.y + p.px(7)}, ink(theme().text), speed, p.px(46));
  cursor.x += p.px(6) + Painter::width(fonts().mono, "0.125\u00d7");
  if (word_button(p, "speed/faster", "+", cursor, false, "Faster   =")) m.set_speed(m.speed() * 2);
  if (m.session().live()) {
    cursor.x += p.px(10);
    if (word_button(p, "transport/now", "Now", cursor, m.following(), "Follow the running program   L"))
      m.follow(!m.following());
  }
}

/// Enter: select an object of that name, or go to where it happens next. With Shift: to where it happened last. With
/// Ctrl: let playing stop where it happens.
void find(Ui& ui) {
  const std::string& text = ui.search;
  const ImGuiIO& io = ImGui::GetIO();
  ui.found.clear();
  if (text.empty()) return;
  if (io.KeyCtrl)
    ui.found = ui.model.toggle_breakpoint(text);
  else if (io.KeyShift || ui.model.search(text) == 0)
    ui.found = ui.model.hunt(text, io.KeyShift ? -1 : 1);
}

void draw_search(Ui& ui, const Painter& p, Rect r) {
  if (r.w < p.px(90)) return;
  marks::put("search", r);
  ImGui::SetCursorScreenPos({r.x, r.y});
  ImGui::SetNextItemWidth(r.w);
  if (ui.focus_search) ImGui::SetKeyboardFocusHere();
  ui.focus_search = false;
  compat::push_font(fonts().small.face, fonts().small.px);
  ImGui::PushStyleVar(ImGuiStyleVar_FramePadding, ImVec2(p.px(9), p.px(7.5f)));
  const std::string hint(tr("Find an object, a function, a field   /"));
  if (ImGui::InputTextWithHint("##search", hint.c_str(), &ui.search,
                               ImGuiInputTextFlags_EnterReturnsTrue | ImGuiInputTextFlags_AutoSelectAll))
    find(ui);
  ImGui::PopStyleVar();
  ImGui::PopFont();
}

}  // namespace

void draw_topbar(Ui& ui, Rect area) {
  Panel panel("##top", area, theme().bar);
  Painter p(ImGui::GetWindowDrawList(), ui.scale);
  const Rgb bars[] = {theme().user, theme().socket, theme().epoll};
  for (int i = 0; i < 3; ++i) {
    float f = static_cast<float>(i);
    p.fill({p.px(16), p.px(16 + f * 8), p.px(24 - f * 5), p.px(5)}, ink(bars[i]), p.px(2.5f));
  }
  p.text(fonts().title, {p.px(52), p.px(8)}, ink(theme().text), "Wakepath");
  p.text(fonts().small, {p.px(52), p.px(31)}, ink(theme().dim), ui.model.session().title(), p.px(210));
  Point cursor{p.px(area.w < p.px(1700) ? 282 : 330), p.px(12)};
  draw_transport(ui, p, cursor);
  double ms = static_cast<double>(ui.model.world().now_ns()) / 1e6;
  std::string time = fmt::format("t = {:.3f} ms", ms);
  float right = area.right() - p.px(16);
  float w = p.text_right(fonts().mono, {right, p.px(19)}, ink(theme().now), time);
  static constexpr std::string_view kModel = "modelled kernel, profile ";
  std::string producer = ui.model.trace().schema().producer;
  if (producer.starts_with(kModel)) producer = said("modelled kernel, profile {}", producer.substr(kModel.size()));
  float left = right - w - p.px(14);
  float room = std::min(p.px(230), left - cursor.x - p.px(220));
  if (room > p.px(60)) left -= p.pill({left, p.px(18)}, producer, theme().dim, true, room) + p.px(12);
  draw_search(ui, p, {cursor.x + p.px(12), p.px(12), std::min(p.px(240), left - cursor.x - p.px(24)), p.px(30)});
}

}  // namespace wakepath::gui
