#include <fmt/format.h>

#include <cmath>

#include "gui/panel.hh"
#include "gui/tongue.hh"

namespace wakepath::gui {

namespace {

using trace::Layer;
using trace::Position;

constexpr float kWithHead = 120;  // as high as this, it has a head

struct TimelineDrawer {
  Ui& ui;
  const Painter& p;
  Rect track;  ///< where the bars are
  float row_h;
  float bar_h;
  std::size_t levels;

  [[nodiscard]] const ViewModel& model() const { return ui.model; }
  [[nodiscard]] float x_of(double position) const {
    return track.x +
           static_cast<float>((position - model().view_begin()) / (model().view_end() - model().view_begin())) *
               track.w;
  }
  [[nodiscard]] double position_at(float x) const {
    return model().view_begin() +
           static_cast<double>((x - track.x) / track.w) * (model().view_end() - model().view_begin());
  }
  [[nodiscard]] float row_y(std::size_t row) const { return track.y + static_cast<float>(row) * (row_h + p.px(4)); }

  void ruler(float top) const {
    double span = model().view_end() - model().view_begin();
    double unit = std::pow(10.0, std::floor(std::log10(span / 6)));
    while (span / unit > 14) unit *= unit * 5 <= span ? 5 : 2;
    for (double at_tick = std::ceil(model().view_begin() / unit) * unit; at_tick <= model().view_end();
         at_tick += unit) {
      float x = x_of(at_tick);
      p.line({x, top + p.px(15)}, {x, track.bottom()}, ink(theme().line, 0.7f));
      std::string words = fmt::format("{:.0f}", at_tick);
      p.text(fonts().small, {std::min(x + p.px(4), track.right() - Painter::width(fonts().small, words)), top},
             ink(theme().dim), words);
    }
  }

  void steps(float top) const {
    const auto& all = model().index().steps();
    auto first = std::partition_point(all.begin(), all.end(), [&](const trace::StepEntry& s) {
      return static_cast<double>(s.end != 0 ? s.end : s.begin) < model().view_begin();
    });
    auto current = model().current_step();
    float free_from = track.x;
    for (auto it = first; it != all.end() && static_cast<double>(it->begin) < model().view_end(); ++it) {
      float a = std::max(track.x, x_of(static_cast<double>(it->begin)));
      double stop = it->end != 0 ? static_cast<double>(it->end) + 1 : static_cast<double>(model().end());
      float b = std::min(track.right(), x_of(stop));
      bool now = current && all[*current].number == it->number;
      if (b - a < 2 && a < free_from && !now) continue;
      Rgb c = now ? theme().now : theme().line2;
      p.fill({a, top, std::max(1.5f, b - a - p.px(1)), p.px(17)}, ink(c, now ? 0.22f : 0.35f), p.px(3));
      p.fill({a, top, p.px(2), p.px(17)}, ink(c));
      std::string words = fmt::format("{} {}", it->number, model().step_words(*it));
      if (b - a > p.px(34))
        p.text(fonts().small, {a + p.px(6), top + p.px(0.5f)}, ink(now ? theme().text : theme().dim), words,
               b - a - p.px(10));
      free_from = a + 3;
    }
    for (Position d : model().index().divergences()) {
      if (static_cast<double>(d) < model().view_begin() || static_cast<double>(d) > model().view_end()) continue;
      float x = x_of(static_cast<double>(d)), y = top + p.px(8), s = p.px(5);
      p.list()->AddQuadFilled({x, y - s}, {x + s, y}, {x, y + s}, {x - s, y}, ink(theme().bad));
    }
  }

  /// Where the other future parts from this one.
  void difference(float top) const {
    if (ui.twin == nullptr || !ui.twin->differences().outcome) return;
    for (const trace::StepEntry& step : model().index().steps()) {
      if (step.number != ui.twin->differences().outcome->step) continue;
      const float x = x_of(static_cast<double>(step.begin));
      if (x < track.x || x > track.right()) return;
      p.line({x, top}, {x, track.bottom()}, ink(theme().bad), 2);
      p.text(fonts().small_bold, {x + p.px(4), top + p.px(2)}, ink(theme().bad), "\u2260", p.px(20));
    }
  }

  void bookmarks(float top) const {
    for (const Bookmark& one : ui.bookmarks.all()) {
      const float x = x_of(static_cast<double>(one.record));
      if (x < track.x || x > track.right()) continue;
      p.line({x, top}, {x, track.bottom()}, ink(theme().now, 0.5f));
      p.list()->AddTriangleFilled({x, top}, {x + p.px(8), top + p.px(4)}, {x, top + p.px(8)}, ink(theme().now));
    }
  }

  [[nodiscard]] Rgb colour(const TimelineRows::Bar& bar) const {
    const auto& functions = model().trace().schema().functions;
    if (bar.syscall) return theme().syscall;
    return bar.function < functions.size() ? theme().of(functions[bar.function].layer) : theme().scheduler;
  }

  [[nodiscard]] std::string name(const TimelineRows::Bar& bar) const {
    const auto& trace = model().trace();
    if (bar.syscall) return std::string(trace.string(trace[bar.begin].object));
    return bar.function < trace.schema().functions.size() ? trace.schema().functions[bar.function].name : "?";
  }

  void bars(const TimelineRows::Row& row, std::size_t index) const {
    for (std::size_t level = 0; level < row.levels.size() && level < levels; ++level) {
      float y = row_y(index) + p.px(2) + static_cast<float>(level) * (bar_h + p.px(1));
      for (const TimelinePiece& piece :
           cut_level(row.levels[level], model().view_begin(), model().view_end(), model().end(), track.w)) {
        Rect r{track.x + piece.x, y, std::max(1.0f, piece.w - 1), bar_h};
        if (piece.bar == nullptr) {
          p.fill({r.x, r.y + p.px(3), r.w, r.h - p.px(6)}, ink(theme().dim, 0.5f));
          continue;
        }
        bool begun = piece.bar->begin < model().position();
        bool running = begun && (piece.bar->end == 0 || piece.bar->end >= model().position());
        Rgb c = colour(*piece.bar);
        p.fill(r, ink(c, running ? 1.0f : begun ? 0.82f : 0.27f), p.px(3));
        if (r.w > p.px(32))
          p.text(fonts().small, {r.x + p.px(5), r.y + (bar_h - fonts().small.px) / 2 - p.px(1)},
                 ink(begun ? theme().on_colour : theme().text, begun ? 1.0f : 0.85f), name(*piece.bar), r.w - p.px(8));
      }
    }
  }

  void sleeps(const TimelineRows::Row& row, std::size_t index) const {
    auto it = std::partition_point(row.sleeps.begin(), row.sleeps.end(), [&](const TimelineRows::Sleep& s) {
      return s.end != 0 && static_cast<double>(s.end) < model().view_begin();
    });
    float drawn = -1;
    for (; it != row.sleeps.end() && static_cast<double>(it->begin) < model().view_end(); ++it) {
      float a = std::max(track.x, x_of(static_cast<double>(it->begin)));
      float b = std::min(track.right(),
                         x_of(it->end != 0 ? static_cast<double>(it->end) : static_cast<double>(model().end())));
      if (b - a < 2 || b < drawn) continue;
      drawn = b;
      Rect r{a, row_y(index) + p.px(2), b - a, bar_h};
      p.fill(r, ink(theme().line2), p.px(3));
      p.list()->PushClipRect({r.x, r.y}, {r.right(), r.bottom()}, true);
      for (float x = r.x - r.h; x < r.right(); x += p.px(8))
        p.line({x, r.bottom()}, {x + r.h, r.y}, ink(theme().dim, 0.35f));
      const float from = std::max(r.x, name_over_sleep(row, *it, r)) + p.px(5);
      p.list()->PopClipRect();
      if (r.right() - from > p.px(45))
        p.text(fonts().small, {from, r.y + (bar_h - fonts().small.px) / 2 - p.px(1)}, ink(theme().dim), tr("asleep"),
               r.right() - from - p.px(3));
    }
  }

  /// A call sleeps soon after it began: its name goes on over the hatched part. Where it ends.
  float name_over_sleep(const TimelineRows::Row& row, const TimelineRows::Sleep& sleep, Rect hatched) const {
    if (row.levels.empty()) return 0;
    const auto& calls = row.levels.front();
    auto call = std::partition_point(calls.begin(), calls.end(),
                                     [&](const TimelineRows::Bar& bar) { return bar.begin <= sleep.begin; });
    if (call == calls.begin() || ((--call)->end != 0 && call->end < sleep.begin)) return 0;
    const Position end = call->end != 0 ? call->end + 1 : model().end();
    const float left = std::max(track.x, x_of(static_cast<double>(call->begin)));
    const float right = std::min(track.right(), x_of(static_cast<double>(end)));
    if (right - left <= p.px(32)) return 0;
    const float x = left + p.px(5);
    return x + p.text(fonts().small, {x, hatched.y + (bar_h - fonts().small.px) / 2 - p.px(1)}, ink(theme().text),
                      name(*call), right - left - p.px(8));
  }

  [[nodiscard]] float row_of_task(trace::TaskId task) const {
    const auto& rows = ui.rows.rows();
    for (std::size_t i = 0; i < rows.size(); ++i)
      if (!rows[i].softirq && rows[i].task == task) return row_y(i) + bar_h / 2 + p.px(2);
    return -1;
  }

  void wakes() const {
    const auto& all = model().index().wakes();
    auto it = std::partition_point(all.begin(), all.end(), [&](const trace::WakeEdge& e) {
      return static_cast<double>(e.at) < model().view_begin();
    });
    float last = -100;
    for (; it != all.end() && static_cast<double>(it->at) < model().view_end(); ++it) {
      float x = x_of(static_cast<double>(it->at));
      if (x - last < p.px(9)) continue;
      last = x;
      float to = row_of_task(it->woken);
      float from = row_of_task(it->waker);
      const auto& rows = ui.rows.rows();
      if (model().trace()[it->at].context != trace::Context::kProcess && !rows.empty() && rows.back().softirq)
        from = row_y(rows.size() - 1) + p.px(2);
      if (to < 0 || from < 0 || to > track.bottom() || from > track.bottom() || std::abs(to - from) < 2) continue;
      float bend = p.px(16);
      ImU32 c = ink(theme().epoll, it->at < model().position() ? 0.95f : 0.4f);
      p.list()->AddBezierCubic({x, from}, {x - bend, from + (to - from) * 0.3f}, {x - bend, to}, {x, to}, c,
                               p.px(1.7f));
      p.list()->AddTriangleFilled({x + p.px(4), to}, {x - p.px(4), to - p.px(4)}, {x - p.px(4), to + p.px(4)}, c);
    }
  }

  void playhead(float top) const {
    float x = x_of(static_cast<double>(model().position()));
    if (x < track.x - 1 || x > track.right() + 1) return;
    marks::put("timeline/playhead", {x - 1, top, 2, track.bottom() - top});
    p.line({x, top + p.px(6)}, {x, track.bottom()}, ink(theme().now), 1.8f);
    p.list()->AddTriangleFilled({x - p.px(6), top}, {x + p.px(6), top}, {x, top + p.px(10)}, ink(theme().now));
  }

  void row_heads(float left) const {
    const auto& rows = ui.rows.rows();
    for (std::size_t i = 0; i < rows.size(); ++i) {
      float y = row_y(i);
      if (y + row_h > track.bottom() + p.px(2)) {
        p.text(fonts().small, {left + p.px(10), y}, ink(theme().dim), said("+{} more rows", rows.size() - i));
        break;
      }
      p.fill({left, y, track.right() - left, row_h}, ink(theme().raised, 0.45f), p.px(5));
      Rgb c = rows[i].softirq ? theme().softirq : theme().user;
      p.fill({left, y + p.px(3), p.px(3.5f), std::min(row_h - p.px(6), p.px(17))}, ink(c), p.px(2));
      std::string name = rows[i].softirq ? std::string(tr("softirq"))
                                         : trace::task_name(model().trace(), model().world(), rows[i].task);
      if (!rows[i].softirq && name == "idle" && rows[i].task != 0) name = rows[i].name;  // it is still to come
      p.text(fonts().small, {left + p.px(10), y + p.px(2)}, ink(theme().text), name, track.x - left - p.px(16));
    }
  }
};

void tooltip(const TimelineDrawer& d, Point mouse) {
  const auto& rows = d.ui.rows.rows();
  for (std::size_t i = 0; i < rows.size(); ++i)
    for (std::size_t level = 0; level < rows[i].levels.size() && level < d.levels; ++level) {
      float y = d.row_y(i) + d.p.px(2) + static_cast<float>(level) * (d.bar_h + d.p.px(1));
      if (mouse.y < y || mouse.y >= y + d.bar_h) continue;
      for (const TimelinePiece& piece :
           cut_level(rows[i].levels[level], d.model().view_begin(), d.model().view_end(), d.model().end(), d.track.w)) {
        if (mouse.x - d.track.x < piece.x || mouse.x - d.track.x > piece.x + piece.w) continue;
        if (piece.bar == nullptr)
          ImGui::SetTooltip("%s", said("{} calls, zoom in to see them", piece.folded).c_str());
        else
          ImGui::SetTooltip(
              "%s\n%s", d.name(*piece.bar).c_str(),
              said("records {} to {}", piece.bar->begin, piece.bar->end != 0 ? piece.bar->end : d.model().end())
                  .c_str());
        return;
      }
    }
}

void mouse_input(Ui& ui, const TimelineDrawer& d, Rect area) {
  ViewModel& m = ui.model;
  ImGuiIO& io = ImGui::GetIO();
  hit("timeline", {d.track.x, d.track.y - d.p.px(36), d.track.w, area.bottom() - d.track.y + d.p.px(34)});
  bool hovered = ImGui::IsItemHovered();
  if (ImGui::IsItemActive() && io.MouseDown[0]) {
    double target = std::clamp(d.position_at(io.MousePos.x), 0.0, static_cast<double>(m.end()));
    auto to = static_cast<Position>(std::llround(target));
    if (to != m.position()) m.play(false), m.seek(to);
    return;
  }
  if (!hovered) return;
  if (io.MouseWheel != 0) {
    if (io.KeyShift)
      m.pan(-io.MouseWheel * (m.view_end() - m.view_begin()) * 0.1);
    else
      m.zoom(d.position_at(io.MousePos.x), std::pow(0.8, io.MouseWheel));
  }
  for (int button : {1, 2})
    if (io.MouseDown[button] && io.MouseDelta.x != 0)
      m.pan(-static_cast<double>(io.MouseDelta.x / d.track.w) * (m.view_end() - m.view_begin()));
  tooltip(d, {io.MousePos.x, io.MousePos.y});
}

/// What part of the trace is shown, and what the mouse does.
void draw_head(const Ui& ui, const Painter& p, Rect area) {
  const ViewModel& m = ui.model;
  const float pad = p.px(12);
  panel_head(p, {area.x + pad, area.y + p.px(6)}, tr("Timeline"),
             said("records {:.0f} \u2013 {:.0f} of {}   \u00b7   playhead at {}", m.view_begin(), m.view_end(), m.end(),
                  m.position()),
             theme().user, area.w * 0.5f);
  std::string_view hints = tr("click or drag to seek \u00b7 wheel zooms \u00b7 Shift+wheel pans \u00b7 F shows all");
  if (area.w * 0.5f > Painter::width(fonts().small, hints) + pad)
    p.text_right(fonts().small, {area.right() - pad, area.y + p.px(9)}, ink(theme().dim), hints);
}

}  // namespace

void draw_timeline(Ui& ui, Rect area) {
  Panel panel("##timeline", area, theme().panel);
  Painter p(ImGui::GetWindowDrawList(), ui.scale);
  const float pad = p.px(12), head = area.h < p.px(kWithHead) ? p.px(30) : 0;  // what a low one goes without
  if (head == 0) draw_head(ui, p, area);
  const auto& rows = ui.rows.rows();
  Rect track{area.x + p.px(112), area.y + p.px(66) - head, area.w - p.px(112) - pad, area.h - p.px(70) + head};
  std::size_t count = std::max<std::size_t>(1, rows.size());
  float row_h =
      std::clamp((track.h - p.px(4) * static_cast<float>(count)) / static_cast<float>(count), p.px(19), p.px(120));
  float bar_h = std::min(p.px(16), row_h - p.px(3));
  auto levels = static_cast<std::size_t>(std::max(1.0f, (row_h - p.px(3)) / (bar_h + p.px(1))));
  TimelineDrawer d{ui, p, track, row_h, bar_h, levels};
  mouse_input(ui, d, area);
  p.list()->PushClipRect({area.x, area.y}, {area.right(), area.bottom() - p.px(2)}, true);
  d.ruler(area.y + p.px(30) - head);
  d.steps(area.y + p.px(46) - head);
  d.bookmarks(area.y + p.px(46) - head);
  d.difference(area.y + p.px(46) - head);
  d.row_heads(area.x + pad);
  p.list()->PushClipRect({track.x, track.y}, {track.right(), track.bottom()}, true);
  for (std::size_t i = 0; i < rows.size() && d.row_y(i) + row_h <= track.bottom() + p.px(2); ++i) {
    d.bars(rows[i], i);
    d.sleeps(rows[i], i);
  }
  d.wakes();
  p.list()->PopClipRect();
  d.playhead(area.y + p.px(32) - head);
  p.list()->PopClipRect();
}

}  // namespace wakepath::gui
