// The terms that arguments and results share: data, addresses, flags, option values, events.

#include <arpa/inet.h>
#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <cctype>
#include <cstring>

#include "src/scenario/call_parser.hh"

namespace wakepath::scenario {
namespace {

/// Does Linux have that word, in the sets whose words here are a choice?
bool is_of_linux(Words set, std::string_view word) {
  static const std::vector<std::string_view> kOtherFamilies = {
      "AF_UNSPEC", "AF_NETLINK", "AF_PACKET", "AF_VSOCK", "AF_XDP", "AF_ALG",     "AF_BLUETOOTH", "AF_CAN",
      "AF_KEY",    "AF_TIPC",    "AF_RDS",    "AF_SMC",   "AF_NFC", "AF_QIPCRTR", "AF_IPX",       "AF_APPLETALK"};
  static const std::vector<std::string_view> kOtherSignals = {
      "SIGKILL", "SIGSTOP",  "SIGQUIT",   "SIGILL",    "SIGTRAP", "SIGABRT", "SIGBUS",  "SIGFPE",
      "SIGSEGV", "SIGCONT",  "SIGTSTP",   "SIGTTIN",   "SIGTTOU", "SIGXCPU", "SIGXFSZ", "SIGPROF",
      "SIGPWR",  "SIGWINCH", "SIGVTALRM", "SIGSTKFLT", "SIGPOLL", "SIGSYS"};
  const auto has = [&](const std::vector<std::string_view>& words) {
    return std::find(words.begin(), words.end(), word) != words.end();
  };
  return set == Words::domain ? has(kOtherFamilies) : set == Words::signal && has(kOtherSignals);
}

}  // namespace

void fail_word(const Source& source, Position at, Words set, const std::string& word) {
  if (is_of_linux(set, word)) {
    source.fail(at, fmt::format("'{}', which is not modelled", word),
                fmt::format("one of {}", fmt::join(names_of(set), ", ")));
  }
  source.fail(at, fmt::format("'{}'", word), std::string(describe(set)) + did_you_mean(word, names_of(set)));
}

namespace grammar {
namespace {

constexpr size_t kMostData = 16u << 20;

int hex_digit(char c) {
  if (c >= '0' && c <= '9') {
    return c - '0';
  }
  const char lower = static_cast<char>(std::tolower(static_cast<unsigned char>(c)));
  return lower >= 'a' && lower <= 'f' ? lower - 'a' + 10 : -1;
}

/// After a backslash.
char escaped(Cursor& cursor) {
  const size_t at = cursor.offset();
  const char c = cursor.peek();
  static const char* const kFrom = "abfnrtv\\\"'?0";
  static const char kTo[] = "\a\b\f\n\r\t\v\\\"'?";
  if (c == 'x') {
    cursor.go_to(at + 1);
    const int high = hex_digit(cursor.peek());
    cursor.go_to(at + 2);
    const int low = high >= 0 ? hex_digit(cursor.peek()) : -1;
    if (low < 0) {
      cursor.fail_at(at + 1, "two hexadecimal digits after \\x");
    }
    cursor.go_to(at + 3);
    return static_cast<char>(high * 16 + low);
  }
  const char* known = c == '\0' ? nullptr : std::strchr(kFrom, c);
  if (known == nullptr) {
    cursor.fail_at(at, "an escape of C: \\n \\t \\r \\0 \\\\ \\\" \\xHH");
  }
  cursor.go_to(at + 1);
  return kTo[known - kFrom];  // the terminating zero stands for \0
}

/// Whether YAML has cut the line: what stands behind a " #" is a comment.
bool cut_by_comment(const Cursor& cursor) {
  return cursor.source().line(cursor.here().line).find(" #") != std::string_view::npos;
}

std::string parse_string(Cursor& cursor) {
  std::string bytes;
  cursor.skip_blanks();
  const size_t start = cursor.offset();
  if (!cursor.take('"')) {
    cursor.fail("data in double quotes");
  }
  while (cursor.peek() != '"') {
    const char c = cursor.peek();
    if (c == '\0' && !cut_by_comment(cursor)) {
      cursor.fail_at(start, "a string without an end", "a closing double quote");
    } else if (c == '\0') {
      cursor.fail("a closing double quote");
    }
    cursor.go_to(cursor.offset() + 1);
    bytes.push_back(c == '\\' ? escaped(cursor) : c);
  }
  cursor.go_to(cursor.offset() + 1);
  return bytes;
}

int parse_port(Cursor& cursor, bool in_result, Arg& out) {
  if (!cursor.take(':')) {
    cursor.fail("':' and a port");
  }
  if (in_result && cursor.take('?')) {
    out.kind = Arg::Kind::numbered;
  }
  const size_t at = cursor.offset();
  const std::optional<long> port = cursor.integer();
  if (!port || *port < 0 || *port > 65535) {
    cursor.fail_at(at, "a port from 0 to 65535");
  }
  return static_cast<int>(*port);
}

/// Takes characters of an IP literal; inet_pton decides.
void parse_ip(Cursor& cursor, int family, Arg& out) {
  const size_t start = cursor.offset();
  const auto belongs = [&](char c) {
    return std::isdigit(static_cast<unsigned char>(c)) != 0 || c == '.' ||
           (family == AF_INET6 && (c == ':' || hex_digit(c) >= 0));
  };
  while (belongs(cursor.peek())) {
    cursor.go_to(cursor.offset() + 1);
  }
  const std::string text = cursor.since(start);
  if (inet_pton(family, text.c_str(), out.literal.ip.data()) != 1) {
    cursor.fail_at(start, fmt::format("'{}'", text), family == AF_INET ? "an IPv4 address" : "an IPv6 address");
  }
}

}  // namespace

Arg parse_data(Cursor& cursor) {
  cursor.skip_blanks();
  const size_t start = cursor.offset();
  Arg out;
  out.kind = Arg::Kind::data;
  out.at = cursor.here();
  if (cursor.take("u64(")) {
    const std::optional<long> number = cursor.integer();
    if (!number || *number < 0) {
      cursor.fail("a number");
    }
    if (!cursor.take(')')) {
      cursor.fail("')'");
    }
    out.counter = true;
    out.bytes.resize(sizeof(uint64_t));
    const auto value = static_cast<uint64_t>(*number);
    std::memcpy(out.bytes.data(), &value, sizeof value);
  } else {
    out.bytes = parse_string(cursor);
    if (cursor.take('*')) {
      const size_t at = cursor.offset();
      const std::optional<long> times = cursor.integer();
      if (!times || *times < 0 || (!out.bytes.empty() && static_cast<size_t>(*times) > kMostData / out.bytes.size())) {
        cursor.fail_at(at, "how often the data is repeated, 16 MiB in all at most");
      }
      const std::string once = out.bytes;
      out.bytes.clear();
      for (long i = 0; i < *times && !once.empty(); ++i) {
        out.bytes += once;
      }
    }
  }
  out.text = cursor.since(start);
  return out;
}

namespace {

std::optional<Pointer> pointer_of(std::string_view word) {
  if (word == "NULL") return Pointer::null;
  if (word == "OUTSIDE") return Pointer::outside;
  return std::nullopt;
}

}  // namespace

bool starts_pointer(Cursor& cursor) {
  cursor.skip_blanks();
  const size_t at = cursor.offset();
  const std::string word = cursor.identifier();
  cursor.go_to(at);
  return pointer_of(word).has_value();
}

Arg parse_pointer(Cursor& cursor, bool counted) {
  cursor.skip_blanks();
  const size_t start = cursor.offset();
  Arg out;
  out.kind = Arg::Kind::pointer;
  out.at = cursor.here();
  const std::string word = cursor.identifier();
  const std::optional<Pointer> pointer = pointer_of(word);
  if (!pointer) {
    cursor.fail_at(start, word.empty() ? cursor.found() : fmt::format("'{}'", word), "NULL or OUTSIDE");
  }
  out.pointer = *pointer;
  out.number = 1;
  if (counted && cursor.take('*')) {
    const size_t at = cursor.offset();
    const std::optional<long> bytes = cursor.integer();
    if (!bytes || *bytes < 0 || static_cast<size_t>(*bytes) > kMostData) {
      cursor.fail_at(at, "how many bytes are asked for there, 16 MiB at most");
    }
    out.number = *bytes;
  }
  out.text = cursor.since(start);
  return out;
}

bool starts_address(Cursor& cursor) {
  cursor.skip_blanks();
  if (cursor.looking_at("addr(") || cursor.looking_at("peer(") || cursor.looking_at("unix:@") ||
      cursor.looking_at("AF_UNSPEC") || cursor.looking_at("[")) {
    return true;
  }
  const size_t start = cursor.offset();
  while (std::isdigit(static_cast<unsigned char>(cursor.peek())) != 0) {
    cursor.go_to(cursor.offset() + 1);
  }
  const bool dotted = cursor.offset() > start && cursor.looking_at(".") && !cursor.looking_at("..");
  cursor.go_to(start);
  return dotted;
}

Arg parse_address(Cursor& cursor, bool in_result) {
  cursor.skip_blanks();
  const size_t start = cursor.offset();
  Arg out;
  out.kind = Arg::Kind::address;
  out.at = cursor.here();
  if (cursor.looking_at("addr(") || cursor.looking_at("peer(")) {
    out.kind = cursor.looking_at("addr(") ? Arg::Kind::address_of : Arg::Kind::peer_of;
    cursor.take("addr(") || cursor.take("peer(");
    const size_t at = cursor.offset();
    out.name = cursor.identifier(true);
    if (!out.name.empty() && cursor.peek() == '.') {
      cursor.take('.');
      out.process = out.name;
      out.name = cursor.identifier();
    }
    if (out.name.empty()) {
      cursor.fail_at(at, "a name of a socket");
    }
    if (!cursor.take(')')) {
      cursor.fail("')'");
    }
  } else if (cursor.take("AF_UNSPEC")) {
    out.literal.family = Address::Family::unspecified;
  } else if (cursor.take("unix:@")) {
    out.literal.family = Address::Family::unix_abstract;
    while (std::isalnum(static_cast<unsigned char>(cursor.peek())) != 0 || cursor.peek() == '_' ||
           cursor.peek() == '-' || cursor.peek() == '.') {
      out.literal.name.push_back(cursor.peek());
      cursor.go_to(cursor.offset() + 1);
    }
    if (out.literal.name.empty() || out.literal.name.size() > 100) {
      cursor.fail("a name of 1 to 100 letters and digits after unix:@");
    }
  } else if (cursor.take('[')) {
    out.literal.family = Address::Family::ipv6;
    parse_ip(cursor, AF_INET6, out);
    if (!cursor.take(']')) {
      cursor.fail("']'");
    }
    out.literal.port = parse_port(cursor, in_result, out);
  } else if (starts_address(cursor)) {
    out.literal.family = Address::Family::ipv4;
    parse_ip(cursor, AF_INET, out);
    out.literal.port = parse_port(cursor, in_result, out);
  } else {
    cursor.fail("an address such as 127.0.0.1:0, unix:@NAME or addr(NAME)");
  }
  out.text = cursor.since(start);
  return out;
}

Arg parse_flags(Cursor& cursor, Words set) {
  cursor.skip_blanks();
  const size_t start = cursor.offset();
  Arg out;
  out.kind = Arg::Kind::flags;
  out.at = cursor.here();
  if (const std::optional<long> number = cursor.integer()) {
    out.number = *number;
  } else {
    do {
      cursor.skip_blanks();
      const size_t at = cursor.offset();
      const std::string name = cursor.identifier();
      if (name.empty()) {
        cursor.fail_at(at, std::string(describe(set)));
      }
      const std::optional<long> value = value_of(set, name);
      if (!value) {
        fail_word(cursor.source(), cursor.place(at), set, name);
      }
      out.number |= *value;
    } while (cursor.take('|'));
  }
  out.text = cursor.since(start);
  return out;
}

Arg parse_value(Cursor& cursor) {
  cursor.skip_blanks();
  const size_t start = cursor.offset();
  Arg out;
  out.kind = Arg::Kind::value;
  out.at = cursor.here();
  const bool several = cursor.take('{');
  do {
    const size_t at = cursor.offset();
    const std::optional<long> number = cursor.integer();
    if (!number || *number < -0x80000000L || *number > 0x7fffffffL || out.numbers.size() == 8) {
      cursor.fail_at(at, "an option value: a number or {a, b}");
    }
    out.numbers.push_back(static_cast<int>(*number));
  } while (several && cursor.take(','));
  if (several && !cursor.take('}')) {
    cursor.fail("'}' after an option value");
  }
  out.text = cursor.since(start);
  return out;
}

Arg parse_events(Cursor& cursor, Words set) {
  cursor.skip_blanks();
  const size_t start = cursor.offset();
  Arg out;
  out.kind = Arg::Kind::events;
  out.at = cursor.here();
  if (!cursor.take('[')) {
    cursor.fail("events such as [{EPOLLIN, lfd}]");
  }
  if (!cursor.take(']')) {
    do {
      if (!cursor.take('{')) {
        cursor.fail("an event such as {EPOLLIN, lfd}");
      }
      Arg event = parse_flags(cursor, set);
      if (!cursor.take(',')) {
        cursor.fail("',' and the data of the event");
      }
      cursor.skip_blanks();
      const size_t at = cursor.offset();
      if (cursor.identifier().empty() && !cursor.integer()) {
        cursor.fail("the data of the event: a name or a number");
      }
      event.token = cursor.since(at);
      if (!cursor.take('}')) {
        cursor.fail("'}' after an event");
      }
      out.items.push_back(std::move(event));
    } while (cursor.take(','));
    if (!cursor.take(']')) {
      cursor.fail("']' after the events");
    }
  }
  out.text = cursor.since(start);
  return out;
}

}  // namespace grammar
}  // namespace wakepath::scenario
