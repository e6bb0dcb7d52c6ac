#include "src/cli/notes_file.hh"

#include <cstdio>
#include <filesystem>
#include <fstream>
#include <iterator>

#include "gui/bookmarks.hh"
#include "src/cli/output.hh"

namespace wakepath::cli {

Notes::Notes(const std::string& file) : file_(file + ".notes") {
  std::ifstream in(file_, std::ios::binary);
  if (!in) return;
  auto read = gui::read_bookmarks(file_, {std::istreambuf_iterator<char>(in), {}});
  if (auto* wrong = std::get_if<std::string>(&read)) {
    std::fprintf(stderr, "%s\n", wrong->c_str());
    told_ = true;
    return;
  }
  all_ = std::get<std::vector<gui::Bookmark>>(std::move(read));
}

void Notes::keep(const std::vector<gui::Bookmark>& all) {
  if (told_) return;
  std::error_code error;
  if (all.empty()) return (void)std::filesystem::remove(file_, error);
  if (replace_file(file_, gui::bookmarks_text(all))) return;
  std::fprintf(stderr, "wakepath: %s: cannot be written; bookmarks live in the window alone\n", file_.c_str());
  told_ = true;
}

}  // namespace wakepath::cli
