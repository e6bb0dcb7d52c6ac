#include "src/guest/strace_line.hh"

#include <algorithm>
#include <cctype>
#include <cerrno>
#include <charconv>

#include "src/guest/strace_names.hh"

namespace wakepath::guest {

namespace {

using LineKind = StraceLine::Kind;
constexpr auto kNowhere = std::string_view::npos;
constexpr int kMostThread = 4'194'304;  // PID_MAX_LIMIT, include/linux/threads.h
constexpr int64_t kNsPerSecond = 1'000'000'000;

/// The digits that `text` begins with; nullopt when there are none, or more than 15.
std::optional<int64_t> digits(std::string_view& text) {
  const auto count = static_cast<std::size_t>(std::find_if_not(text.begin(), text.end(), is_digit) - text.begin());
  if (count == 0 || count > 15) return std::nullopt;
  int64_t value = 0;
  std::from_chars(text.data(), text.data() + count, value);
  text.remove_prefix(count);
  return value;
}

/// ".710007" as nanoseconds; 0 when it does not begin with a fraction.
int64_t fraction_ns(std::string_view& text) {
  if (!text.starts_with('.')) return 0;
  text.remove_prefix(1);
  int64_t ns = 0;
  int64_t unit = kNsPerSecond;
  for (; !text.empty() && is_digit(text.front()); text.remove_prefix(1)) {
    unit /= 10;
    ns += unit * (text.front() - '0');
  }
  return ns;
}

void skip_blanks(std::string_view& text) { text.remove_prefix(std::min(text.find_first_not_of(' '), text.size())); }

/// "15381 ", "15381<python3> ", "[pid 15381] ". Left alone when it is a time.
void read_thread(std::string_view& text, StraceLine& line) {
  std::string_view rest = text;
  const bool bracket = rest.starts_with("[pid ");
  if (bracket) rest.remove_prefix(5);
  skip_blanks(rest);
  const auto number = digits(rest);
  if (!number || *number < 1 || *number > kMostThread) return;
  std::string_view comm;
  if (rest.starts_with('<')) {
    const std::size_t end = rest.find('>');
    if (end == kNowhere) return;
    comm = rest.substr(1, end - 1);
    rest.remove_prefix(end + 1);
  }
  if (bracket ? !rest.starts_with(']') : !rest.starts_with(' ')) return;
  rest.remove_prefix(1);
  skip_blanks(rest);
  line.thread = static_cast<int>(*number);
  line.comm = comm;
  text = rest;
}

/// "1795444233.710007 ", "14:30:33.710007 ", "     0.000123 ".
void read_stamp(std::string_view& text, StraceLine& line) {
  std::string_view rest = text;
  skip_blanks(rest);
  const auto first = digits(rest);
  if (!first) return;
  constexpr int64_t kYear = 31'557'600;
  int64_t seconds = *first;
  line.stamp = seconds >= 10 * kYear ? StraceLine::Stamp::epoch : StraceLine::Stamp::relative;
  if (rest.starts_with(':')) {
    line.stamp = StraceLine::Stamp::day;
    for (int i = 0; i < 2; ++i) {
      if (!rest.starts_with(':')) return void(line.stamp = StraceLine::Stamp::none);
      rest.remove_prefix(1);
      const auto next = digits(rest);
      if (!next || *next > 60) return void(line.stamp = StraceLine::Stamp::none);
      seconds = seconds * 60 + *next;
    }
  }
  constexpr int64_t kMostSeconds = 9'000'000'000;  // what nanoseconds of 64 bits hold
  const int64_t ns = fraction_ns(rest);
  if (!rest.starts_with(' ') || seconds > kMostSeconds) return void(line.stamp = StraceLine::Stamp::none);
  line.time_ns = seconds * kNsPerSecond + ns;
  skip_blanks(rest);
  if (line.stamp == StraceLine::Stamp::epoch && rest.starts_with('(') && rest.find(") ") != kNowhere) {  // -r with -ttt
    rest.remove_prefix(rest.find(") ") + 2);
    skip_blanks(rest);
  }
  text = rest;
}

/// "[00007f5c5bdc7a1b] " (-i) and "[  41] " (-n).
void skip_brackets(std::string_view& text) {
  while (text.starts_with('[')) {
    const std::size_t end = text.find(']');
    if (end == kNowhere || text.substr(1, end - 1).find_first_not_of("0123456789abcdefx? ") != kNowhere) return;
    text.remove_prefix(end + 1);
    skip_blanks(text);
  }
}

bool is_name(char c) { return std::isalnum(static_cast<unsigned char>(c)) != 0 || c == '_' || c == '?'; }

std::size_t name_size(std::string_view text) {
  return static_cast<std::size_t>(std::find_if_not(text.begin(), text.end(), is_name) - text.begin());
}

bool says_nothing(std::string_view text) {
  return text.empty() || text.starts_with("---") || text.starts_with("> ") || text.starts_with("strace: ") ||
         (text.starts_with("Process ") && (text.ends_with("tached") || text.find("attached") != kNowhere));
}

}  // namespace

StraceLine read_line(std::string_view line) {
  StraceLine out;
  std::string_view text = line;
  const auto at = [&] { return line.size() - text.size(); };
  if (says_nothing(text) || line.starts_with(" > ")) return out;
  read_thread(text, out);
  read_stamp(text, out);
  skip_brackets(text);
  out.body = at();
  out.end = line.size();
  if (says_nothing(text)) return out;
  if (text.starts_with("+++ ")) {
    out.kind = LineKind::ended;
    return out;
  }
  constexpr std::string_view kResumes = "<... ";
  constexpr std::string_view kResumed = " resumed>";
  if (text.starts_with(kResumes)) {
    out.name = text.substr(kResumes.size(), name_size(text.substr(kResumes.size())));
    text.remove_prefix(kResumes.size() + out.name.size());
    if (out.name.empty() || !text.starts_with(kResumed))
      throw StraceMismatch(at(), found_at(line, at()), "'resumed>' behind the name of a call");
    text.remove_prefix(kResumed.size());
    out.kind = LineKind::resumed;
    out.body = at();
    return out;
  }
  out.name = text.substr(0, name_size(text));
  if (out.name.empty() || !text.substr(out.name.size()).starts_with('('))
    throw StraceMismatch(at(), found_at(line, at()), "a call: a name and (");
  for (const std::string_view sign : {"<unfinished ...>", "<detached ...>", "<ptrace(SYSCALL):No such process>"}) {
    const std::size_t place = line.rfind(sign);
    if (place == kNowhere || place < out.body) continue;
    const std::string_view behind = line.substr(place + sign.size());
    if (!behind.empty() && (behind.find_first_not_of(") =?") != kNowhere || behind.find('?') == kNowhere)) continue;
    out.kind = LineKind::unfinished;
    out.end = place;
    out.lost = !behind.empty() || sign[1] != 'u';
    return out;
  }
  out.kind = LineKind::call;
  return out;
}

std::size_t end_of_call(std::string_view text) {
  for (std::size_t at = text.rfind(" = "); at != kNowhere && at > 0; at = text.rfind(" = ", at - 1)) {
    const std::size_t before = text.find_last_not_of(' ', at);
    if (before != kNowhere && text[before] == ')') return before + 1;
  }
  return kNowhere;
}

StraceResult read_result(std::string_view line, std::size_t begin) {
  std::string_view text = line.substr(std::min(begin, line.size()));
  const auto fail = [&](const char* expected) {
    const std::size_t at = line.size() - text.size();
    throw StraceMismatch(at, found_at(line, at), expected);
  };
  skip_blanks(text);
  if (!text.starts_with("= ")) fail("= and the result of the call");
  text.remove_prefix(2);
  StraceResult out;
  if (const std::size_t last = text.rfind(" <"); last != kNowhere && text.ends_with('>')) {
    std::string_view duration = text.substr(last + 2);
    if (const auto seconds = digits(duration); seconds && duration.starts_with('.') && *seconds < kNsPerSecond) {
      const int64_t ns = *seconds * kNsPerSecond + fraction_ns(duration);
      if (duration == ">") out.duration_ns = ns;
    }
  }
  if (text.starts_with('?')) {
    if (text.starts_with("? ERESTART")) out.value = -EINTR;
    return out;
  }
  if (text.starts_with("-1 E")) {
    text.remove_prefix(3);
    const int error = error_number(text.substr(0, name_size(text)));
    if (error == 0) fail("the name of an error");
    out.value = -error;
    return out;
  }
  const bool negative = text.starts_with('-');
  if (negative) text.remove_prefix(1);
  const bool hex = text.starts_with("0x");
  if (hex) text.remove_prefix(2);
  uint64_t value = 0;
  const auto [behind, error] = std::from_chars(text.data(), text.data() + text.size(), value, hex ? 16 : 10);
  if (error != std::errc()) fail("a number, -1 and the name of an error, or ?");
  text.remove_prefix(static_cast<std::size_t>(behind - text.data()));
  out.value = negative ? -1 : static_cast<long>(value);
  if (text.starts_with('<')) {
    const std::size_t end = end_of_decoration(text, 0);
    if (end == kNowhere) fail("> behind what the descriptor is");
    out.decoration = text.substr(1, end - 2);
    text.remove_prefix(end);
  }
  skip_blanks(text);
  out.more = text;
  return out;
}

}  // namespace wakepath::guest
