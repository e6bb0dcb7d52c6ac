#pragma once

#include "gui/gui.hh"
#include "gui/view_model.hh"

namespace wakepath::gui {

/// Puts a model where the options say. False (with a sentence on standard error) when the trace has no such step.
bool place_at(ViewModel& model, const WindowOptions& options);
/// Reads the bound framebuffer.
[[nodiscard]] Picture read_pixels(int width, int height);
/// ImGui context with fonts and style for a scale; font warnings go to standard error once.
void start_imgui(float scale, const std::string& theme_name);

}  // namespace wakepath::gui
