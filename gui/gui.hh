#pragma once

#include <cstdint>
#include <filesystem>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "sim/trace/lesson_words.hh"
#include "sim/trace/session.hh"

/// The stage: a window over a session's trace, and the same picture without a display.

namespace wakepath::gui {

/// Whether a panel stands beside the stage.
enum class Fold : std::uint8_t { kRoom, kShown, kHidden };  ///< kRoom: where the window has room for it
struct Folds {
  Fold calls = Fold::kRoom;
  Fold words = Fold::kRoom;  ///< inspector and words; an open question shows them all the same
  Fold timeline = Fold::kRoom;
};

/// A place in a trace to come back to.
struct Bookmark {
  trace::Position record = 0;
  std::uint64_t step = 0;
  std::string note;
};

/// A scenario that can be chosen on the first screen.
struct Story {
  std::string file;
  std::string level;  ///< "intro", "core", "deep", or empty
  long lesson = 0;    ///< 0: in none
  long order = 0;     ///< within the lesson
  trace::Words title = {};
  trace::Words about = {};
};

/// The words of a scenario's step, to be changed.
struct StepText {
  std::string words;
  std::string problem;  ///< why they cannot be; else empty
};
/// Another future of a scenario.
struct Fork {
  std::shared_ptr<const trace::Session> session;  ///< null when it could not be run
  std::string message;                            ///< why, or what else is to be said of it
};
/// What the stage asks of whoever opened a scenario; empty for anything else.
struct Workshop {
  std::function<StepText(std::uint64_t step)> step_text;
  std::function<Fork(std::uint64_t step, const std::string& words)> fork;
};

struct WindowOptions {
  int width = 1440;
  int height = 900;
  float scale = 0;             ///< size of everything; 0: what the monitor says (1 without one), a projector more
  std::string theme = "dark";  ///< "dark", "light", "contrast", "projector"
  std::string language = "en";
  bool reduce_motion = false;
  bool follow = false;                      ///< stay at the end of a live session from the start
  std::optional<trace::Position> position;  ///< where to stand at first
  std::optional<std::uint64_t> step;        ///< or: after this step is quiet
  std::string select;                       ///< name of an object to select at first: "eventpoll#1"; may be empty
  std::string shot;  ///< file for a picture (PNG); written after `frames` frames, then the window closes
  int frames = 3;
  std::map<std::uint64_t, std::string> given;  ///< answers of an earlier time, by the number of the question's step
  std::function<void(const std::map<std::uint64_t, std::string>&)> keep;  ///< gets all answers after each; may be empty
  Workshop workshop;
  std::shared_ptr<const trace::Session> beside;  ///< another trace beside this one, step by step; may be null
  std::string beside_message;                    ///< what is to be said of it
  Folds panels;
  std::vector<Bookmark> bookmarks;
  std::function<void(const std::vector<Bookmark>&)> keep_bookmarks;  ///< gets all of them after each change
  /// Gets size, colours, language and panels as they are when the window closes. May be empty.
  std::function<void(const WindowOptions&)> remember;
  std::function<bool()> should_close;  ///< asked several times a second; true closes the window. May be empty
};

/// Opens the window and returns when it is closed: 0; 2 when there is no such step, or the picture cannot be written;
/// 3 when this machine has no display or no OpenGL 3.3. Says why on standard error. The session must outlive the call.
/// Prints "window ready" on standard output once the first picture is on the screen.
int run_window(const trace::Session& session, const WindowOptions& options);

/// Writes one picture (options.shot) without any display. The same statuses. The picture is a function of the trace and
/// the options alone.
int render_shot(const trace::Session& session, const WindowOptions& options);

/// The first screen: all stories, of which one is chosen. `chosen` stays empty when the window is closed; `options`
/// take the colours and the language that were chosen there. 0; 3 when there is no window here.
int choose_story(const std::vector<Story>& stories, WindowOptions& options, std::optional<std::size_t>& chosen);
/// A picture of it, as render_shot() makes one of the stage.
int render_browser(const std::vector<Story>& stories, const WindowOptions& options);

/// Pixels of a picture without a display, for tests and films: RGB, top row first.
struct Picture {
  int width = 0;
  int height = 0;
  std::vector<unsigned char> rgb;
  double seconds_per_frame = 0;  ///< what the last frame cost, measured on the CPU's clock
};
/// Nothing when there is no off-screen OpenGL 3.3 here; then `why` says what was missing.
std::optional<Picture> render_picture(const trace::Session& session, const WindowOptions& options, std::string& why);

/// The stage as it plays, without a display: the same pixels every time.
struct FilmOptions {
  std::uint64_t from = 1;  ///< steps
  std::uint64_t to = 1;
  std::string grain = "function";  ///< where it stops: "record", "function", "call", "step"
  int rate = 12;                   ///< pictures a second
  double speed = 1;                ///< stops go by this much faster than the stage plays them
};
/// `each` gets one picture after the other with the step that it belongs to, and ends the film with false. Empty when
/// all is well, else what is missing or wrong. With grain "step" there is one picture for each step.
std::string render_film(const trace::Session& session, const WindowOptions& options, const FilmOptions& film,
                        const std::function<bool(const Picture&, std::uint64_t step)>& each);

/// Empty, or why the file cannot be written.
std::string write_png(const std::filesystem::path& path, const Picture& picture);

}  // namespace wakepath::gui
