#include "src/scenario/problem.hh"

#include <fmt/format.h>

#include <algorithm>
#include <cctype>

namespace wakepath::scenario {

const char* const kUnterminatedCall = "unterminated call";
const char* const kUnterminatedAdvice = "quote the step: '#' starts a comment and ': ' a mapping in YAML";

std::string Problem::text() const {
  const std::string where = at.line > 0 ? fmt::format("{}:{}:{}: ", file, at.line, at.column) : file + ": ";
  if (sentence) {
    return where + found + (expected.empty() ? "" : "; " + expected);
  }
  return fmt::format("{}found {}, expected {}", where, found, expected);
}

Source::Source(std::string file, std::string text) : file_(std::move(file)), text_(std::move(text)), line_starts_{0} {
  for (size_t i = 0; i < text_.size(); ++i) {
    if (text_[i] == '\n') {
      line_starts_.push_back(i + 1);
    }
  }
}

Position Source::position(size_t offset) const {
  offset = std::min(offset, text_.size());
  const auto after = std::upper_bound(line_starts_.begin(), line_starts_.end(), offset);
  const size_t line = static_cast<size_t>(after - line_starts_.begin());
  int column = 1;
  for (size_t i = line_starts_[line - 1]; i < offset; ++i) {
    column += (static_cast<unsigned char>(text_[i]) & 0xC0) != 0x80;
  }
  return {static_cast<int>(line), column};
}

std::string_view Source::line(int number) const {
  if (number < 1 || number > static_cast<int>(line_starts_.size())) {
    return {};
  }
  const size_t start = line_starts_[static_cast<size_t>(number - 1)];
  const size_t end = text_.find('\n', start);
  return std::string_view(text_).substr(start, end == std::string::npos ? end : end - start);
}

void Source::fail(Position at, std::string found, std::string expected) const {
  throw ParseFailure({file_, at, std::move(found), std::move(expected)});
}

void Source::fail_sentence(Position at, std::string sentence, std::string advice) const {
  throw ParseFailure({file_, at, std::move(sentence), std::move(advice), true});
}

size_t first_bad_byte(std::string_view text) {
  for (size_t i = 0; i < text.size();) {
    const auto c = static_cast<unsigned char>(text[i]);
    if (c < 0x80) {
      if ((c < 0x20 && c != '\n' && c != '\r' && c != '\t') || c == 0x7F) {
        return i;
      }
      ++i;
      continue;
    }
    const size_t more = c >= 0xF0 && c < 0xF5 ? 3 : c >= 0xE0 ? 2 : 1;
    if (c < 0xC2 || c >= 0xF5) {
      return i;
    }
    for (size_t k = 1; k <= more; ++k) {
      if (i + k >= text.size() || (static_cast<unsigned char>(text[i + k]) & 0xC0) != 0x80) {
        return i;
      }
    }
    const auto second = static_cast<unsigned char>(text[i + 1]);
    const bool overlong = (c == 0xE0 && second < 0xA0) || (c == 0xF0 && second < 0x90);
    const bool beyond = (c == 0xED && second >= 0xA0) || (c == 0xF4 && second >= 0x90);
    if (overlong || beyond) {
      return i;
    }
    i += more + 1;
  }
  return std::string_view::npos;
}

namespace {

/// Edit distance where swapping two neighbours counts once and upper case equals lower case.
size_t distance(std::string_view a, std::string_view b) {
  std::vector<std::vector<size_t>> d(a.size() + 1, std::vector<size_t>(b.size() + 1));
  for (size_t i = 0; i <= a.size(); ++i) {
    for (size_t j = 0; j <= b.size(); ++j) {
      if (i == 0 || j == 0) {
        d[i][j] = i + j;
        continue;
      }
      const auto same = [&](size_t x, size_t y) {
        return std::toupper(static_cast<unsigned char>(a[x])) == std::toupper(static_cast<unsigned char>(b[y]));
      };
      d[i][j] = std::min({d[i - 1][j] + 1, d[i][j - 1] + 1, d[i - 1][j - 1] + (same(i - 1, j - 1) ? 0 : 1)});
      if (i > 1 && j > 1 && same(i - 1, j - 2) && same(i - 2, j - 1)) {
        d[i][j] = std::min(d[i][j], d[i - 2][j - 2] + 1);
      }
    }
  }
  return d[a.size()][b.size()];
}

}  // namespace

std::string did_you_mean(std::string_view word, const std::vector<std::string_view>& words) {
  if (word.size() > 64) {
    return {};
  }
  std::string_view best;
  size_t nearest = std::max<size_t>(1, word.size() / 3) + 1;
  for (const std::string_view candidate : words) {
    const size_t d = distance(word, candidate);
    if (d < nearest) {
      nearest = d;
      best = candidate;
    }
  }
  return best.empty() ? "" : fmt::format(" (did you mean {}?)", best);
}

}  // namespace wakepath::scenario
