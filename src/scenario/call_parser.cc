#include "src/scenario/call_parser.hh"

#include <fcntl.h>
#include <fmt/format.h>
#include <fmt/ranges.h>
#include <sys/epoll.h>
#include <sys/ioctl.h>

#include <algorithm>

namespace wakepath::scenario {
namespace {

using namespace grammar;

constexpr long kMostBytes = 16L << 20;

class CallParser {
 public:
  explicit CallParser(Cursor& cursor) : cursor_(cursor) {}

  CallStep call() {
    function();
    Cursor& c = cursor_;
    out_.text.clear();
    if (!c.take('(')) {
      c.fail("'(' after the name of the call");
    }
    c.in_call = true;
    arguments();
    c.in_call = false;
    out_.text = c.since(function_at_);
    check_targets();
    if (c.take('=')) {
      out_.results.push_back(parse_result(c, *out_.signature));
    } else if (!c.at_end()) {
      c.fail("'=' and a result, or the end of the step");
    }
    return std::move(out_);
  }

 private:
  void function() {
    Cursor& c = cursor_;
    while (true) {
      c.skip_blanks();
      const size_t at = c.offset();
      const std::string word = c.identifier();
      if (word.empty()) {
        c.fail(out_.targets.empty() ? "a call" : "the name of a call");
      }
      c.skip_blanks();
      if (c.peek() == ',' && !assigned_) {
        out_.targets.push_back(word);
        target_at_.push_back(at);
        c.take(',');
      } else if (c.peek() == '=' && !assigned_) {
        out_.targets.push_back(word);
        target_at_.push_back(at);
        c.take('=');
        assigned_ = true;
      } else {
        if (!assigned_ && !out_.targets.empty()) {
          c.fail("',' or '=' after the names that the call binds");
        }
        out_.signature = find_signature(word);
        if (out_.signature == nullptr) {
          c.fail_at(at, fmt::format("'{}'", word), "a system call of the format" + did_you_mean(word, call_names()));
        }
        function_at_ = at;
        return;
      }
    }
  }

  void check_targets() {
    const bool gives_none =
        out_.signature->call == Call::fcntl && out_.args[1].number != F_DUPFD && out_.args[1].number != F_DUPFD_CLOEXEC;
    const size_t wanted = gives_none ? 0 : static_cast<size_t>(out_.signature->targets);
    const size_t have = out_.targets.size();
    if (have > wanted) {
      cursor_.fail_at(target_at_[wanted], fmt::format("'{}'", out_.targets[wanted]),
                      wanted == 0
                          ? fmt::format("no name before {}(), which gives no descriptor", out_.signature->name)
                          : fmt::format("{} name{} before {}()", wanted, wanted > 1 ? "s" : "", out_.signature->name));
    }
    if (wanted == 2 && have != 2 && (have != 0 || out_.keywords.count("fds") == 0)) {
      cursor_.fail_at(function_at_,
                      fmt::format("{} name{} before {}()", have, have == 1 ? "" : "s", out_.signature->name),
                      fmt::format("two: {}", out_.signature->usage));
    }
  }

  void arguments() {
    const Signature& signature = *out_.signature;
    size_t index = 0;
    Cursor& c = cursor_;
    while (!c.take(')')) {
      const size_t before = c.offset();
      if (index > 0 && !c.take(',')) {
        c.fail(fmt::format("',' or ')' in {}", signature.usage));
      }
      c.skip_blanks();
      if (keyword_here()) {
        keyword();
        continue;
      }
      if (index >= signature.params.size()) {
        c.fail_at(index > 0 ? before : c.offset(), fmt::format("')': {}", signature.usage));
      }
      out_.args.push_back(argument(signature.params[index]));
      ++index;
    }
    if (index < signature.params.size() && !signature.params[index].optional) {
      c.fail_at(c.offset() - 1, fmt::format("{}: {}", signature.params[index].what, signature.usage));
    }
    check_whole();
  }

  bool keyword_here() {
    if (out_.signature->keywords.empty()) {
      return false;
    }
    const size_t at = cursor_.offset();
    const std::string word = cursor_.identifier();
    const bool is = !word.empty() && cursor_.take('=');
    cursor_.go_to(at);
    return is;
  }

  void keyword() {
    Cursor& c = cursor_;
    const size_t at = c.offset();
    const std::string word = c.identifier();
    const auto& known = out_.signature->keywords;
    if (std::find(known.begin(), known.end(), word) == known.end() || out_.keywords.count(word) != 0) {
      c.fail_at(at, fmt::format("'{}='", word), fmt::format("{}: {}", fmt::join(known, " or "), out_.signature->usage));
    }
    c.take('=');
    out_.keywords[word] = word == "rights" ? list("a list of descriptors", [this] { return descriptor(); })
                          : word == "data" ? descriptor("a name or a number")
                                           : parse_pointer(c, false);
  }

  /// What depends on several arguments.
  void check_whole() {
    const auto& args = out_.args;
    if (out_.signature->call == Call::epoll_ctl && args.size() < 4 && args[1].number != EPOLL_CTL_DEL) {
      cursor_.fail_at(cursor_.offset() - 1, "the events: epoll_ctl(ep, OP, fd, EVENTS)");
    }
    if (out_.signature->call == Call::fcntl) {
      const bool gets = args[1].number == F_GETFL || args[1].number == F_GETFD;
      if (gets != (args.size() == 2)) {
        cursor_.fail_at(cursor_.offset() - 1, std::string(out_.signature->usage));
      }
    }
    const bool nowhere = args.size() == 3 && args[2].kind == Arg::Kind::pointer;
    if (out_.signature->call == Call::ioctl && !nowhere && (args[1].number == FIONBIO) != (args.size() == 3)) {
      cursor_.fail_at(cursor_.offset() - 1, std::string(out_.signature->usage));
    }
    const bool no_times = args.size() > 1 && args[1].kind == Arg::Kind::pointer;
    if (out_.signature->call == Call::timerfd_settime && no_times != (args.size() == 2)) {
      cursor_.fail_at(cursor_.offset() - 1, std::string(out_.signature->usage));
    }
  }

  Arg start() {
    cursor_.skip_blanks();
    Arg arg;
    arg.at = cursor_.here();
    return arg;
  }

  Arg descriptor(std::string_view what = "a descriptor (a name or a number)") {
    Arg arg = start();
    const size_t at = cursor_.offset();
    if (const std::optional<long> number = cursor_.integer()) {
      arg.kind = Arg::Kind::integer;
      arg.number = limited(at, *number, -0x80000000L, 0x7fffffffL, what);
    } else {
      arg.kind = Arg::Kind::name;
      arg.name = cursor_.identifier();
      if (arg.name.empty()) {
        cursor_.fail(std::string(what));
      }
    }
    arg.text = cursor_.since(at);
    return arg;
  }

  long limited(size_t at, long value, long low, long high, std::string_view what) {
    if (value < low || value > high) {
      cursor_.fail_at(at, std::to_string(value), fmt::format("{}, from {} to {}", what, low, high));
    }
    return value;
  }

  Arg number(std::string_view what, long low, long high) {
    Arg arg = start();
    const size_t at = cursor_.offset();
    const std::optional<long> value = cursor_.integer();
    if (!value) {
      cursor_.fail(std::string(what));
    }
    arg.number = limited(at, *value, low, high, what);
    arg.text = cursor_.since(at);
    return arg;
  }

  template <typename Item>
  Arg list(std::string_view what, Item item) {
    Arg arg = start();
    arg.kind = Arg::Kind::list;
    const size_t at = cursor_.offset();
    if (!cursor_.take('[')) {
      cursor_.fail(std::string(what));
    }
    if (!cursor_.take(']')) {
      do {
        if (arg.items.size() == 64) {
          cursor_.fail("at most 64 items in a list");
        }
        arg.items.push_back(item());
      } while (cursor_.take(','));
      if (!cursor_.take(']')) {
        cursor_.fail("',' or ']'");
      }
    }
    arg.text = cursor_.since(at);
    return arg;
  }

  Arg poll_item() {
    if (!cursor_.take('{')) {
      cursor_.fail("{fd, FLAGS}");
    }
    const Arg fd = descriptor();
    if (!cursor_.take(',')) {
      cursor_.fail("',' and poll events");
    }
    Arg flags = parse_flags(cursor_, Words::poll_events);
    if (!cursor_.take('}')) {
      cursor_.fail("'}'");
    }
    flags.token = fd.text;
    flags.items.push_back(fd);
    return flags;
  }

  Arg option(const Param& param) {
    Arg arg = start();
    const size_t at = cursor_.offset();
    arg.kind = Arg::Kind::flags;
    if (const std::optional<long> value = cursor_.integer()) {
      arg.number = *value;
    } else {
      const std::string name = cursor_.identifier();
      const std::optional<long> known = option_value(out_.args.back().number, name);
      if (!known) {
        cursor_.fail_at(at, name.empty() ? cursor_.found() : fmt::format("'{}'", name),
                        fmt::format("{} of level {}{}", param.what, out_.args.back().text,
                                    did_you_mean(name, option_names(out_.args.back().number))));
      }
      arg.number = *known;
    }
    arg.text = cursor_.since(at);
    return arg;
  }

  /// Does a call read or write something there that it finds by a pointer?
  bool has_pointer(const Param& param) const {
    using K = Param::Kind;
    const Call call = out_.signature->call;
    switch (param.kind) {
      case K::address:
      case K::value:
      case K::data_list:
      case K::count_list:
      case K::descriptor_list:
      case K::poll_list:
      case K::signal_list:
        return true;
      case K::words:
        return param.set == Words::epoll_events;
      case K::integer:
        return call == Call::ioctl;
      case K::duration:
        return call == Call::timerfd_settime && out_.args.size() == 1;
      default:
        return false;
    }
  }

  /// Bytes that are sent, or room for some: in memory of the caller's, or where there is none.
  Arg data() {
    if (!starts_pointer(cursor_)) {
      return parse_data(cursor_);
    }
    Arg arg = parse_pointer(cursor_, true);
    arg.kind = Arg::Kind::data;
    arg.bytes.resize(static_cast<size_t>(arg.number));
    return arg;
  }

  Arg room() {
    if (!starts_pointer(cursor_)) {
      return number("a number of bytes", 0, kMostBytes);
    }
    Arg arg = parse_pointer(cursor_, true);
    arg.kind = Arg::Kind::integer;
    return arg;
  }

  Arg argument(const Param& param) {
    using K = Param::Kind;
    if (has_pointer(param) && starts_pointer(cursor_)) {
      return parse_pointer(cursor_, false);
    }
    switch (param.kind) {
      case K::descriptor:
        return descriptor();
      case K::integer:
        return number(param.what, -0x80000000L, 0x7fffffffL);
      case K::offset:
        return number(param.what, -0x7fffffffffffffffL, 0x7fffffffffffffffL);  // cursor_ reads no more
      case K::timeout:
        return number(param.what, -1, 0x7fffffffL);
      case K::count:
        return number(param.what, 0, kMostBytes);
      case K::words:
        return parse_flags(cursor_, param.set);
      case K::status:
        return fcntl_argument(param);
      case K::option:
        return option(param);
      case K::data:
        return data();
      case K::address:
        return parse_address(cursor_, false);
      case K::value:
        return parse_value(cursor_);
      case K::data_list:
        return list(param.what, [this] { return data(); });
      case K::count_list:
        return list(param.what, [this] { return room(); });
      case K::descriptor_list:
        return list(param.what, [this] { return descriptor(); });
      case K::poll_list:
        return list(param.what, [this] { return poll_item(); });
      case K::signal_list:
        return list(param.what, [this] { return parse_flags(cursor_, Words::signal); });
      case K::duration:
      case K::actor:
        return other(param);
    }
    return {};
  }

  Arg fcntl_argument(const Param& param) {
    const long command = out_.args[1].number;
    if (command == F_DUPFD || command == F_DUPFD_CLOEXEC) {
      return number("the least number of the new descriptor", -0x80000000L, 0x7fffffffL);
    }
    return parse_flags(cursor_, command == F_SETFD ? Words::fd_flags : param.set);
  }

  Arg other(const Param& param) {
    Arg arg = start();
    const size_t at = cursor_.offset();
    if (param.kind == Param::Kind::duration) {
      const std::optional<Duration> time = cursor_.duration();
      if (!time) {
        cursor_.fail(std::string(param.what));
      }
      arg.kind = Arg::Kind::duration;
      arg.time = *time;
    } else {
      arg.kind = Arg::Kind::name;
      arg.name = cursor_.identifier(true);
      if (arg.name.empty()) {
        cursor_.fail(std::string(param.what));
      }
    }
    arg.text = cursor_.since(at);
    return arg;
  }

  Cursor& cursor_;
  CallStep out_;
  bool assigned_ = false;
  std::vector<size_t> target_at_;
  size_t function_at_ = 0;
};

}  // namespace

CallStep parse_call(const Source& source, const Yaml& scalar) {
  Cursor cursor(source, scalar);
  return CallParser(cursor).call();
}

Duration parse_duration(const Source& source, const Yaml& scalar) {
  Cursor cursor(source, scalar);
  const std::optional<Duration> time = cursor.duration();
  if (!time || !cursor.at_end()) {
    cursor.fail("a time such as 50ms or 1s");
  }
  return *time;
}

Address parse_listen_address(const Source& source, const Yaml& scalar) {
  Cursor cursor(source, scalar);
  const Arg arg = parse_address(cursor, false);
  if (arg.kind != Arg::Kind::address || !cursor.at_end()) {
    cursor.fail("an address such as 127.0.0.1:0");
  }
  return arg.literal;
}

}  // namespace wakepath::scenario
