// Why poll() and select() returned what they did, or did not return: a line a descriptor.
#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <set>
#include <utility>

#include "sim/export/readiness.hh"
#include "sim/export/why_parts.hh"

namespace wakepath::exports {

namespace {

/// One descriptor that a call asks about.
struct Asked {
  int fd = -1;
  std::uint32_t wanted = 0;
};

std::uint32_t wanted_of(std::string_view events) {
  using Named = std::pair<std::string_view, std::uint32_t>;
  static constexpr std::array<Named, 6> kNames = {{{"POLLIN", kIn},
                                                   {"POLLRDNORM", kIn},
                                                   {"POLLOUT", kOut},
                                                   {"POLLWRNORM", kOut},
                                                   {"POLLPRI", kPri},
                                                   {"POLLRDHUP", kRdHup}}};
  std::uint32_t out = 0;
  for (const auto& [name, bit] : kNames)
    if (events.find(name) != std::string_view::npos) out |= bit;
  return out;
}

void add_set(std::vector<Asked>& out, std::string_view set, std::uint32_t wanted) {
  for (std::string_view number : elements(set)) {
    int fd = number_of(number);
    auto found = std::find_if(out.begin(), out.end(), [&](const Asked& asked) { return asked.fd == fd; });
    if (found == out.end()) found = out.insert(out.end(), {fd, 0});
    found->wanted |= wanted;
  }
}

std::vector<Asked> asked_of(const CallText& call) {
  std::vector<Asked> out;
  if (call.family() == CallFamily::kPoll) {
    for (std::string_view entry : elements(call.argument(0)))
      if (auto parts = elements(entry); parts.size() == 2) out.push_back({number_of(parts[0]), wanted_of(parts[1])});
    return out;
  }
  add_set(out, call.argument(1), kIn);
  add_set(out, call.argument(2), kOut);
  add_set(out, call.argument(3), kPri);
  return out;
}

/// "1 [{POLLIN, 3}]", "1 [3] [] []": the descriptors in a result.
std::vector<Asked> found_in(const CallText& call, std::string_view said) {
  std::vector<Asked> out;
  std::size_t list = said.find('[');
  if (list == std::string_view::npos) return out;
  if (call.family() == CallFamily::kPoll) {
    for (std::string_view entry : elements(said.substr(list)))
      if (auto parts = elements(entry); parts.size() == 2) out.push_back({number_of(parts[1]), wanted_of(parts[0])});
    return out;
  }
  for (std::uint32_t wanted : {kIn, kOut, kPri}) {
    std::size_t end = list == std::string_view::npos ? list : said.find(']', list);
    if (end == std::string_view::npos) break;
    add_set(out, said.substr(list, end + 1 - list), wanted);
    list = said.find('[', end);
  }
  return out;
}

/// What a file's poll() said when the call last asked it; nothing for files that have no poll().
std::optional<std::uint32_t> last_poll(const Question& q, const Return& call, const Object& file, Position* at) {
  auto asked = q.history.last(
      call.at,
      [&](const Record& r, Position) {
        return r.kind == RecordKind::kReturn && r.task == call.task && r.object == file.id &&
               q.history.function(r.before).ends_with("_poll");
      },
      call.entered);
  if (!asked) return std::nullopt;
  *at = *asked;
  return static_cast<std::uint32_t>(q.history.trace()[*asked].after);
}

void found_something(const Question& q, const Return& call, std::vector<WhyLine>& lines) {
  for (const Asked& found : found_in(call.call, call.said)) {
    const Object* file = q.reading.file(*call.caller, found.fd);
    Places places = {{"fd", fmt::format("{}", found.fd)}};
    if (file == nullptr) {
      lines.push_back(q.say("polled_not_open", places));
      continue;
    }
    Position at = 0;
    auto said = last_poll(q, call, *file, &at);
    const Object* sock = sock_of(q.reading, file);
    places.emplace_back("object", q.reading.name(sock != nullptr ? sock : file));
    places.emplace_back("events", event_names(said.value_or(0)));
    lines.push_back(q.say(said ? "event_reported" : "always_ready", places, at));
  }
}

void found_nothing(const Question& q, const Return& call, std::vector<WhyLine>& lines) {
  std::vector<Asked> all = asked_of(call.call);
  for (const Asked& asked : all) {
    Places places = {{"fd", fmt::format("{}", asked.fd)}};
    const Object* file = asked.fd < 0 ? nullptr : q.reading.file(*call.caller, asked.fd);
    if (file == nullptr) {
      if (asked.fd < 0) lines.push_back(q.say("polled_negative", places));
      continue;
    }
    const Object* sock = sock_of(q.reading, file);
    places.emplace_back("object", q.reading.name(sock != nullptr ? sock : file));
    places.emplace_back("wanted", event_names(asked.wanted));
    lines.push_back(nothing_there(q, *file, asked.wanted, places));
  }
  if (all.empty()) lines.push_back(q.say("nothing_polled"));
}

/// The lowest number of a file in the table of a task; "?" when it has none any more.
std::string fd_of(const Reading& reading, const Object& task, ObjectId file) {
  const Object* files = reading.target(task, "files");
  if (files == nullptr) return "?";
  for (trace::Ref ref : reading.list(*files, "fd_array")) {
    const Object* slot = reading.find(ref.object);
    const Object* theirs = slot == nullptr ? nullptr : reading.target(*slot, "file");
    if (theirs != nullptr && theirs->id == file) return fmt::format("{}", reading.number(*slot, "fd"));
  }
  return "?";
}

}  // namespace

void why_polled(const Question& q, const Return& call, std::vector<WhyLine>& lines) {
  if (call.caller == nullptr) return;
  if (call.result > 0) return found_something(q, call, lines);
  lines.push_back(q.say(call.call.timeout() == "0" ? "asked_only" : "timed_out"));
  found_nothing(q, call, lines);
}

void why_poll_is_quiet(const Question& q, ObjectId task, std::vector<WhyLine>& lines) {
  std::size_t before = lines.size();
  for (const Object* entry : q.reading.living("poll_table_entry")) {
    const Object* wqueues = q.reading.target(*entry, "pwq");
    const Object* sleeper = wqueues == nullptr ? nullptr : q.reading.target(*wqueues, "polling_task");
    const Object* file = q.reading.target(*entry, "filp");
    if (sleeper == nullptr || sleeper->id != task || file == nullptr) continue;
    auto wanted = static_cast<std::uint32_t>(q.reading.value(*entry, "key"));
    const Object* sock = sock_of(q.reading, file);
    lines.push_back(nothing_there(q, *file, wanted,
                                  {{"fd", fd_of(q.reading, *sleeper, file->id)},
                                   {"object", q.reading.name(sock != nullptr ? sock : file)},
                                   {"wanted", event_names(wanted & ~(kErr | kHup))}}));
  }
  if (lines.size() == before) lines.push_back(q.say("nothing_polled"));
}

}  // namespace wakepath::exports
