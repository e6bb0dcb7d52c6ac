#include "gui/bookmarks.hh"

#include <fmt/format.h>

#include <algorithm>
#include <sstream>

namespace wakepath::gui {

void Bookmarks::resume(std::vector<Bookmark> all, std::function<void(const std::vector<Bookmark>&)> keep) {
  all_ = std::move(all);
  keep_ = std::move(keep);
  std::sort(all_.begin(), all_.end(), [](const Bookmark& a, const Bookmark& b) { return a.record < b.record; });
}

bool Bookmarks::toggle(trace::Position at, std::uint64_t step) {
  const auto place = std::partition_point(all_.begin(), all_.end(), [&](const Bookmark& b) { return b.record < at; });
  const bool there = place != all_.end() && place->record == at;
  if (there)
    all_.erase(place);
  else
    all_.insert(place, {at, step, ""});
  if (keep_) keep_(all_);
  return !there;
}

void Bookmarks::note(trace::Position at, std::string_view words) {
  for (Bookmark& one : all_)
    if (one.record == at) {
      one.note = words;
      std::replace(one.note.begin(), one.note.end(), '\n', ' ');
      if (keep_) keep_(all_);
    }
}

const Bookmark* Bookmarks::beside(trace::Position from, int direction) const {
  const Bookmark* found = nullptr;
  for (const Bookmark& one : all_) {
    if (direction > 0 && one.record > from) return &one;
    if (direction < 0 && one.record < from) found = &one;
  }
  return found;
}

const Bookmark* Bookmarks::at(trace::Position position) const {
  const auto found =
      std::find_if(all_.begin(), all_.end(), [&](const Bookmark& one) { return one.record == position; });
  return found == all_.end() ? nullptr : &*found;
}

std::string bookmarks_text(const std::vector<Bookmark>& all) {
  std::string out = "# bookmarks of Wakepath: RECORD STEP note\n";
  for (const Bookmark& one : all)
    out += fmt::format("{} {}{}{}\n", one.record, one.step, one.note.empty() ? "" : " ", one.note);
  return out;
}

std::variant<std::vector<Bookmark>, std::string> read_bookmarks(const std::string& file, const std::string& text) {
  std::vector<Bookmark> all;
  std::istringstream in(text);
  std::string line;
  for (int number = 1; std::getline(in, line); ++number) {
    if (line.empty() || line.front() == '#') continue;
    std::istringstream words(line);
    Bookmark one;
    if (!(words >> one.record >> one.step) || line.front() == '-')
      return fmt::format("{}:{}:1: found '{}', expected RECORD STEP note; bookmarks live in the window alone", file,
                         number, line.substr(0, 60));
    std::getline(words >> std::ws, one.note);
    all.push_back(std::move(one));
  }
  return all;
}

}  // namespace wakepath::gui
