#include "src/guest/strace_text.hh"

#include <fmt/format.h>

#include <algorithm>
#include <cctype>
#include <charconv>
#include <limits>

namespace wakepath::guest {

namespace {

constexpr int kMostDepth = 32;

bool is_word(char c) { return std::isalnum(static_cast<unsigned char>(c)) != 0 || c == '_'; }

class ValueReader {
 public:
  ValueReader(std::string_view text, std::size_t at) : text_(text), at_(at) {}
  std::size_t at() const { return at_; }

  /// Up to and including `end`, which is what a list of values is closed by. Commas or blanks stand between.
  std::vector<StraceValue::Item> list(char end, int depth) {
    std::vector<StraceValue::Item> items;
    for (;;) {
      skip();
      if (take(end)) return items;
      if (!items.empty() && take(',')) skip();
      items.push_back(item(depth));
    }
  }

 private:
  char peek(std::size_t ahead = 0) const { return at_ + ahead < text_.size() ? text_[at_ + ahead] : '\0'; }
  bool take(char c) {
    if (at_ >= text_.size() || text_[at_] != c) return false;
    ++at_;
    return true;
  }
  bool take(std::string_view word) {
    if (!text_.substr(at_).starts_with(word)) return false;
    at_ += word.size();
    return true;
  }
  [[noreturn]] void fail(const std::string& expected) const {
    throw StraceMismatch(at_, found_at(text_, at_), expected);
  }
  /// Blanks and comments: 0x7ffe5b3ffc30 /* 37 vars */
  void skip() {
    for (;;) {
      while (take(' ')) {
      }
      if (!take("/*")) return;
      const std::size_t end = text_.find("*/", at_);
      if (end == std::string_view::npos) fail("*/");
      at_ = end + 2;
    }
  }

  StraceValue::Item item(int depth) {
    StraceValue::Item item;
    std::size_t behind = at_;
    while (behind < text_.size() && is_word(text_[behind])) ++behind;
    const std::size_t name = behind - at_;
    if (behind < text_.size() && text_[behind] == '(') {  // strace 4: msg_iov(2)=[…]
      std::size_t close = behind + 1;
      while (close < text_.size() && is_digit(text_[close])) ++close;
      if (text_.substr(close).starts_with(")=")) behind = close + 1;
    }
    if (name > 0 && !is_digit(peek()) && behind + 1 < text_.size() && text_[behind] == '=' &&
        text_[behind + 1] != '>') {
      item.name = text_.substr(at_, name);
      at_ = behind + 1;
    }
    item.value = value(depth);
    return item;
  }

  StraceValue value(int depth) {
    if (depth > kMostDepth) fail("braces and brackets that are at most 32 deep");
    StraceValue value;
    value.at = at_;
    if (take("...")) {
      value.kind = StraceValue::Kind::omitted;
    } else if (take('?')) {
      value.kind = StraceValue::Kind::unknown;
    } else if (peek() == '"' || (peek() == '@' && peek(1) == '"')) {
      string(value);
    } else if (peek() == '{' || peek() == '[') {
      group(value, depth);
    } else if (is_digit(peek()) || (peek() == '-' && is_digit(peek(1)))) {
      number(value);
    } else if (is_word(peek()) || peek() == '~' || peek() == '&') {
      words(value, depth);
    } else {
      fail("an argument");
    }
    skip();
    if (take("=>")) {
      skip();
      value.then.push_back(this->value(depth + 1));
    }
    return value;
  }

  void group(StraceValue& value, int depth) {
    value.kind = StraceValue::Kind::group;
    value.items = list(peek() == '{' ? (++at_, '}') : (++at_, ']'), depth + 1);
    for (const auto& item : value.items) value.cut = value.cut || item.value.kind == StraceValue::Kind::omitted;
  }

  void words(StraceValue& value, int depth) {
    value.kind = StraceValue::Kind::words;
    if (take('~')) {  // a set of all but these
      value.items = this->value(depth + 1).items;
      value.text = "~";
      return;
    }
    const std::size_t begin = at_;
    take('&');
    while (is_word(peek())) ++at_;
    if (peek() == '(') {
      value.kind = StraceValue::Kind::call;
      value.text = text_.substr(begin, at_++ - begin);
      value.items = list(')', depth + 1);
      return;
    }
    while (peek() == '|' && is_word(peek(1))) {
      ++at_;
      while (is_word(peek())) ++at_;
    }
    value.text = text_.substr(begin, at_ - begin);
  }

  int64_t digits() {
    const bool negative = take('-');
    const bool hex = take("0x");
    const bool octal = !hex && peek() == '0' && is_digit(peek(1));
    uint64_t number = 0;
    const char* end = text_.data() + text_.size();
    const auto [behind, error] = std::from_chars(text_.data() + at_, end, number, hex ? 16 : octal ? 8 : 10);
    const bool fits = !negative || number <= static_cast<uint64_t>(std::numeric_limits<int64_t>::max());
    if (error != std::errc() || !fits) fail("a number of 64 bits");
    at_ = static_cast<std::size_t>(behind - text_.data());
    return negative ? -static_cast<int64_t>(number) : static_cast<int64_t>(number);
  }

  void number(StraceValue& value) {
    value.kind = StraceValue::Kind::number;
    value.number = digits();
    while (peek() == '*' && is_digit(peek(1))) {  // 8192*1024
      ++at_;
      value.number = static_cast<int64_t>(static_cast<uint64_t>(value.number) * static_cast<uint64_t>(digits()));
    }
    if (peek() == '|' && is_word(peek(1))) {  // 0x10|EPOLLIN
      value.kind = StraceValue::Kind::words;
      while (peek() == '|' && is_word(peek(1))) {
        ++at_;
        while (is_word(peek())) ++at_;
      }
      value.text = text_.substr(value.at, at_ - value.at);
      return;
    }
    if (peek() != '<' || peek(1) == '<') return;
    const std::size_t end = end_of_decoration(text_, at_);
    if (end == std::string_view::npos) fail("> behind what a descriptor is");
    value.decoration = text_.substr(at_ + 1, end - at_ - 2);
    at_ = end;
    take("(deleted)");
  }

  /// As in C, with octal and hexadecimal bytes.
  void string(StraceValue& value) {
    value.kind = StraceValue::Kind::string;
    take('@');
    take('"');
    for (;;) {
      if (at_ >= text_.size()) fail("\" at the end of a string");
      if (take('"')) break;
      if (take('\\')) {
        value.text += escaped();
      } else {
        value.text += text_[at_++];
      }
    }
    value.cut = take("...");
  }

  char escaped() {
    const char c = peek();
    if (c >= '0' && c <= '7') {
      int byte = 0;
      for (int i = 0; i < 3 && peek() >= '0' && peek() <= '7'; ++i) byte = byte * 8 + (text_[at_++] - '0');
      if (byte > 255) fail("a byte, \\0 to \\377");
      return static_cast<char>(byte);
    }
    if (c == 'x') {
      int byte = 0;
      const char* begin = text_.data() + at_ + 1;
      const char* end = text_.data() + std::min(text_.size(), at_ + 3);
      const auto [behind, error] = std::from_chars(begin, std::max(begin, end), byte, 16);
      if (error != std::errc() || byte < 0) fail("a byte, \\x00 to \\xff");
      at_ += 1 + static_cast<std::size_t>(behind - begin);
      return static_cast<char>(byte);
    }
    constexpr std::string_view kNames = "abtnvfre\\\"'";
    constexpr std::string_view kBytes = "\a\b\t\n\v\f\r\033\\\"'";
    const std::size_t known = c == '\0' ? std::string_view::npos : kNames.find(c);
    if (known == std::string_view::npos) fail("a character that a backslash can stand before");
    ++at_;
    return kBytes[known];
  }

  std::string_view text_;
  std::size_t at_;
};

}  // namespace

const StraceValue* StraceValue::field(std::string_view name) const {
  for (const Item& item : items)
    if (item.name == name) return &item.value;
  return nullptr;
}

std::vector<StraceValue> read_arguments(std::string_view text, std::size_t& at) {
  ValueReader reader(text, at);
  std::vector<StraceValue::Item> items = reader.list(')', 0);
  at = reader.at();
  std::vector<StraceValue> values;
  values.reserve(items.size());
  for (auto& item : items) values.push_back(std::move(item.value));  // with --arg-names they have names
  return values;
}

std::size_t end_of_decoration(std::string_view text, std::size_t at) {
  int depth = 0;
  for (; at < text.size(); ++at) {
    if (text[at] == '<') ++depth;
    if (text[at] == '"') {
      at = text.find('"', at + 1);
      if (at == std::string_view::npos) return at;
    }
    if (text[at] == '>' && text[at - 1] != '-' && --depth == 0) return at + 1;
  }
  return std::string_view::npos;
}

std::string found_at(std::string_view text, std::size_t at) {
  constexpr std::size_t kMost = 24;
  if (at >= text.size()) return "the end of the line";
  std::string found;
  for (const char c : text.substr(at, kMost)) {
    if (c >= ' ' && c < 127)
      found += c;
    else
      found += fmt::format("\\x{:02x}", static_cast<unsigned char>(c));
  }
  return "'" + found + (text.size() - at > kMost ? "…'" : "'");
}

}  // namespace wakepath::guest
