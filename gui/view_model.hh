#pragma once

#include <map>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "gui/chains.hh"
#include "gui/hunt.hh"
#include "gui/openings.hh"
#include "gui/quiz.hh"
#include "gui/stops.hh"
#include "sim/trace/cursor.hh"
#include "sim/trace/index.hh"
#include "sim/trace/session.hh"

namespace wakepath::gui {

/// What the last move of the playhead changed: from the stop before it to where it stands.
struct Changes {
  std::map<std::pair<trace::ObjectId, trace::FieldId>, std::uint64_t> before;  ///< value fields: the value then
  std::set<std::pair<trace::ObjectId, trace::FieldId>> lists;
  std::set<std::pair<trace::ObjectId, std::uint64_t>> inserted;  ///< list owner and member (packed Ref)
  std::map<trace::ObjectId, trace::Position> freed;
  std::set<trace::ObjectId> created;

  [[nodiscard]] bool touches(trace::ObjectId object, trace::FieldId field) const {
    return before.contains({object, field}) || lists.contains({object, field});
  }
};

/// Whether the trace was compared with a kernel while it was made, and what came out up to the playhead.
struct Verdict {
  enum class Kind : std::uint8_t { kModelAlone, kAgrees, kDiffers };
  Kind kind{};
  std::string badge;  ///< "kernel agrees"
  std::string about;  ///< one sentence: with what it was compared
};

/// Everything that the stage shows but does not draw: playhead, playing, selection, the part of the trace that the
/// timeline shows. Knows no drawing library. One thread; the session's trace may grow meanwhile.
class ViewModel {
 public:
  explicit ViewModel(const trace::Session& session);

  /// Reads what the trace gained, and follows it when following. True when something to show changed.
  bool poll();
  /// Grows with every change of what is to be shown; panels keep what they computed as long as it stays.
  [[nodiscard]] std::uint64_t revision() const { return revision_; }

  [[nodiscard]] const trace::Session& session() const { return *session_; }
  [[nodiscard]] const trace::Trace& trace() const { return session_->trace(); }
  [[nodiscard]] const trace::Index& index() const { return index_; }
  [[nodiscard]] const Chains& chains() const { return chains_; }
  /// Which chains stand in which columns; kept as long as the same places are asked for.
  [[nodiscard]] const Openings& openings(const std::vector<Place>& places) const;
  [[nodiscard]] const trace::World& world() const { return cursor_.world(); }
  [[nodiscard]] trace::Position position() const { return cursor_.position(); }
  [[nodiscard]] trace::Position end() const { return index_.seen(); }

  // --- transport ---
  void seek(trace::Position target);
  /// One stop forward (+1) or back (-1); remembers the grain for play and for what counts as "just changed".
  void step(Grain grain, int direction);
  /// After the step with that number is quiet; false when the trace has no such step.
  bool seek_step(std::uint64_t number);
  [[nodiscard]] Grain grain() const { return grain_; }
  void set_grain(Grain grain);
  [[nodiscard]] bool playing() const { return playing_; }
  void play(bool on);
  [[nodiscard]] double speed() const { return speed_; }
  void set_speed(double speed);
  /// Time passes: moves the playhead while playing. True when it moved.
  bool tick(double seconds);
  /// Stay at the end while the trace grows.
  [[nodiscard]] bool following() const { return following_; }
  void follow(bool on);

  /// Where the last move came from: the stop before the playhead. What happened since then is "now".
  [[nodiscard]] trace::Position stride_begin() const;
  /// Where the shown call path begins: the system call that the playhead is in, or stride_begin().
  [[nodiscard]] trace::Position path_begin() const;
  [[nodiscard]] const Changes& changes() const;

  // --- selection ---
  [[nodiscard]] trace::ObjectId selected() const { return selected_; }
  /// What the inspector shows: the selected object, else the one that the last records were about; 0 for none.
  [[nodiscard]] trace::ObjectId focus() const;
  /// 0 selects nothing.
  void select(trace::ObjectId object);
  /// The next living object after the selected one whose name or kind contains `text` (any case); 0 when none.
  trace::ObjectId search(const std::string& text);

  // --- what is looked for in time (hunt.hh says how it is written) ---
  /// Goes to where it happens next (+1) or happened last (-1). Empty; or why not, and nothing moves.
  std::string hunt(const std::string& text, int direction);
  /// Playing stops where one of these happens.
  [[nodiscard]] const std::vector<Quarry>& breakpoints() const { return breakpoints_; }
  /// Sets one, or takes it away again. Empty; or why not.
  std::string toggle_breakpoint(const std::string& text);

  // --- steps ---
  /// Index into index().steps() of the step that the playhead is in; nothing before the first.
  [[nodiscard]] std::optional<std::size_t> current_step() const;

  /// What a step does, or says or asks in the language in use.
  [[nodiscard]] std::string step_words(const trace::StepEntry& step) const;

  [[nodiscard]] Verdict verdict() const;

  // --- questions: playing stops at one that has no answer ---
  [[nodiscard]] const Quiz& quiz() const { return quiz_; }
  /// The question in whose step the playhead stands; nullptr when that step asks nothing.
  [[nodiscard]] const Quiz::Asked* question() const;
  /// Answers that question, when it has no answer yet.
  void answer(const std::string& text);
  /// As Quiz::resume.
  void resume(Given given, std::function<void(const Given&)> keep);

  // --- what the timeline shows ---
  [[nodiscard]] double view_begin() const { return view_begin_; }
  [[nodiscard]] double view_end() const { return view_end_; }
  void set_view(double begin, double end);
  /// Zooms so that `at` (a position) keeps its place; factor > 1 shows more.
  void zoom(double at, double factor);
  void pan(double by);
  void fit_view();

 private:
  /// Where playing from `from` to `to` must stop on the way; nothing when nowhere.
  [[nodiscard]] std::optional<trace::Position> obstacle(trace::Position from, trace::Position to) const;
  void changed() { ++revision_; }
  void moved();

  const trace::Session* session_;
  trace::Cursor cursor_;
  trace::Index index_;
  Chains chains_;
  Quiz quiz_;
  Hunter hunter_;
  std::vector<Quarry> breakpoints_;
  std::uint64_t revision_ = 1;
  Grain grain_ = Grain::kStep;
  bool playing_ = false;
  bool following_ = false;
  bool view_is_whole_ = true;
  double speed_ = 1;
  double pending_ = 0;
  double view_begin_ = 0;
  double view_end_ = 1;
  trace::ObjectId selected_ = 0;
  mutable std::optional<Openings> openings_;
  mutable Changes changes_;
  mutable std::uint64_t changes_revision_ = 0;
};

}  // namespace wakepath::gui
