#pragma once

#include <functional>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "gui/gui.hh"

namespace wakepath::gui {

/// Places that somebody wants to come back to, each with a note, in the order of the trace.
class Bookmarks {
 public:
  /// `keep` gets all of them after each change; may be empty.
  void resume(std::vector<Bookmark> all, std::function<void(const std::vector<Bookmark>&)> keep);
  [[nodiscard]] const std::vector<Bookmark>& all() const { return all_; }
  /// Sets one there, or takes it away again. True when it is there now.
  bool toggle(trace::Position at, std::uint64_t step);
  void note(trace::Position at, std::string_view words);
  /// The next one behind `from` (+1), or the last before it (-1); nullptr when there is none.
  [[nodiscard]] const Bookmark* beside(trace::Position from, int direction) const;
  [[nodiscard]] const Bookmark* at(trace::Position position) const;

 private:
  std::vector<Bookmark> all_;
  std::function<void(const std::vector<Bookmark>&)> keep_;
};

/// The file of bookmarks: a line each, `RECORD STEP note`; lines that begin with # are for people.
[[nodiscard]] std::string bookmarks_text(const std::vector<Bookmark>& all);
/// Or what is wrong with it, with file and line.
[[nodiscard]] std::variant<std::vector<Bookmark>, std::string> read_bookmarks(const std::string& file,
                                                                              const std::string& text);

}  // namespace wakepath::gui
