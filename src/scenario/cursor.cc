#include "src/scenario/cursor.hh"

#include <fmt/format.h>

#include <cctype>
#include <charconv>

namespace wakepath::scenario {
namespace {

bool is_space(char c) { return c == ' ' || c == '\t' || c == '\n' || c == '\r'; }
bool is_letter(char c) { return std::isalpha(static_cast<unsigned char>(c)) != 0 || c == '_'; }
bool is_digit(char c) { return std::isdigit(static_cast<unsigned char>(c)) != 0; }

}  // namespace

void Cursor::skip_blanks() {
  while (pos_ < text_.size() && is_space(text_[pos_])) {
    ++pos_;
  }
}

bool Cursor::at_end() {
  skip_blanks();
  return pos_ >= text_.size();
}

bool Cursor::take(char c) {
  skip_blanks();
  if (pos_ < text_.size() && text_[pos_] == c) {
    ++pos_;
    return true;
  }
  return false;
}

bool Cursor::take(std::string_view word) {
  skip_blanks();
  if (looking_at(word)) {
    pos_ += word.size();
    return true;
  }
  return false;
}

std::string Cursor::since(size_t start) const {
  std::string_view part = text_.substr(start, pos_ - start);
  while (!part.empty() && is_space(part.front())) {
    part.remove_prefix(1);
  }
  while (!part.empty() && is_space(part.back())) {
    part.remove_suffix(1);
  }
  return std::string(part);
}

Position Cursor::place(size_t offset) const {
  if (offset < scalar_.offsets.size()) {
    return source_.position(scalar_.offsets[offset]);
  }
  return scalar_.at;
}

std::string Cursor::identifier(bool dashes) {
  skip_blanks();
  const size_t start = pos_;
  if (pos_ < text_.size() && is_letter(text_[pos_])) {
    while (pos_ < text_.size() && (is_letter(text_[pos_]) || is_digit(text_[pos_]) || (dashes && text_[pos_] == '-'))) {
      ++pos_;
    }
  }
  return std::string(text_.substr(start, pos_ - start));
}

std::optional<long> Cursor::integer() {
  skip_blanks();
  const size_t start = pos_;
  size_t at = pos_;
  const bool negative = at < text_.size() && text_[at] == '-';
  at += negative;
  if (at >= text_.size() || !is_digit(text_[at])) {
    return std::nullopt;
  }
  const bool hex = text_.substr(at).starts_with("0x");
  at += hex ? 2 : 0;
  unsigned long magnitude = 0;
  const auto [end, error] = std::from_chars(text_.data() + at, text_.data() + text_.size(), magnitude, hex ? 16 : 10);
  if (error != std::errc() || magnitude > 0x7fffffffffffffffUL) {
    pos_ = start;
    fail(hex && error == std::errc::invalid_argument ? "hexadecimal digits" : "a number of at most 63 bits");
  }
  pos_ = static_cast<size_t>(end - text_.data());
  return negative ? -static_cast<long>(magnitude) : static_cast<long>(magnitude);
}

std::optional<Duration> Cursor::duration() {
  skip_blanks();
  const size_t start = pos_;
  const std::optional<long> number = integer();
  if (!number || *number < 0) {
    pos_ = start;
    return std::nullopt;
  }
  const size_t unit_at = pos_;
  const std::string unit = identifier();
  long scale = 0;
  if (unit == "us") {
    scale = 1000;
  } else if (unit == "ms") {
    scale = 1000000;
  } else if (unit == "s") {
    scale = 1000000000;
  } else if (unit.empty() && *number != 0) {
    fail_at(start, fmt::format("{} without a unit", *number),
            fmt::format("a time such as {0}us, {0}ms or {0}s", *number));
  } else if (!unit.empty()) {
    fail_at(unit_at, "a unit of time: us, ms or s");
  }
  if (scale != 0 && *number > 3600L * 1000000000L / scale) {
    fail_at(start, "a time of at most an hour");
  }
  return Duration(*number * scale);
}

std::string Cursor::found() {
  skip_blanks();
  if (pos_ >= text_.size()) {
    return "the end of the step";
  }
  size_t end = pos_;
  if (is_letter(text_[end]) || is_digit(text_[end])) {
    while (end < text_.size() && (is_letter(text_[end]) || is_digit(text_[end]))) {
      ++end;
    }
  } else {
    ++end;
    while (end < text_.size() && (static_cast<unsigned char>(text_[end]) & 0xC0) == 0x80) {
      ++end;
    }
  }
  return fmt::format("'{}'", text_.substr(pos_, std::min<size_t>(end - pos_, 60)));
}

void Cursor::fail(std::string expected) {
  skip_blanks();
  fail_at(pos_, std::move(expected));
}

void Cursor::fail_at(size_t offset, std::string expected) {
  pos_ = offset;
  std::string what = found();
  if (in_call && pos_ >= text_.size()) {
    source_.fail_sentence(place(pos_), kUnterminatedCall, kUnterminatedAdvice);
  }
  fail_at(pos_, std::move(what), std::move(expected));
}

void Cursor::fail_at(size_t offset, std::string what, std::string expected) {
  source_.fail(place(offset), std::move(what), std::move(expected));
}

}  // namespace wakepath::scenario
