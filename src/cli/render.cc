// wakepath render: the stage as a picture, a series of pictures or a film, without a display.
#include <fmt/format.h>
#include <unistd.h>

#include <filesystem>
#include <optional>
#include <utility>

#include "src/cli/commands.hh"
#include "src/cli/encoder.hh"
#include "src/cli/file_session.hh"
#include "src/cli/number.hh"
#include "src/cli/open.hh"
#include "src/cli/output.hh"
#ifdef WAKEPATH_GUI
#include "src/cli/window_of.hh"
#endif

namespace wakepath::cli {

#ifdef WAKEPATH_GUI

namespace {

namespace fs = std::filesystem;
using Range = std::pair<std::uint64_t, std::uint64_t>;

/// "3:7", or "3" for one.
std::optional<Range> range_of(const std::string& text) {
  const std::size_t colon = text.find(':');
  const auto from = number(std::string_view(text).substr(0, colon));
  const auto to = colon == std::string::npos ? from : number(std::string_view(text).substr(colon + 1));
  return from && to ? std::optional(Range(*from, *to)) : std::nullopt;
}

/// Tells who waits at a terminal how far it is.
class Progress {
 public:
  explicit Progress(const gui::FilmOptions& film) : film_(film), told_(isatty(STDERR_FILENO) != 0) {}
  Progress(const Progress&) = delete;
  Progress& operator=(const Progress&) = delete;
  ~Progress() {
    if (step_ != 0) fmt::print(stderr, "\r\033[K");
  }
  void at(std::uint64_t step) {
    if (!told_ || step == step_) return;
    step_ = step;
    fmt::print(stderr, "\rstep {} of {} to {}", step, film_.from, film_.to);
  }

 private:
  const gui::FilmOptions& film_;
  bool told_;
  std::uint64_t step_ = 0;
};

int one_picture(const RenderOptions& options, const trace::Session& session) {
  gui::WindowOptions window = window_of(options.look);
  window.shot = options.output;
  if (!options.step.empty()) {
    window.step = number(options.step);
    if (!window.step) return fail(kWrong, fmt::format("--step: found '{}', expected a number", options.step));
  } else {
    window.position = session.trace().size();
  }
  return gui::render_shot(session, window);
}

/// x.png becomes x-7.png.
int series(const RenderOptions& options, const trace::Session& session, gui::FilmOptions film) {
  const fs::path path = options.output;
  film.grain = "step";
  std::string lost;
  Progress progress(film);
  const auto keep = [&](const gui::Picture& picture, std::uint64_t step) {
    const fs::path file = path.parent_path() / fmt::format("{}-{}.png", path.stem().string(), step);
    lost = gui::write_png(file, picture);
    progress.at(step);
    return lost.empty();
  };
  if (const std::string why = gui::render_film(session, window_of(options.look), film, keep); !why.empty())
    return fail(kWrong, why);
  return lost.empty() ? 0 : fail(kWrong, lost);
}

int film_of(const RenderOptions& options, const std::string& format, const trace::Session& session,
            const gui::FilmOptions& film) {
  if (const int status = write_out(Encoder::part(options.output), ""); status != 0) return status;
  Encoder encoder;
  if (const std::string why = encoder.open(options.output, format, options.look.width, options.look.height, film.rate);
      !why.empty())
    return fail(kLacking, why);
  bool taken = true;
  Progress progress(film);
  const std::string why =
      gui::render_film(session, window_of(options.look), film, [&](const gui::Picture& picture, std::uint64_t step) {
        progress.at(step);
        return taken = encoder.add(picture.rgb);
      });
  if (!why.empty()) return fail(kWrong, why);
  const std::string failed = encoder.close();
  return failed.empty() && taken ? 0 : fail(kWrong, options.output + ": " + failed);
}

}  // namespace

int render(const RenderOptions& options) {
  const std::string format = format_of_ending(options.output);
  const bool films = format == "mp4" || format == "webm" || format == "gif";
  if (!films && format != "png")
    return fail(kWrong,
                fmt::format("{}: found the ending '.{}', expected .png, .mp4, .webm or .gif", options.output, format));
  const auto range = range_of(options.range);
  if (!options.range.empty() && !range)
    return fail(kWrong, fmt::format("--range: found '{}', expected steps such as 3:7", options.range));
  if (films && !range) return fail(kWrong, "a film needs --range A:B, the steps that it shows");
  Opened opened = open_any(options.file);
  if (!opened.trace) return fail(kWrong, opened.message);
  if (!opened.message.empty()) fmt::print(stderr, "{}\n", opened.message);
  const FileSession session(std::move(opened.trace), options.file);
  if (!range) return one_picture(options, session);
  const gui::FilmOptions film = {
      .from = range->first, .to = range->second, .grain = options.grain, .rate = options.rate, .speed = options.speed};
  return films ? film_of(options, format, session, film) : series(options, session, film);
}

#else

int render(const RenderOptions&) {
  return fail(kLacking, "this build has no stage (configured with WAKEPATH_GUI=OFF)");
}

#endif

}  // namespace wakepath::cli
