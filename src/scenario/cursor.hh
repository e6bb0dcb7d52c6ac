#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "src/scenario/ast.hh"
#include "src/scenario/yaml.hh"

namespace wakepath::scenario {

/// Walks over the text of one YAML scalar; knows for each byte where it stands in the file.
class Cursor {
 public:
  Cursor(const Source& source, const Yaml& scalar) : source_(source), scalar_(scalar), text_(scalar.text) {}

  void skip_blanks();
  bool at_end();  ///< skips blanks
  char peek() const { return pos_ < text_.size() ? text_[pos_] : '\0'; }
  bool looking_at(std::string_view word) const { return text_.substr(pos_).starts_with(word); }
  bool take(char c);                 ///< skips blanks; true when c was there
  bool take(std::string_view word);  ///< the same for several characters
  size_t offset() const { return pos_; }
  void go_to(size_t offset) { pos_ = offset; }
  std::string since(size_t start) const;  ///< the text from there to here, without blanks at either end
  Position here() const { return place(pos_); }
  Position place(size_t offset) const;

  /// A C identifier; empty when there is none. `dashes`: hyphens inside belong to it (names of actors).
  std::string identifier(bool dashes = false);
  /// A decimal or 0x number, perhaps negative. Fails when it does not fit 64 bits.
  std::optional<long> integer();
  /// `10ms`, `1s`, `20us`, `0`. Nothing is taken when there is none.
  std::optional<Duration> duration();

  /// What stands here, for a message: a quoted word, or "the end of the step".
  std::string found();
  [[noreturn]] void fail(std::string expected);
  [[noreturn]] void fail_at(size_t offset, std::string expected);
  [[noreturn]] void fail_at(size_t offset, std::string found, std::string expected);
  const Source& source() const { return source_; }

  /// While a call's bracket is open, the end of the text means that YAML cut the step short.
  bool in_call = false;

 private:
  const Source& source_;
  const Yaml& scalar_;
  std::string_view text_;
  size_t pos_ = 0;
};

}  // namespace wakepath::scenario
