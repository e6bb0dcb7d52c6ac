#include "gui/tongue.hh"

#include <algorithm>
#include <unordered_map>

namespace wakepath::gui {

namespace {

std::string& in_use() {
  static std::string code = "en";
  return code;
}

}  // namespace

const std::vector<std::string>& languages() {
  static const std::vector<std::string> kAll = {"en", "zh"};
  return kAll;
}

void use_language(std::string_view code) {
  const auto found = std::find(languages().begin(), languages().end(), code);
  in_use() = found == languages().end() ? "en" : *found;
}

const std::string& language() { return in_use(); }

std::string_view tr(std::string_view english) {
  if (in_use() == "en") return english;
  static const std::unordered_map<std::string_view, std::string_view> kTable = [] {
    std::unordered_map<std::string_view, std::string_view> table;
    for (const Translation& one : chinese()) table.emplace(one.english, one.words);
    return table;
  }();
  const auto found = kTable.find(english);
  return found != kTable.end() ? found->second : english;
}

}  // namespace wakepath::gui
