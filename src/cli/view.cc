// wakepath view: a recording or a scenario in the window, or a picture of it.
#include <cstdio>
#include <cstdlib>
#include <string>

#include "src/cli/commands.hh"
#include "src/cli/file_session.hh"
#include "src/cli/open.hh"
#ifdef WAKEPATH_GUI
#include "gui/gui.hh"
#endif

namespace wakepath::cli {

int view(const ViewOptions& options) {
  Opened file = open_any(options.file);
  if (!file.message.empty()) std::fprintf(stderr, "%s\n", file.message.c_str());
  if (file.trace == nullptr) return 2;
#ifdef WAKEPATH_GUI
  FileSession session(std::move(file.trace), options.file);
  gui::WindowOptions window;
  window.width = options.width;
  window.height = options.height;
  window.scale = options.scale;
  window.theme = options.theme;
  window.reduce_motion = options.reduce_motion;
  window.position = options.position;
  window.step = options.step;
  window.select = options.select;
  window.shot = options.shot;
  const bool no_display = std::getenv("DISPLAY") == nullptr && std::getenv("WAYLAND_DISPLAY") == nullptr;
  if (!options.shot.empty() && (options.headless || no_display)) return gui::render_shot(session, window);
  return gui::run_window(session, window);
#else
  std::fprintf(stderr, "wakepath: this build has no window (configured with WAKEPATH_GUI=OFF)\n");
  return 3;
#endif
}

}  // namespace wakepath::cli
