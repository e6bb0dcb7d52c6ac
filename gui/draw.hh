#pragma once

#include <string_view>

#include "gui/fonts.hh"
#include "gui/geometry.hh"
#include "gui/imgui_compat.hh"
#include "gui/stage.hh"
#include "gui/theme.hh"

/// Drawing helpers over ImDrawList. Text is always given the width it may take: what is longer ends in an ellipsis.

namespace wakepath::gui {

[[nodiscard]] ImU32 ink(Rgb colour, float alpha = 1);
[[nodiscard]] inline ImVec2 at(Point p) { return {p.x, p.y}; }
[[nodiscard]] Rgb colour_of(Tone tone);

class Painter {
 public:
  Painter(ImDrawList* list, float scale) : list_(list), scale_(scale) {}

  [[nodiscard]] float px(float v) const { return v * scale_; }
  [[nodiscard]] ImDrawList* list() const { return list_; }

  [[nodiscard]] static float width(const Font& font, std::string_view text);
  /// Draws at most `room` pixels of text; returns the width drawn.
  float text(const Font& font, Point p, ImU32 colour, std::string_view text, float room = 1e9f) const;
  /// As text(), with its right edge at p.x.
  float text_right(const Font& font, Point p, ImU32 colour, std::string_view text, float room = 1e9f) const;
  /// Wraps to `room`; at most `lines` lines, the last with an ellipsis. Returns the height taken.
  /// How many lines `wrapped` would take, at most `lines`.
  [[nodiscard]] static int count_lines(const Font& font, std::string_view text, float room, int lines);
  float wrapped(const Font& font, Point p, ImU32 colour, std::string_view text, float room, int lines) const;

  void fill(Rect r, ImU32 colour, float rounding = 0) const;
  void frame(Rect r, ImU32 colour, float rounding = 0, float thickness = 1) const;
  void line(Point a, Point b, ImU32 colour, float thickness = 1) const;
  void dashed(Point a, Point b, ImU32 colour, float dash, float thickness = 1) const;
  /// A word in a coloured capsule; returns its width. With `right`, p.x is its right edge.
  float pill(Point p, std::string_view text, Rgb colour, bool right = false, float room = 1e9f,
             bool solid = false) const;
  /// A polyline with rounded corners and an arrow head at its end.
  void arrow(const std::vector<Point>& points, ImU32 colour, float thickness, bool head, float radius) const;

 private:
  ImDrawList* list_;
  float scale_;
};

/// Places of widgets by name, for tests that click and look: each frame fills it anew.
namespace marks {
void clear();
void put(std::string name, Rect rect);
[[nodiscard]] const std::map<std::string, Rect>& all();
}  // namespace marks

}  // namespace wakepath::gui
