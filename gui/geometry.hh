#pragma once

#include <algorithm>

/// Points and rectangles in pixels, y down. Kept apart from the drawing library, so that the layout can be tested
/// alone.

namespace wakepath::gui {

struct Point {
  float x = 0;
  float y = 0;
  friend bool operator==(const Point&, const Point&) = default;
};

struct Rect {
  float x = 0;
  float y = 0;
  float w = 0;
  float h = 0;

  [[nodiscard]] float right() const { return x + w; }
  [[nodiscard]] float bottom() const { return y + h; }
  [[nodiscard]] Point center() const { return {x + w / 2, y + h / 2}; }
  [[nodiscard]] bool contains(Point p) const { return p.x >= x && p.x < right() && p.y >= y && p.y < bottom(); }
  [[nodiscard]] bool overlaps(const Rect& o) const {
    return x < o.right() && o.x < right() && y < o.bottom() && o.y < bottom();
  }
  [[nodiscard]] Rect inset(float by) const {
    return {x + by, y + by, std::max(0.0f, w - 2 * by), std::max(0.0f, h - 2 * by)};
  }
  friend bool operator==(const Rect&, const Rect&) = default;
};

}  // namespace wakepath::gui
