#pragma once

#include "gui/app.hh"
#include "gui/draw.hh"

namespace wakepath::gui {

/// A fixed window of ImGui without decoration, for the life of the object.
class Panel {
 public:
  /// `front`: over all others, and they get no clicks.
  Panel(const char* name, Rect area, Rgb background, bool front = false);
  ~Panel();
  Panel(const Panel&) = delete;
  Panel& operator=(const Panel&) = delete;
};

/// Accent, title, and a word beside it; returns the height.
float panel_head(const Painter& paint, Point p, std::string_view title, std::string_view sub, Rgb accent, float room);
/// An invisible button with a name for tests. True when clicked.
bool hit(const char* name, Rect rect);

}  // namespace wakepath::gui
