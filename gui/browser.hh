#pragma once

#include <optional>
#include <vector>

#include "gui/geometry.hh"
#include "gui/gui.hh"

namespace wakepath::gui {

/// The first screen when no file was named: all stories by lesson, with what each is about. Call `frame` between
/// NewFrame and Render of ImGui.
class Browser {
 public:
  /// The stories must outlive it.
  explicit Browser(const std::vector<Story>& stories);
  void frame(float width, float height, float scale);
  /// Index of the story that was opened; nothing while none was.
  [[nodiscard]] std::optional<std::size_t> chosen() const { return chosen_; }
  /// Index of the one that the cursor is on; nothing when none is shown.
  [[nodiscard]] std::optional<std::size_t> current() const;
  /// "": all; else "intro", "core" or "deep" alone.
  void show_level(const std::string& level);

 private:
  void keys();
  void draw_levels(Rect area, float scale);
  void draw_list(Rect area, float scale);
  void draw_about(Rect area, float scale);

  const std::vector<Story>& stories_;
  std::string level_;
  std::vector<std::size_t> shown_;  ///< by lesson, then order; those of no lesson last, by level
  std::size_t cursor_ = 0;          ///< into shown_
  std::size_t cursor_seen_ = 0;
  float scroll_ = 0;
  std::optional<std::size_t> chosen_;
};

}  // namespace wakepath::gui
