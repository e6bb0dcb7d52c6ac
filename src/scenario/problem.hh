#pragma once

#include <stdexcept>
#include <string>
#include <string_view>
#include <vector>

namespace wakepath::scenario {

/// A place in a scenario file. Lines and columns count from 1; a column is a character (code point), not a byte.
/// Line 0 stands for the file as a whole (it cannot be read, say).
struct Position {
  int line = 0;
  int column = 0;
  bool operator==(const Position&) const = default;
};

/// One thing that is wrong with a file: where, what stands there, what should.
struct Problem {
  std::string file;
  Position at;
  std::string found;
  std::string expected;
  bool sentence = false;  ///< `found` is a whole sentence; `expected`, when not empty, is the advice after it

  /// `file:line:column: found X, expected Y`
  std::string text() const;
};

/// Thrown inside the parser only; parse() turns it into a Problem.
struct ParseFailure : std::runtime_error {
  explicit ParseFailure(Problem p) : std::runtime_error("scenario does not parse"), problem(std::move(p)) {}
  Problem problem;
};

/// The text of a file, to turn byte offsets into positions.
class Source {
 public:
  Source() = default;
  Source(std::string file, std::string text);
  const std::string& file() const { return file_; }
  const std::string& text() const { return text_; }
  Position position(size_t offset) const;
  std::string_view line(int number) const;

  [[noreturn]] void fail(Position at, std::string found, std::string expected) const;
  [[noreturn]] void fail_sentence(Position at, std::string sentence, std::string advice = {}) const;

 private:
  std::string file_;
  std::string text_;
  std::vector<size_t> line_starts_;
};

/// The message for a call that YAML cut short; its words are part of the format.
extern const char* const kUnterminatedCall;
extern const char* const kUnterminatedAdvice;

/// The byte offset of the first byte that is not well-formed UTF-8 or is a control character YAML forbids; npos if
/// none.
size_t first_bad_byte(std::string_view text);

/// ` (did you mean X?)` for the nearest of the words, by edit distance; empty when none is near.
std::string did_you_mean(std::string_view word, const std::vector<std::string_view>& words);

}  // namespace wakepath::scenario
