#include "gui/commands.hh"

#include <algorithm>
#include <cctype>
#include <sstream>

#include "gui/theme.hh"
#include "gui/tongue.hh"

namespace wakepath::gui {

namespace {

using compat::Key;
using Shift = Chord::Shift;

constexpr float kLarger = 1.1f;

constexpr Chord plain(Key key) { return {.key = key}; }
constexpr Chord held(Key key, Shift shift = Shift::kAny) { return {.key = key, .shift = shift, .repeats = true}; }
constexpr Chord with_ctrl(Key key) { return {.key = key, .ctrl = true}; }

template <Grain grain, int direction>
void step(Ui& ui) {
  ui.model.step(grain, direction);
}
template <int direction>
void step_by_grain(Ui& ui) {
  ui.model.step(ui.model.grain(), direction);
}
template <Grain grain>
void choose_grain(Ui& ui) {
  ui.model.set_grain(grain);
}
void fold(Fold& panel, bool shown) { panel = shown ? Fold::kHidden : Fold::kShown; }
void to_end(Ui& ui) {
  ui.model.play(false);
  ui.model.session().live() ? ui.model.follow(true) : ui.model.seek(ui.model.end());
}
void to_difference(Ui& ui) {
  if (ui.twin != nullptr && ui.twin->differences().outcome) ui.model.seek_step(ui.twin->differences().outcome->step);
}

/// Escape: what lies on top goes first.
void close_front(Ui& ui) {
  if (ui.fork.open)
    ui.fork.open = false;
  else if (ui.show_bookmarks)
    ui.show_bookmarks = false;
  else if (ui.show_help)
    ui.show_help = false;
  else if (ui.show_why)
    ui.show_why = false;
  else if (ui.twin != nullptr)
    ui.twin.reset();
  else
    ui.model.select(0);
}

const Command kCommands[] = {
    {"Space", "play, pause", {plain(Key::kSpace)}, [](Ui& ui) { ui.model.play(!ui.model.playing()); }},
    {"Right", "one stop forward", {held(Key::kRight, Shift::kNot)}, step_by_grain<1>},
    {"Left", "one stop back", {held(Key::kLeft, Shift::kNot)}, step_by_grain<-1>},
    {"N, Shift + Right",
     "one step of the scenario forward",
     {held(Key::kN, Shift::kNot), held(Key::kRight, Shift::kHeld)},
     step<Grain::kStep, 1>},
    {"Shift + N or Left",
     "one step of the scenario back",
     {held(Key::kN, Shift::kHeld), held(Key::kLeft, Shift::kHeld)},
     step<Grain::kStep, -1>},
    {".", "one record forward", {held(Key::kPeriod)}, step<Grain::kRecord, 1>},
    {",", "one record back", {held(Key::kComma)}, step<Grain::kRecord, -1>},
    {"Down", "to the next call or return of a function", {held(Key::kDown)}, step<Grain::kFunction, 1>},
    {"Up", "to the last call or return of a function", {held(Key::kUp)}, step<Grain::kFunction, -1>},
    {"S", "to the next system call or its return", {held(Key::kS, Shift::kNot)}, step<Grain::kSyscall, 1>},
    {"Shift + S", "to the last system call or its return", {held(Key::kS, Shift::kHeld)}, step<Grain::kSyscall, -1>},
    {"1", "stop at every record", {}, choose_grain<Grain::kRecord>},
    {"2", "stop at every call and return of a function", {}, choose_grain<Grain::kFunction>},
    {"3", "stop at every system call and its return", {}, choose_grain<Grain::kSyscall>},
    {"4", "stop when a step is quiet", {}, choose_grain<Grain::kStep>},
    {"1 ... 6", "answer the question that is open"},
    {"-", "slower", {held(Key::kMinus)}, [](Ui& ui) { ui.model.set_speed(ui.model.speed() / 2); }},
    {"=", "faster", {held(Key::kEqual)}, [](Ui& ui) { ui.model.set_speed(ui.model.speed() * 2); }},
    {"Home", "to the start", {plain(Key::kHome)}, [](Ui& ui) { ui.model.play(false), ui.model.seek(0); }},
    {"End", "to the end (live: to now)", {plain(Key::kEnd)}, to_end},
    {"L",
     "follow the running program, or no longer",
     {plain(Key::kL)},
     [](Ui& ui) { ui.model.follow(!ui.model.following()); }},
    {"/, Ctrl + K",
     "find: an object, a function, sk_ack_backlog, wake server",
     {plain(Key::kSlash), with_ctrl(Key::kK)},
     [](Ui& ui) { ui.focus_search = true; }},
    {"Enter, Shift + Enter", "there: to where it happens next, happened last"},
    {"Ctrl + Enter", "there: playing stops where it happens, or no longer"},
    {"F",
     "the whole trace on the timeline",
     {plain(Key::kF)},
     [](Ui& ui) { ui.model.set_view(0, static_cast<double>(ui.model.end())); }},
    {"E", "fork here: change the step's call, see both futures", {plain(Key::kE)}, open_fork},
    {"D", "with two stages: to the first difference", {plain(Key::kD)}, to_difference},
    {"B", "bookmark here, or no longer", {plain(Key::kB)}, toggle_bookmark},
    {"G", "the list of bookmarks", {plain(Key::kG)}, [](Ui& ui) { ui.show_bookmarks = !ui.show_bookmarks; }},
    {"F2",
     "why: who woke, what returned, who still waits",
     {plain(Key::kF2)},
     [](Ui& ui) { ui.show_why = !ui.show_why; }},
    {"F3",
     "colours: dark, light, contrast, projector",
     {plain(Key::kF3)},
     [](Ui& ui) { use_theme(next_of(theme_names(), std::string(theme().name))), apply_style(ui.scale); }},
    {"F4", "language", {plain(Key::kF4)}, [](Ui&) { use_language(next_of(languages(), language())); }},
    {"F6", "call list: fold, unfold", {plain(Key::kF6)}, [](Ui& ui) { fold(ui.panels.calls, ui.sizes.calls > 0); }},
    {"F7",
     "inspector and words: fold, unfold",
     {plain(Key::kF7)},
     [](Ui& ui) { fold(ui.panels.words, ui.sizes.words > 0); }},
    {"F8",
     "timeline: fold, unfold",
     {plain(Key::kF8)},
     [](Ui& ui) { fold(ui.panels.timeline, ui.sizes.timeline > 0); }},
    {"Ctrl + =",
     "everything larger",
     {with_ctrl(Key::kEqual)},
     [](Ui& ui) { ui.wanted_scale = std::min(4.0f, ui.scale * kLarger); }},
    {"Ctrl + -",
     "everything smaller",
     {with_ctrl(Key::kMinus)},
     [](Ui& ui) { ui.wanted_scale = std::max(0.5f, ui.scale / kLarger); }},
    {"Ctrl + P", "palette: any of these by its words, or a step", {with_ctrl(Key::kP)}, open_palette},
    {"Escape", "select nothing; close this, or the second stage", {plain(Key::kEscape)}, close_front},
    {"F1", "this list", {plain(Key::kF1)}, [](Ui& ui) { ui.show_help = !ui.show_help; }},
};

bool went_down(const Chord& chord) {
  return compat::ctrl_held() == chord.ctrl &&
         (chord.shift == Shift::kAny || compat::shift_held() == (chord.shift == Shift::kHeld)) &&
         compat::pressed(chord.key, chord.repeats);
}

std::string lower(std::string text) {
  std::transform(text.begin(), text.end(), text.begin(),
                 [](unsigned char c) { return c < 0x80 ? static_cast<char>(std::tolower(c)) : static_cast<char>(c); });
  return text;
}

}  // namespace

std::span<const Command> commands() { return kCommands; }

void run_keys(Ui& ui) {
  for (const Command& command : kCommands)
    if (command.run != nullptr && std::any_of(command.chords.begin(), command.chords.end(), went_down)) command.run(ui);
}

std::vector<PaletteLine> palette_lines(const Ui& ui, const std::string& typed) {
  std::vector<std::string> wanted;
  std::istringstream words(lower(typed));
  for (std::string word; words >> word;) wanted.push_back(word);
  const auto fits = [&](const std::string& text) {
    return std::all_of(wanted.begin(), wanted.end(),
                       [&](const std::string& word) { return text.find(word) != std::string::npos; });
  };
  std::vector<PaletteLine> out;
  for (const Command& command : kCommands) {
    const std::string told(tr(command.words));
    if (command.run != nullptr && command.run != open_palette &&
        fits(lower(told + "\n" + command.words + "\n" + command.keys)))
      out.push_back({told, &command, 0});
  }
  for (const trace::StepEntry& step : ui.model.index().steps()) {
    const std::string told = said("step {}: {}", step.number, ui.model.trace().string(step.text));
    if (fits(lower(told))) out.push_back({told, nullptr, step.number});
  }
  return out;
}

}  // namespace wakepath::gui
