#pragma once

#include <fmt/format.h>

#include <string>
#include <string_view>
#include <vector>

/// The language of the interface. English words are the keys; names of the kernel are the same in every language.

namespace wakepath::gui {

/// "en", "zh"; an unknown one counts as English.
void use_language(std::string_view code);
[[nodiscard]] const std::string& language();
/// In the order in which a switch goes through them.
[[nodiscard]] const std::vector<std::string>& languages();

/// The words in the language in use, or the English ones where there are none. The result lives as long as `english`.
[[nodiscard]] std::string_view tr(std::string_view english);

/// The same with its places filled: said("step {} is quiet", 3).
template <class... Values>
[[nodiscard]] std::string said(std::string_view english, const Values&... values) {
  return fmt::format(fmt::runtime(tr(english)), values...);
}

struct Translation {
  const char* english;
  const char* words;
};
/// All that is translated.
[[nodiscard]] const std::vector<Translation>& chinese();

}  // namespace wakepath::gui
