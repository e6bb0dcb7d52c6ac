#include "gui/start.hh"

#include <fmt/format.h>
#include <glad/gl.h>
#include <stb/stb_image_write.h>

#include <algorithm>
#include <cerrno>
#include <cstdio>
#include <cstring>
#include <fstream>

#include "gui/app.hh"
#include "gui/fonts.hh"
#include "gui/imgui_compat.hh"
#include "gui/theme.hh"
#include "gui/tongue.hh"
#include "sim/export/explain.hh"

namespace wakepath::gui {

bool place_at(ViewModel& model, const WindowOptions& options) {
  if (options.step && !model.seek_step(*options.step)) {
    std::fprintf(stderr, "wakepath: the trace has no step %llu, expected 0 to %zu\n",
                 static_cast<unsigned long long>(*options.step), model.index().steps().size());
    return false;
  }
  if (options.position) {
    model.set_grain(Grain::kFunction);
    model.seek(*options.position);
  }
  if (!options.select.empty()) {
    trace::ObjectId found = 0;
    for (const trace::Object& object : model.world().objects())
      if (object.id != 0 && trace::object_name(model.trace(), model.world(), object.id) == options.select)
        found = object.id;
    if (found != 0)
      model.select(found);
    else
      model.search(options.select);
  }
  if (options.follow) model.follow(true);
  return true;
}

Picture read_pixels(int width, int height) {
  Picture picture{width, height,
                  std::vector<unsigned char>(static_cast<std::size_t>(width) * static_cast<std::size_t>(height) * 3),
                  0};
  glPixelStorei(GL_PACK_ALIGNMENT, 1);
  glReadPixels(0, 0, width, height, GL_RGB, GL_UNSIGNED_BYTE, picture.rgb.data());
  std::size_t row = static_cast<std::size_t>(width) * 3;
  for (std::size_t top = 0, bottom = static_cast<std::size_t>(height) - 1; top < bottom; ++top, --bottom)
    std::swap_ranges(picture.rgb.begin() + static_cast<std::ptrdiff_t>(top * row),
                     picture.rgb.begin() + static_cast<std::ptrdiff_t>((top + 1) * row),
                     picture.rgb.begin() + static_cast<std::ptrdiff_t>(bottom * row));
  return picture;
}

std::string write_png(const std::filesystem::path& path, const Picture& picture) {
  std::string png;
  const auto put = [](void* to, void* bytes, int size) {
    static_cast<std::string*>(to)->append(static_cast<const char*>(bytes), static_cast<std::size_t>(size));
  };
  if (stbi_write_png_to_func(put, &png, picture.width, picture.height, 3, picture.rgb.data(), picture.width * 3) == 0)
    return fmt::format("{}: the picture cannot be made", path.string());
  errno = 0;
  std::ofstream out(path, std::ios::binary | std::ios::trunc);
  out.write(png.data(), static_cast<std::streamsize>(png.size()));
  out.close();
  return out ? "" : fmt::format("{}: cannot be written: {}", path.string(), std::strerror(errno));
}

int keep_shot(const std::string& path, const Picture& picture) {
  const std::string why = write_png(path, picture);
  if (why.empty()) return 0;
  std::fprintf(stderr, "wakepath: %s\n", why.c_str());
  return 2;
}

std::string letters_of(const ViewModel& model) {
  std::string letters;
  for (const Translation& one : chinese()) letters += one.words;
  for (const std::string& id : exports::explain_ids("zh")) letters += exports::explain("zh", id);
  for (const trace::LessonNote& note : model.index().lesson()) letters += model.trace().string(note.text);
  return letters;
}

std::string letters_of(const std::vector<Story>& stories) {
  std::string letters;
  for (const Translation& one : chinese()) letters += one.words;
  for (const Story& story : stories)
    for (const trace::Words* words : {&story.title, &story.about})
      for (const auto& [code, text] : words->by_language) letters += text;
  return letters;
}

std::string letters_of(const ViewModel& model, const WindowOptions& options) {
  std::string letters = letters_of(model);
  if (options.beside != nullptr) letters += letters_of(ViewModel(*options.beside));
  for (const Bookmark& one : options.bookmarks) letters += one.note;
  return letters;
}

void start_imgui(float scale, const WindowOptions& options, const std::string& letters) {
  ImGui::CreateContext();
  ImGui::GetIO().IniFilename = nullptr;
  use_theme(options.theme);
  use_language(options.language);
  static bool told = false;
  for (const std::string& warning : load_fonts(scale, letters))
    if (!told) std::fprintf(stderr, "wakepath: %s\n", warning.c_str());
  told = true;
  apply_style(scale);
}

}  // namespace wakepath::gui
