// `result := 'blocks' | '?' | count [DATA] [ADDR] | count VALUE | count events | '-1' ERRNO`

#include <fmt/format.h>

#include "src/scenario/call_parser.hh"

namespace wakepath::scenario {
namespace {

using namespace grammar;

void parse_error(Cursor& cursor, Result& out) {
  out.kind = Result::Kind::error;
  cursor.skip_blanks();
  const size_t at = cursor.offset();
  const std::string name = cursor.identifier();
  if (name.empty()) {
    return;
  }
  const std::optional<int> number = errno_of(name);
  if (!number) {
    cursor.fail_at(at, fmt::format("'{}'", name), "an errno name" + did_you_mean(name, errno_names()));
  }
  out.error = *number;
}

void parse_outputs(Cursor& cursor, const Signature& signature, Result& out) {
  cursor.skip_blanks();
  if ((signature.gives & gives_data) && (cursor.peek() == '"' || cursor.looking_at("u64("))) {
    out.data = parse_data(cursor);
  }
  if ((signature.gives & gives_address) && starts_address(cursor)) {
    out.address = parse_address(cursor, true);
  }
  if ((signature.gives & gives_value) && !cursor.at_end()) {
    out.value = parse_value(cursor);
  }
  if ((signature.gives & gives_events) && !cursor.at_end()) {
    const bool poll = signature.call == Call::poll || signature.call == Call::ppoll || signature.call == Call::select;
    out.events = parse_events(cursor, poll ? Words::poll_events : Words::epoll_events);
  }
  if ((signature.gives & gives_rights) && cursor.take("rights=")) {
    if (!cursor.take('[')) {
      cursor.fail("a list of names");
    }
    do {
      const std::string name = cursor.identifier();
      if (name.empty()) {
        cursor.fail("a name");
      }
      out.rights.push_back(name);
    } while (cursor.take(','));
    if (!cursor.take(']')) {
      cursor.fail("',' or ']'");
    }
  }
}

}  // namespace

Result parse_result(Cursor& cursor, const Signature& signature) {
  cursor.skip_blanks();
  Result out;
  out.at = cursor.here();
  const size_t start = cursor.offset();
  if (cursor.take('?')) {
    out.kind = Result::Kind::anything;
  } else if (const std::optional<long> low = cursor.integer()) {
    out.kind = Result::Kind::count;
    out.low = out.high = *low;
    if (*low == -1) {
      parse_error(cursor, out);
    } else if (cursor.take("..")) {
      const size_t at = cursor.offset();
      const std::optional<long> high = cursor.integer();
      if (!high || *high < *low) {
        cursor.fail_at(at, fmt::format("a number not below {}", *low));
      }
      out.high = *high;
    }
    if (out.kind == Result::Kind::count) {
      parse_outputs(cursor, signature, out);
    }
  } else {
    const size_t at = cursor.offset();
    const std::string word = cursor.identifier();
    if (word == "blocks") {
      out.kind = Result::Kind::blocks;
    } else if ((signature.gives & gives_flags) && !word.empty()) {
      cursor.go_to(at);
      out.kind = Result::Kind::count;
      out.low = out.high = parse_flags(cursor, Words::fcntl_result).number;
    } else {
      cursor.fail_at(at, "a result: a number, -1 and an errno name, 'blocks' or '?'");
    }
  }
  if (!cursor.at_end()) {
    cursor.fail(fmt::format("the end of the result of {}()", signature.name));
  }
  out.text = cursor.since(start);
  return out;
}

}  // namespace wakepath::scenario
