#include <fmt/format.h>

#include "gui/panel.hh"
#include "gui/tongue.hh"
#include "sim/export/explain.hh"

namespace wakepath::gui {

namespace {

using trace::Context;
using trace::Frame;
using trace::Task;

struct StackDrawer {
  Ui& ui;
  const Painter& p;
  float x, w;

  void divider(float& y, std::string_view words, Rgb colour) const {
    float middle = y + p.px(11);
    p.dashed({x, middle}, {x + w, middle}, ink(colour, 0.7f), p.px(4));
    float tw = std::min(Painter::width(fonts().small_bold, words), w - p.px(30));
    Rect box{x + (w - tw) / 2 - p.px(6), y + p.px(2), tw + p.px(12), p.px(18)};
    p.fill(box, ink(theme().panel));
    p.text(fonts().small_bold, {box.x + p.px(6), box.y + p.px(2)}, ink(colour), words, tw + 1);
    y += p.px(22);
  }

  void row(float& y, std::string_view name, std::string_view layer, Rgb colour, bool top, bool dim,
           trace::ObjectId subject, const std::string& mark) const {
    Rect r{x, y, w, p.px(21)};
    if (hit(mark.c_str(), r) && subject != 0) ui.model.select(subject);
    if (top)
      p.fill(r, ink(colour, 0.16f), p.px(4));
    else if (ImGui::IsItemHovered())
      p.fill(r, ink(theme().hover, 0.6f), p.px(4));
    p.fill({x, y + p.px(3), p.px(3.5f), p.px(15)}, ink(colour, dim ? 0.5f : 1), p.px(2));
    float tag = Painter::width(fonts().small, layer);
    p.text(fonts().mono, {x + p.px(11), y + p.px(2.5f)}, ink(dim ? theme().dim : theme().text), name,
           w - tag - p.px(26));
    p.text_right(fonts().small, {x + w - p.px(5), y + p.px(3)}, ink(colour, dim ? 0.6f : 0.9f), layer);
    y += p.px(22);
  }

  [[nodiscard]] bool is_call(const trace::Record& r) const {
    return r.kind == trace::RecordKind::kSyscall ||
           (r.kind == trace::RecordKind::kCall && r.field < ui.model.trace().schema().functions.size());
  }

  /// What the kernel did before the first step is one line, which a click unfolds. Where the list begins.
  trace::Position boot(float& y, trace::Position from) const {
    const ViewModel& m = ui.model;
    const auto& steps = m.index().steps();
    trace::Position end = steps.empty() ? 0 : std::min(steps.front().begin, m.position());
    int calls = 0;
    for (trace::Position at = from; at < end; ++at) calls += is_call(m.trace()[at]) ? 1 : 0;
    if (calls == 0) return from;
    Rect line{x, y, w, p.px(19)};
    if (hit("calls/boot", line)) ui.boot_open = !ui.boot_open;
    if (ImGui::IsItemHovered()) p.fill(line, ink(theme().hover, 0.6f), p.px(3));
    p.text(fonts().small, {x + p.px(2), y + p.px(2)}, ink(theme().dim),
           said("{} boot of the kernel: {} calls", ui.boot_open ? "▾" : "▸", calls), w - p.px(4));
    y += p.px(20);
    return ui.boot_open ? from : end;
  }

  /// What a system call gave, in a line of its own. True when it was clicked.
  bool result(float& y, trace::Position at, int depth) const {
    const ViewModel& m = ui.model;
    const trace::Record& r = m.trace()[at];
    std::string_view words = m.trace().string(r.object);
    const std::string text =
        words.empty() ? fmt::format("= {}", static_cast<std::int64_t>(r.after)) : fmt::format("= {}", words);
    const float indent = p.px(7) * static_cast<float>(std::min(depth, 14));
    const Rect line{x, y, w, p.px(17)};
    bool clicked = false;
    if (ImGui::IsRectVisible({x, y}, {x + w, y + line.h})) {
      clicked = hit(fmt::format("calls/{}", at).c_str(), line);
      if (ImGui::IsItemHovered()) p.fill(line, ink(theme().hover, 0.6f), p.px(3));
      const bool failed = static_cast<std::int64_t>(r.after) < 0;
      p.text(fonts().mono_small, {x + indent + p.px(7), y + p.px(1)}, ink(failed ? theme().bad : theme().syscall), text,
             w - indent - p.px(8));
    }
    y += line.h;
    return clicked;
  }

  /// What was called since the last stop, as a tree; clicking a line goes there.
  void calls(float& y) const {
    constexpr trace::Position kMostRead = 20000;
    constexpr int kMostLines = 400;
    const ViewModel& m = ui.model;
    const auto& functions = m.trace().schema().functions;
    trace::Position from = m.stride_begin(), target = m.position();
    if (m.position() - from > kMostRead) from = m.position() - kMostRead;
    if (y > ui.px(100)) divider(y, tr("since the last stop"), theme().dim);
    from = boot(y, from);
    std::map<trace::TaskId, int> depths;
    int lines = 0;
    for (trace::Position at = from; at < m.position() && lines < kMostLines; ++at) {
      const trace::Record& r = m.trace()[at];
      int& depth = depths[r.task];
      using trace::RecordKind;
      if (r.kind == RecordKind::kReturn || r.kind == RecordKind::kSyscallReturn) depth = std::max(0, depth - 1);
      if (r.kind == RecordKind::kSyscallReturn && result(y, at, depth)) target = at + 1;
      if (!is_call(r)) continue;
      bool syscall = r.kind == RecordKind::kSyscall;
      std::string_view name = syscall ? m.trace().string(r.object) : std::string_view(functions[r.field].name);
      Rgb colour = syscall ? theme().syscall : theme().of(functions[r.field].layer);
      float indent = p.px(7) * static_cast<float>(std::min(depth, 14));
      Rect line{x, y, w, p.px(17)};
      if (ImGui::IsRectVisible({x, y}, {x + w, y + line.h})) {
        if (hit(fmt::format("calls/{}", at).c_str(), line)) target = at + 1;
        if (ImGui::IsItemHovered()) p.fill(line, ink(theme().hover, 0.6f), p.px(3));
        p.fill({x + indent, y + p.px(3), p.px(2.5f), p.px(11)}, ink(colour), p.px(1));
        p.text(fonts().mono_small, {x + indent + p.px(7), y + p.px(1)},
               ink(r.context == Context::kProcess ? theme().text : theme().softirq), name, w - indent - p.px(8));
      }
      y += p.px(17);
      ++depth;
      ++lines;
    }
    if (lines == 0) {
      p.text(fonts().small, {x, y}, ink(theme().dim), tr("no calls"), w);
      y += p.px(20);
    }
    if (target != m.position()) ui.model.set_grain(Grain::kFunction), ui.model.seek(target);
  }

  /// Innermost first.
  void task(float& y, const Task& t, bool running) const {
    const auto& trace = ui.model.trace();
    const auto& functions = trace.schema().functions;
    std::string name = trace::task_name(trace, ui.model.world(), t.id);
    float pill = p.pill({x, y}, name, running ? theme().user : theme().dim, false, w * 0.5f);
    bool softirq = !t.stack.empty() && t.stack.back().context != Context::kProcess;
    if (softirq)
      p.pill({x + pill + p.px(6), y}, tr("in softirq"), theme().softirq);
    else
      p.pill({x + pill + p.px(6), y}, tr(running ? "running" : "not running"), running ? theme().good : theme().dim);
    y += p.px(25);
    for (std::size_t i = t.stack.size(); i-- > 0;) {
      const Frame& frame = t.stack[i];
      if (frame.function >= functions.size()) continue;
      const auto& function = functions[frame.function];
      row(y, function.name, tr(trace::layer_name(function.layer)), theme().of(function.layer), i + 1 == t.stack.size(),
          !running, frame.subject, fmt::format("stack/{}/{}", t.id, i));
      if (ImGui::IsItemHovered())
        ImGui::SetTooltip("%s\n%s", function.source.c_str(), exports::explain_function(language(), function).c_str());
      if (frame.context != Context::kProcess && (i == 0 || t.stack[i - 1].context == Context::kProcess))
        divider(y, said("softirq on {}'s stack", name), theme().softirq);
    }
    if (t.syscall != 0 && t.syscall <= trace.size()) {
      divider(y, tr("system call boundary"), theme().syscall);
      row(y, trace.string(trace[t.syscall - 1].object), tr("user"), theme().user, t.stack.empty(), !running, t.object,
          fmt::format("stack/{}/user", t.id));
    } else if (t.stack.empty()) {
      p.text(fonts().small, {x + p.px(11), y}, ink(theme().dim), tr("in user mode"), w - p.px(11));
      y += p.px(20);
    }
    y += p.px(10);
  }
};

}  // namespace

void draw_stack(Ui& ui, Rect area) {
  Panel panel("##stack", area, theme().panel);
  Painter head(ImGui::GetWindowDrawList(), ui.scale);
  const trace::World& world = ui.model.world();
  const Task* running = world.task(world.running());
  bool quiet = running == nullptr || running->stack.empty();
  float pad = head.px(12);
  panel_head(head, {area.x + pad, area.y + head.px(10)}, tr(quiet ? "Calls" : "Call stack"),
             quiet ? tr("since the last stop") : tr("innermost first"), theme().softirq, area.w - 2 * pad);
  ImGui::SetCursorScreenPos({area.x, area.y + head.px(38)});
  ImGui::BeginChild("##frames", {area.w, area.h - head.px(40)});
  Painter p(ImGui::GetWindowDrawList(), ui.scale);
  StackDrawer drawer{ui, p, area.x + pad, area.w - 2 * pad};
  float start = area.y + head.px(40) - ImGui::GetScrollY();
  float y = start;
  if (running != nullptr && (running->id != 0 || !running->stack.empty())) drawer.task(y, *running, true);
  for (const Task& t : world.tasks())
    if (t.id != world.running() && (!t.stack.empty() || t.syscall != 0)) drawer.task(y, t, false);
  if (quiet) drawer.calls(y);
  ImGui::SetCursorScreenPos({area.x, start});
  ImGui::Dummy({1, y - start});
  ImGui::EndChild();
}

}  // namespace wakepath::gui
