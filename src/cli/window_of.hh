#pragma once

#include "gui/gui.hh"
#include "src/cli/commands.hh"

namespace wakepath::cli {

/// A window that looks like that.
[[nodiscard]] inline gui::WindowOptions window_of(const Look& look) {
  gui::WindowOptions window;
  window.width = look.width;
  window.height = look.height;
  window.scale = look.scale;
  window.theme = look.theme;
  window.language = look.language;
  return window;
}

}  // namespace wakepath::cli
