#pragma once

#include <string>
#include <vector>

#include "gui/gui.hh"

namespace wakepath::cli {

/// The bookmarks of a file, kept beside it: `x.wkp.notes`.
class Notes {
 public:
  /// Reads them; a file of notes that is wrong is told on standard error and left as it is.
  explicit Notes(const std::string& file);
  [[nodiscard]] const std::vector<gui::Bookmark>& all() const { return all_; }
  /// All of them or nothing: what was there before stays when it cannot be written, which is told once.
  void keep(const std::vector<gui::Bookmark>& all);

 private:
  std::string file_;
  std::vector<gui::Bookmark> all_;
  bool told_ = false;  ///< that they live in the window alone
};

}  // namespace wakepath::cli
