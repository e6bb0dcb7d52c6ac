#include "gui/fonts.hh"

#include <fmt/format.h>

#include <algorithm>
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

const Family kChinese{
    "Chinese",
    "fonts-droid-fallback",
    {"/usr/share/fonts/truetype/droid/DroidSansFallbackFull.ttf",
     "/usr/share/fonts/opentype/noto/NotoSansCJK-Regular.ttc", "/usr/share/fonts/truetype/wqy/wqy-microhei.ttc"}};

ImVector<ImWchar> chinese_ranges;  // the atlas reads them when it is built

constexpr ImWchar kFirstChinese = 0x2E80;

/// The character at the front of `text`, which is taken off; of broken UTF-8, a byte.
unsigned take_character(std::string_view& text) {
  const auto byte = [&](std::size_t i) { return static_cast<unsigned char>(text[i]); };
  const std::size_t size = byte(0) < 0xC0 ? 1 : byte(0) < 0xE0 ? 2 : byte(0) < 0xF0 ? 3 : 4;
  unsigned c = size == 1 ? byte(0) : byte(0) & (0x7Fu >> size);
  const std::size_t there = std::min(size, text.size());
  for (std::size_t i = 1; i < there; ++i) c = c << 6 | (byte(i) & 0x3Fu);
  text.remove_prefix(there);
  return c;
}

/// Only what is said: all of Chinese would take seconds and a texture of its own.
void collect_chinese(std::string_view letters) {
  ImFontGlyphRangesBuilder builder;
  while (!letters.empty())
    if (const unsigned c = take_character(letters); c >= kFirstChinese && c <= IM_UNICODE_CODEPOINT_MAX)
      builder.AddChar(static_cast<ImWchar>(c));
  chinese_ranges.clear();
  builder.BuildRanges(&chinese_ranges);
}

/// Behind the face that was loaded last.
void add_chinese(float size, std::vector<std::string>& warnings) {
  if (chinese_ranges.Size < 2) return;
  ImFontConfig config;
  config.OversampleH = config.OversampleV = 1;
  config.PixelSnapH = true;
  config.MergeMode = true;
  for (const char* file : kChinese.files) {
    std::error_code error;
    if (!std::filesystem::exists(file, error)) continue;
    if (ImGui::GetIO().Fonts->AddFontFromFileTTF(file, size, &config, chinese_ranges.Data) != nullptr) return;
  }
  warnings.push_back(fmt::format("font for {}: none of its files is here (package {}), its signs are shown as boxes",
                                 kChinese.what, kChinese.package));
}

Font load_latin(const Family& family, float px, float scale, std::vector<std::string>& warnings) {
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

Font load(const Family& family, float px, float scale, std::vector<std::string>& warnings) {
  const Font font = load_latin(family, px, scale, warnings);
  add_chinese(font.px, warnings);
  return font;
}

}  // namespace

std::vector<std::string> load_fonts(float scale, std::string_view letters) {
  std::vector<std::string> warnings;
  ImGui::GetIO().Fonts->Clear();
  compat::use_freetype();
  collect_chinese(letters);
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
    if (std::find(once.begin(), once.end(), w) == once.end()) once.push_back(std::move(w));
  return once;
}

std::string without_glyph(const Font& font, std::string_view text) {
  std::string out;
  while (!text.empty()) {
    const std::string_view rest = text;
    const unsigned c = take_character(text);
    if (c >= 0x80 && font.face->FindGlyphNoFallback(static_cast<ImWchar>(c)) == nullptr)
      out += rest.substr(0, rest.size() - text.size());
  }
  return out;
}

const Fonts& fonts() { return loaded; }

}  // namespace wakepath::gui
