// Why an epoll reports nothing: each item that it watches, and what came for descriptors that it does not.
#include <fmt/format.h>

#include <set>

#include "sim/export/readiness.hh"
#include "sim/export/why_parts.hh"

namespace wakepath::exports {

namespace {

class Quiet {
 public:
  Quiet(const Question& question, const Object& epoll, trace::TaskId task, std::vector<WhyLine>& lines)
      : q_(question), trace_(question.history.trace()), ep_(epoll), lines_(lines) {
    if (const trace::Task* found = q_.reading.world().task(task)) task_ = q_.reading.find(found->object);
  }

  void explain() {
    const auto& items = q_.reading.list(ep_, "rbr");
    if (items.empty()) add("nothing_watched", {{"epoll", q_.reading.name(&ep_)}});
    std::set<ObjectId> watched;
    for (trace::Ref ref : items) {
      const Object* item = q_.reading.find(ref.object);
      const Object* file = item == nullptr ? nullptr : q_.reading.target(*item, "ffd.file");
      if (file == nullptr) continue;
      watched.insert(file->id);
      look_at(*item, *file);
    }
    unwatched(watched);
  }

 private:
  void add(std::string_view id, const Places& places = {}, Position at = 0) {
    lines_.push_back(q_.say(id, places, at));
  }

  void look_at(const Object& item, const Object& file) {
    const Object* sock = sock_of(q_.reading, &file);
    std::uint32_t wanted = by_first_names(static_cast<std::uint32_t>(q_.reading.value(item, "event.events")));
    std::uint32_t there = events_there(q_.reading, file, task_).value_or(0);
    Places places = {{"fd", fmt::format("{}", q_.reading.number(item, "ffd.fd"))},
                     {"object", sock != nullptr ? q_.reading.name(sock) : q_.reading.name(&file)},
                     {"wanted", event_names(wanted & ~(kModeBits | kErr | kHup))},
                     {"there", event_names((there & wanted) != 0 ? there & wanted : there)}};
    if ((wanted & ~kModeBits) == 0) {
      auto disarmed = q_.history.last_rule(q_.to, "epoll_oneshot_disarmed", item.id);
      places.emplace_back("step", fmt::format("{}", disarmed ? q_.history.step_of(*disarmed) : 0));
      return add(there != 0 ? "oneshot_disarmed" : "oneshot_disarmed_quiet", places, disarmed.value_or(0));
    }
    if ((there & wanted) != 0) return ready_but_silent(item, file, wanted, places);
    std::uint32_t masked = there & (kIn | kRdHup | kPri);
    if (masked != 0) add("masked_out", places);
    if (auto never = never_there(q_.reading, file, wanted); masked == 0)
      lacks(file, wanted, places);
    else if (!never.empty())
      add(never, places);
  }

  void lacks(const Object& file, std::uint32_t wanted, const Places& places) {
    lines_.push_back(nothing_there(q_, file, wanted, places));
    if (lines_.back().id != "item_not_connected") return;
    if (auto dropped = syn_dropped(q_, sock_of(q_.reading, &file)->id)) lines_.push_back(q_.say_rule(*dropped));
  }

  /// What the item waits for is there, and yet nobody returned with it.
  void ready_but_silent(const Object& item, const Object& file, std::uint32_t wanted, Places& places) {
    for (trace::Ref ref : q_.reading.list(ep_, "rdllist"))
      if (ref.object == item.id) return add("ready_for_another", places);
    auto taken = q_.history.last_rule(q_.to, "epoll_edge_taken", item.id);
    if ((wanted & kEdge) != 0 && taken) {
      places.emplace_back("step", fmt::format("{}", q_.history.step_of(*taken)));
      auto masked = q_.history.last_rule(q_.to, "epoll_masked_out", item.id);
      if (!masked || *masked < *taken) return add("no_new_edge", places, *taken);
      places.emplace_back("who", q_.whose_doing(*masked));
      return add("no_new_edge_masked", places, *masked);
    }
    if ((wanted & kExclusive) != 0) {
      if (auto other = taken_by_another(item, file)) {
        places.emplace_back("other", trace::object_name(trace_, q_.reading.world(), trace_[*other].object));
        return add("exclusive_taken", places, *other);
      }
    }
    add("ready_without_callback", places);
  }

  /// The last callback of another exclusive item on the same file: the walk of the wait queue ended with it.
  std::optional<Position> taken_by_another(const Object& item, const Object& file) const {
    return q_.history.last(q_.to, [&](const Record& r, Position) {
      if (r.kind != RecordKind::kReturn || r.after == 0 || q_.history.function(r.before) != "ep_poll_callback")
        return false;
      const Object& other = q_.reading.world().objects()[r.object];
      const Object* same = q_.reading.target(other, "ffd.file");
      return other.id != item.id && same != nullptr && same->id == file.id;
    });
  }

  /// Sockets of this process to which something came in these records, and that this epoll does not watch.
  void unwatched(const std::set<ObjectId>& watched) {
    const Object* files = task_ == nullptr ? nullptr : q_.reading.target(*task_, "files");
    if (files == nullptr) return;
    for (trace::Ref ref : q_.reading.list(*files, "fd_array")) {
      const Object* slot = q_.reading.find(ref.object);
      const Object* file = slot == nullptr ? nullptr : q_.reading.target(*slot, "file");
      const Object* sock = sock_of(q_.reading, file);
      if (sock == nullptr || watched.contains(file->id)) continue;
      auto came = q_.history.last(
          q_.to,
          [&](const Record& r, Position at) {  // not where a buffer joins a queue: data may join a buffer there
            return r.kind == RecordKind::kCall && r.object == sock->id &&
                   q_.history.function(at) == "sock_def_readable";
          },
          q_.from);
      if (came)
        add("not_in_interest_list",
            {{"fd", fmt::format("{}", q_.reading.number(*slot, "fd"))},
             {"object", q_.reading.name(sock)},
             {"epoll", q_.reading.name(&ep_)}},
            *came);
    }
  }

  const Question& q_;
  const trace::Trace& trace_;
  const Object& ep_;
  std::vector<WhyLine>& lines_;
  const Object* task_ = nullptr;
};

}  // namespace

void why_epoll_is_quiet(const Question& question, const Object& epoll, trace::TaskId task,
                        std::vector<WhyLine>& lines) {
  Quiet(question, epoll, task, lines).explain();
}

}  // namespace wakepath::exports
