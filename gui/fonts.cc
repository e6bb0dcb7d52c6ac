#include "gui/fonts.hh"

#include <fmt/format.h>

#include <cmath>
#include <filesystem>

#include "gui/imgui_compat.hh"

namespace wakepath::gui {

namespace {

Fonts loaded;

struct Family {
  const char* what;
  const char* package;
  std::vector<const char*> files;
};

const Family kRegular{
    "text",
    "fonts-inter",
    {"/usr/share/fonts/opentype/inter/Inter-Regular.otf", "/usr/share/fonts/truetype/dejavu/DejaVuSans.ttf"}};
const Family kSemiBold{
    "titles",
    "fonts-inter",
    {"/usr/share/fonts/opentype/inter/Inter-SemiBold.otf", "/usr/share/fonts/truetype/dejavu/DejaVuSans-Bold.ttf"}};
const Family kMono{"kernel names",
                   "fonts-jetbrains-mono",
                   {"/usr/share/fonts/truetype/jetbrains-mono/JetBrainsMono-Regular.ttf",
                    "/usr/share/fonts/truetype/dejavu/DejaVuSansMono.ttf"}};

Font load(const Family& family, float px, float scale, std::vector<std::string>& warnings) {
  // Latin, punctuation, arrows, mathematical signs, geometric shapes
  static const ImWchar kRanges[] = {0x20, 0xFF, 0x2010, 0x2027, 0x2190, 0x21FF, 0x2200, 0x22FF, 0x25A0, 0x25FF, 0};
  ImFontConfig config;
  config.OversampleH = config.OversampleV = 1;
  config.PixelSnapH = true;
  float size = std::round(px * scale);
  ImFontAtlas* atlas = ImGui::GetIO().Fonts;
  for (std::size_t i = 0; i < family.files.size(); ++i) {
    std::error_code error;
    if (!std::filesystem::exists(family.files[i], error)) continue;
    if (i != 0)
      warnings.push_back(fmt::format("font for {}: {} is missing (package {}), using {}", family.what, family.files[0],
                                     family.package, family.files[i]));
    if (ImFont* face = atlas->AddFontFromFileTTF(family.files[i], size, &config, kRanges)) return {face, size};
  }
  warnings.push_back(fmt::format("font for {}: none of its files is here (package {}), using the built-in one",
                                 family.what, family.package));
  ImFontConfig built_in;
  built_in.SizePixels = size;
  return {atlas->AddFontDefault(&built_in), size};
}

}  // namespace

std::vector<std::string> load_fonts(float scale) {
  std::vector<std::string> warnings;
  ImGui::GetIO().Fonts->Clear();
  compat::use_freetype();
  loaded.text = load(kRegular, 14.5f, scale, warnings);
  loaded.small = load(kRegular, 12.5f, scale, warnings);
  loaded.bold = load(kSemiBold, 15, scale, warnings);
  loaded.small_bold = load(kSemiBold, 12, scale, warnings);
  loaded.title = load(kSemiBold, 18, scale, warnings);
  loaded.mono = load(kMono, 13, scale, warnings);
  loaded.mono_small = load(kMono, 12, scale, warnings);
  ImGui::GetIO().FontDefault = loaded.text.face;
  std::vector<std::string> once;
  for (std::string& w : warnings)
    if (once.empty() || once.back() != w) once.push_back(std::move(w));
  return once;
}

const Fonts& fonts() { return loaded; }

}  // namespace wakepath::gui
