#include "gui/view_model.hh"

#include <algorithm>
#include <cctype>

#include "gui/tongue.hh"
#include "sim/trace/lesson_words.hh"

namespace wakepath::gui {

using trace::ObjectId;
using trace::Position;
using trace::Record;
using trace::RecordKind;

namespace {

constexpr Position kMostRead = 20000;  // records looked at for "just changed"; more would be unreadable anyway
constexpr double kSmallestView = 12;   // records across the timeline
constexpr double kFitWhole = 6000;     // traces up to this long are shown whole at first

std::string lower(std::string text) {
  std::transform(text.begin(), text.end(), text.begin(), [](unsigned char c) { return std::tolower(c); });
  return text;
}

}  // namespace

ViewModel::ViewModel(const trace::Session& session)
    : session_(&session),
      cursor_(session.trace()),
      index_(session.trace()),
      chains_(session.trace()),
      hunter_(session.trace()) {
  poll();
  fit_view();
}

bool ViewModel::poll() {
  if (trace().size() == index_.seen() && index_.seen() != 0) return false;
  Position had = index_.seen();
  index_.update();
  chains_.update();
  quiz_.update(trace(), index_);
  if (!breakpoints_.empty()) hunter_.update();
  if (index_.seen() == had) return false;
  if (view_is_whole_) fit_view();
  if (following_) {
    cursor_.seek(end());
    moved();
  }
  changed();
  return true;
}

void ViewModel::moved() {
  changed();
  // keep the playhead on the timeline: when it leaves, show the next page
  double at = static_cast<double>(position());
  double width = view_end_ - view_begin_;
  if (at < view_begin_) set_view(at - width * 0.5, at + width * 0.5);
  if (at > view_end_) set_view(at - width * 0.25, at + width * 0.75);
}

void ViewModel::seek(Position target) {
  target = std::min(target, end());
  if (target != end()) following_ = false;
  cursor_.seek(target);
  moved();
}

void ViewModel::step(Grain grain, int direction) {
  grain_ = grain;
  playing_ = false;
  seek(direction > 0 ? next_stop(trace(), index_, position(), grain)
                     : previous_stop(trace(), index_, position(), grain));
}

bool ViewModel::seek_step(std::uint64_t number) {
  auto at = index_.after_step(number);
  if (!at) return false;
  grain_ = Grain::kStep;
  seek(*at);
  return true;
}

void ViewModel::set_grain(Grain grain) {
  grain_ = grain;
  changed();
}

void ViewModel::play(bool on) {
  if (on && position() == end()) seek(0);
  playing_ = on;
  pending_ = 0;
  changed();
}

void ViewModel::set_speed(double speed) {
  speed_ = std::clamp(speed, 0.125, 16.0);
  changed();
}

bool ViewModel::tick(double seconds) {
  if (!playing_) return false;
  pending_ += seconds * speed_ * stops_per_second(grain_);
  bool any = false;
  for (; pending_ >= 1 && position() < end() && playing_; pending_ -= 1, any = true) {
    const Position from = position();
    cursor_.seek(next_stop(trace(), index_, from, grain_));
    if (const auto stop = obstacle(from, position())) {
      cursor_.seek(*stop);
      playing_ = false;
    }
  }
  pending_ = std::min(pending_, 1.0);
  if (position() == end() && !session_->live()) playing_ = false;
  if (any) moved();
  return any;
}

const Quiz::Asked* ViewModel::question() const {
  const auto step = current_step();
  const Quiz::Asked* asked = step ? quiz_.of_step(index_.steps()[*step].number) : nullptr;
  return asked != nullptr && asked->at < position() ? asked : nullptr;
}

void ViewModel::answer(const std::string& text) {
  if (const Quiz::Asked* asked = question(); asked != nullptr) quiz_.answer(asked->step, text);
  changed();
}

void ViewModel::resume(Given given, std::function<void(const Given&)> keep) {
  quiz_.resume(std::move(given), std::move(keep));
  changed();
}

void ViewModel::follow(bool on) {
  following_ = on;
  if (on) seek(end()), following_ = true;
  changed();
}

Position ViewModel::stride_begin() const { return previous_stop(trace(), index_, position(), grain_); }

Position ViewModel::path_begin() const {
  Position begin = stride_begin();
  const trace::Task* running = world().task(world().running());
  if (position() > 0) {  // the task of the last record, also just after the CPU changed hands
    const trace::Task* last = world().task(trace()[position() - 1].task);
    if (last != nullptr && last->syscall != 0) running = last;
  }
  if (running != nullptr && running->syscall != 0) begin = std::min(begin, running->syscall - 1);
  return position() - begin > kMostRead ? position() - kMostRead : begin;
}

const Changes& ViewModel::changes() const {
  if (changes_revision_ == revision_) return changes_;
  changes_revision_ = revision_;
  changes_ = {};
  Position from = stride_begin();
  if (position() - from > kMostRead) from = position() - kMostRead;
  for (Position p = from; p < position(); ++p) {
    const Record& r = trace()[p];
    switch (r.kind) {
      case RecordKind::kCreate:
        changes_.created.insert(r.object);
        break;
      case RecordKind::kDestroy:
        changes_.freed.emplace(r.object, p);
        break;
      case RecordKind::kSet:
        changes_.before.try_emplace({r.object, r.field}, r.before);
        break;
      case RecordKind::kListInsert:
        changes_.lists.insert({r.object, r.field});
        changes_.inserted.insert({r.object, r.after});
        break;
      case RecordKind::kListErase:
        changes_.lists.insert({r.object, r.field});
        changes_.inserted.erase({r.object, r.after});
        break;
      default:
        break;
    }
  }
  // set and set back is no change
  std::erase_if(changes_.before, [&](const auto& entry) {
    const trace::Object* object = world().find(entry.first.first);
    return object != nullptr && entry.first.second < object->values.size() &&
           object->values[entry.first.second] == entry.second;
  });
  return changes_;
}

ObjectId ViewModel::focus() const {
  if (selected_ != 0) return selected_;
  constexpr Position kMostBack = 256;
  for (Position p = position(); p > 0 && position() - p < kMostBack; --p) {
    const Record& r = trace()[p - 1];
    if (r.kind == RecordKind::kSet || r.kind == RecordKind::kListInsert || r.kind == RecordKind::kListErase ||
        r.kind == RecordKind::kCreate)
      return r.object;
  }
  return 0;
}

void ViewModel::select(ObjectId object) {
  if (object == selected_) return;
  selected_ = object;
  changed();
}

std::optional<Position> ViewModel::obstacle(Position from, Position to) const {
  std::optional<Position> first;
  if (const Quiz::Asked* asked = quiz_.open_between(from, to); asked != nullptr)
    first = index_.after_step(asked->step).value_or(asked->at + 1);
  for (const Quarry& quarry : breakpoints_)
    if (const auto at = hunter_.next(quarry, from, to); at && (!first || *at < *first)) first = at;
  return first;
}

std::string ViewModel::hunt(const std::string& text, int direction) {
  hunter_.update();
  const auto quarry = hunter_.quarry(text);
  if (!quarry) return "no object, function or field of that name";
  const auto at = direction > 0 ? hunter_.next(*quarry, position(), end()) : hunter_.previous(*quarry, position());
  if (!at) return direction > 0 ? "not again after this" : "not before this";
  playing_ = false;
  seek(*at);
  return "";
}

std::string ViewModel::toggle_breakpoint(const std::string& text) {
  hunter_.update();
  changed();
  const auto same =
      std::find_if(breakpoints_.begin(), breakpoints_.end(), [&](const Quarry& q) { return q.text == text; });
  if (same != breakpoints_.end()) return breakpoints_.erase(same), "";
  const auto quarry = hunter_.quarry(text);
  if (!quarry) return "no function or field of that name";
  breakpoints_.push_back(*quarry);
  return "";
}

ObjectId ViewModel::search(const std::string& text) {
  if (text.empty()) return 0;
  const auto& objects = world().objects();
  std::string wanted = lower(text);
  for (std::size_t i = 1; i <= objects.size() && !objects.empty(); ++i) {
    auto id = static_cast<ObjectId>((selected_ + i) % objects.size());
    if (id == 0 || !objects[id].alive) continue;
    if (lower(trace::object_name(trace(), world(), id)).find(wanted) == std::string::npos) continue;
    select(id);
    return id;
  }
  return 0;
}

std::optional<std::size_t> ViewModel::current_step() const {
  const auto& steps = index_.steps();
  auto next =
      std::partition_point(steps.begin(), steps.end(), [&](const trace::StepEntry& s) { return s.begin < position(); });
  if (next == steps.begin()) return std::nullopt;
  return static_cast<std::size_t>(next - steps.begin()) - 1;
}

std::string ViewModel::step_words(const trace::StepEntry& step) const {
  const auto& notes = index_.lesson();
  const auto note = std::partition_point(notes.begin(), notes.end(),
                                         [&](const trace::LessonNote& n) { return n.step < step.number; });
  if (note == notes.end() || note->step != step.number) return std::string(trace().string(step.text));
  const std::string_view words = trace().string(note->text);
  std::string text = note->kind == trace::NoteKind::kSay
                         ? trace::words_of_note(words).in(language())
                         : said("ask: {}", trace::question_of_note(words).question.in(language()));
  while (text.ends_with('\n')) text.pop_back();
  std::replace(text.begin(), text.end(), '\n', ' ');
  return text;
}

const Openings& ViewModel::openings(const std::vector<Place>& places) const {
  if (!openings_ || openings_->places() != places || !openings_->update()) openings_.emplace(chains_, places);
  return *openings_;
}

Verdict ViewModel::verdict() const {
  const std::string& with = trace().schema().compared_with;
  std::string about = with.empty() ? std::string(tr("Nothing was compared with a kernel while this was made."))
                                   : said("Compared call by call with {} while it was made.", with);
  std::uint64_t count = world().divergences();
  if (count != 0) return {Verdict::Kind::kDiffers, said(count == 1 ? "{} divergence" : "{} divergences", count), about};
  if (!with.empty()) return {Verdict::Kind::kAgrees, "kernel agrees", about};
  return {Verdict::Kind::kModelAlone, "model alone", about};
}

void ViewModel::set_view(double begin, double end_of_view) {
  double whole = std::max(kSmallestView, static_cast<double>(end()));
  double width = std::clamp(end_of_view - begin, kSmallestView, whole);
  view_begin_ = std::clamp(begin, 0.0, whole - width);
  view_end_ = view_begin_ + width;
  view_is_whole_ = width >= whole;
  changed();
}

void ViewModel::zoom(double at, double factor) {
  set_view(at - (at - view_begin_) * factor, at + (view_end_ - at) * factor);
}

void ViewModel::pan(double by) { set_view(view_begin_ + by, view_end_ + by); }

void ViewModel::fit_view() {
  double whole = static_cast<double>(end());
  if (whole <= kFitWhole || view_is_whole_) {
    bool small = whole <= kFitWhole;
    double at = static_cast<double>(position());
    set_view(small ? 0 : at - kFitWhole / 2, small ? whole : at + kFitWhole / 2);
    view_is_whole_ = small;
    return;
  }
  set_view(0, whole);
}

}  // namespace wakepath::gui
