// Why nothing of what is wanted of a file is there: by what it is, and what it lacks.
#include <fmt/format.h>

#include <array>
#include <optional>

#include "sim/export/readiness.hh"
#include "sim/export/tcp_rows.hh"
#include "sim/export/why_parts.hh"

namespace wakepath::exports {

namespace {

bool is_writing_end(const Reading& reading, const Object& file) { return (reading.value(file, "f_flags") & 1) != 0; }

bool listens(const Reading& reading, const Object* sock) {
  return (reading.is(sock, "tcp_sock") || reading.is(sock, "unix_sock")) &&
         reading.value(*sock, "skc_state") == kListen;
}

/// What a file of its kind can ever have, but for errors and a hang-up, and the sentence about it.
struct Possible {
  std::string_view id;
  std::uint32_t events;
};

std::optional<Possible> possible(const Reading& reading, const Object& file) {
  struct Row {
    std::string_view kind;
    Possible possible;
  };
  static constexpr std::array<Row, 4> kRows = {{{"eventfd_ctx", {"never_of_eventfd", kIn | kOut}},
                                                {"timerfd_ctx", {"never_of_timerfd", kIn}},
                                                {"signalfd_ctx", {"never_of_signalfd", kIn}},
                                                {"eventpoll", {"never_of_epoll", kIn}}}};
  if (listens(reading, sock_of(reading, &file))) return Possible{"never_of_listener", kIn};
  const Object* data = reading.target(file, "private_data");
  if (reading.is(data, "pipe_inode_info"))
    return is_writing_end(reading, file) ? Possible{"never_of_writing_end", kOut}
                                         : Possible{"never_of_reading_end", kIn};
  for (const Row& row : kRows)
    if (reading.is(data, row.kind)) return row.possible;
  return std::nullopt;
}

bool is_connecting(const Reading& reading, const Object* sock) {
  if (!reading.is(sock, "tcp_sock")) return false;
  std::uint64_t state = reading.value(*sock, "skc_state");
  return state == kSynSent || state == kSynRecv;
}

std::string_view nothing_to_read(const Reading& reading, const Object& file, Places& places) {
  const Object* sock = sock_of(reading, &file);
  const Object* data = reading.target(file, "private_data");
  if (listens(reading, sock)) return "item_accept_queue_empty";
  if (is_connecting(reading, sock)) return "item_not_connected";
  if (reading.is(sock, "tcp_sock") && unread(reading, *sock) > 0) {
    places.emplace_back("count", fmt::format("{}", unread(reading, *sock)));
    places.emplace_back("least", fmt::format("{}", reading.number(*sock, "sk_rcvlowat")));
    return "item_too_little";
  }
  if (sock != nullptr || reading.is(data, "pipe_inode_info")) return "item_nothing_queued";
  if (reading.is(data, "eventfd_ctx")) return "item_counter_is_zero";
  if (reading.is(data, "timerfd_ctx"))
    return reading.value(*data, "t.tmr.expires") != 0 ? "item_timer_not_yet" : "item_timer_not_started";
  if (reading.is(data, "signalfd_ctx")) return "item_no_signal";
  return reading.is(data, "eventpoll") ? "item_nothing_ready" : "item_nothing_there";
}

std::string_view no_room(const Reading& reading, const Object& file) {
  const Object* sock = sock_of(reading, &file);
  const Object* data = reading.target(file, "private_data");
  if (is_connecting(reading, sock)) return "item_not_connected";
  if (reading.is(sock, "unix_sock") && peer_queue_is_full(reading, *sock)) return "item_peer_queue_full";
  if (reading.is(data, "pipe_inode_info")) return "item_pipe_is_full";
  return reading.is(data, "eventfd_ctx") ? "item_counter_is_full" : "no_room_to_write";
}

}  // namespace

std::string_view never_there(const Reading& reading, const Object& file, std::uint32_t wanted) {
  auto can = possible(reading, file);
  std::uint32_t asked = by_first_names(wanted) & (kIn | kPri | kOut | kRdHup);
  return can && asked != 0 && (asked & can->events) == 0 ? can->id : "";
}

WhyLine nothing_there(const Question& question, const Object& file, std::uint32_t wanted, Places places) {
  const Reading& reading = question.reading;
  if (auto never = never_there(reading, file, wanted); !never.empty()) return question.say(never, places);
  auto can = possible(reading, file);
  std::uint32_t asked = by_first_names(wanted) & (can ? can->events : kIn | kOut);
  std::string_view id = (asked & kIn) != 0    ? nothing_to_read(reading, file, places)
                        : (asked & kOut) != 0 ? no_room(reading, file)
                                              : "item_nothing_there";
  return question.say(id, places);
}

std::optional<Position> syn_dropped(const Question& question, ObjectId sock) {
  const History& history = question.history;
  return history.last(question.to, [&](const Record&, Position at) {
    const trace::Rule* rule = history.rule_at(at);
    if (rule == nullptr || (rule->id != "accept_queue_full_syn_dropped" && rule->id != "syn_queue_full_syn_dropped"))
      return false;
    for (Position call : history.chain(at))
      if (history.trace()[call].object == sock && history.function(call) == "tcp_connect") return true;
    return false;
  });
}

}  // namespace wakepath::exports
