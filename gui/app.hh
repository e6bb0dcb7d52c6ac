#pragma once

#include <memory>
#include <optional>

#include "gui/bookmarks.hh"
#include "gui/gui.hh"
#include "gui/stage.hh"
#include "gui/timeline.hh"
#include "gui/twin.hh"
#include "gui/view_model.hh"
#include "sim/export/why.hh"

namespace wakepath::gui {

/// A stage as it was drawn last.
struct StageView {
  Stage stage;
  std::uint64_t revision = 0;  ///< of the model; 0: to be made anew
  std::string language;
};

/// A step's words while they are being changed.
struct ForkEditor {
  std::uint64_t step = 0;  ///< 0: none yet
  std::string before;
  std::string words;
  std::string message;  ///< why it could not be run
  bool open = false;
  bool take_focus = false;
};

/// Any command by a few letters.
struct Palette {
  bool open = false;
  bool take_focus = false;
  std::string typed = {};
  std::string before = {};  ///< what was typed in the frame before
  std::size_t chosen = 0;   ///< of what fits
};

/// What stands around the stage, in pixels; 0: folded away.
struct PanelSizes {
  float calls = 0;
  float words = 0;
  float timeline = 0;
};

/// What the panels share: the model, the pictures computed from it, and the little state of the window itself.
struct Ui {
  ViewModel& model;
  float scale = 1;
  float wanted_scale = scale;  ///< the window takes it before the next frame
  bool reduce_motion = false;
  double clock = 0;  ///< seconds of animation; stands still when nothing moves
  StageView stage = {};
  std::unique_ptr<Twin> twin = {};  ///< null: one stage
  StageView twin_stage = {};
  Workshop workshop = {};
  ForkEditor fork = {};
  std::string note = {};  ///< why the last key did nothing
  TimelineRows rows;
  Folds panels = {};
  PanelSizes sizes = {};  ///< as of this frame
  Palette palette = {};
  Bookmarks bookmarks = {};
  bool show_bookmarks = false;
  std::optional<trace::Position> note_of = {};  ///< whose note is being written
  std::string note_words = {};
  bool note_focus = false;
  bool show_help = false;
  bool show_why = false;
  bool boot_open = false;               ///< the call list shows what the kernel did before the first step
  std::vector<exports::WhyAnswer> why;  ///< of the playhead's step, as of `why_revision`
  std::uint64_t why_revision = 0;
  std::string why_language;
  bool focus_search = false;
  std::string search = {};
  std::string found;        ///< why the last search found nothing; empty: it did
  std::string answer = {};  ///< being typed, to the question of `answer_step`
  std::uint64_t answer_step = 0;
  bool dragging_playhead = false;
  trace::ObjectId hovered = 0;

  [[nodiscard]] float px(float v) const { return v * scale; }
};

/// The whole window as one function of the model: call `frame` between NewFrame and Render of ImGui.
class App {
 public:
  App(ViewModel& model, float scale, bool reduce_motion);
  /// `seconds` since the last frame; with a fixed value the picture is a pure function of the model.
  void frame(float width, float height, double seconds);
  /// True while something moves by itself: playing, or the pulse shortly after a move of the playhead.
  [[nodiscard]] bool animating() const;
  /// What a window can do beyond looking at its one trace.
  void offer(const WindowOptions& options);
  [[nodiscard]] Ui& ui() { return ui_; }

 private:
  [[nodiscard]] PanelSizes divide(float width, float height) const;
  void keys();
  void digits();
  ViewModel* model_;
  Ui ui_;
  double since_move_ = 0;
  std::uint64_t seen_position_ = ~std::uint64_t{0};
};

/// The one behind `one`, round and round.
[[nodiscard]] std::string next_of(const std::vector<std::string>& all, const std::string& one);

/// Colours and roundings of ImGui itself, from the theme.
void apply_style(float scale);

// --- one panel a file ---
void draw_topbar(Ui& ui, Rect area);
void draw_stack(Ui& ui, Rect area);
void draw_stage(Ui& ui, Rect area);
/// The stage of a model; `name` is its window's.
void draw_stage_of(Ui& ui, ViewModel& model, StageView& view, Rect area, const char* name);
void draw_twin(Ui& ui, Rect area);
/// The words of the playhead's step in a field, to be changed and run.
void open_fork(Ui& ui);
void draw_fork(Ui& ui, Rect area);
/// A bookmark at the playhead, or no longer; a new one asks for its note.
void toggle_bookmark(Ui& ui);
void draw_bookmarks(Ui& ui, Rect area);
/// While the list is open. True when a key was for it.
bool bookmark_keys(Ui& ui);
void draw_inspector(Ui& ui, Rect area);
void draw_narration(Ui& ui, Rect area);
/// The question of the step in which the playhead stands, in the window of the narration.
void draw_question(Ui& ui, Rect area, const Quiz::Asked& asked);
void draw_timeline(Ui& ui, Rect area);
void draw_status(Ui& ui, Rect area);
void draw_help(Ui& ui, Rect area);
void open_palette(Ui& ui);
void draw_palette(Ui& ui, Rect area);
void draw_why(Ui& ui, Rect area);

}  // namespace wakepath::gui
