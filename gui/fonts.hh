#pragma once

#include <string>
#include <string_view>
#include <vector>

struct ImFont;

namespace wakepath::gui {

struct Font {
  ImFont* face = nullptr;
  float px = 13;
};

/// The faces of the stage, loaded for one scale.
struct Fonts {
  Font title, bold, text, small, small_bold, mono, mono_small;
};

/// Loads the fonts into the current ImGui context. A font file that is missing is replaced by the next of its list and
/// in the end by the built-in one; each such case adds a sentence to the result. Never fails.
/// `letters`: text that may be shown (UTF-8); what of it is Chinese is loaded too.
std::vector<std::string> load_fonts(float scale, std::string_view letters = {});
/// Characters of `text` beyond ASCII that the face has no glyph for.
[[nodiscard]] std::string without_glyph(const Font& font, std::string_view text);
[[nodiscard]] const Fonts& fonts();

}  // namespace wakepath::gui
