#pragma once

#include "gui/gui.hh"
#include "gui/view_model.hh"

namespace wakepath::gui {

constexpr float kProjectorScale = 1.25f;  // the last row reads too

/// Puts a model where the options say. False (with a sentence on standard error) when the trace has no such step.
bool place_at(ViewModel& model, const WindowOptions& options);
/// Reads the bound framebuffer.
[[nodiscard]] Picture read_pixels(int width, int height);
/// Writes the picture that was asked for: 0; or 2, having said why on standard error.
[[nodiscard]] int keep_shot(const std::string& path, const Picture& picture);
/// All words that the stage may show of a trace and of itself, in every language: what the fonts must have.
[[nodiscard]] std::string letters_of(const ViewModel& model);
/// ImGui context with style, language and fonts as the options say; font warnings go to standard error once.
/// `letters`: what the fonts must have.
void start_imgui(float scale, const WindowOptions& options, const std::string& letters);
[[nodiscard]] std::string letters_of(const std::vector<Story>& stories);
/// Those of a model and of what stands beside it.
[[nodiscard]] std::string letters_of(const ViewModel& model, const WindowOptions& options);

}  // namespace wakepath::gui
