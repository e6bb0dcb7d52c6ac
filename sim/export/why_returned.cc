// Why a call returned what it did: the rule that gave its errno, or the facts behind its result.
#include <fmt/format.h>
#include <string.h>

#include <algorithm>

#include "sim/export/readiness.hh"
#include "sim/export/why_parts.hh"

namespace wakepath::exports {

namespace {

class Returned {
 public:
  Returned(const Question& question, Position returned, WhyAnswer& answer)
      : q_(question),
        trace_(question.history.trace()),
        returned_(returned),
        record_(trace_[returned]),
        answer_(answer) {
    entered_ = record_.before;
    if (const trace::Task* task = q_.reading.world().task(record_.task)) task_ = q_.reading.find(task->object);
    CallText call(answer.call);
    if (task_ != nullptr) file_ = q_.reading.file(*task_, call.fd());
    call_ = {entered_, returned, record_.task, call, answer.result, static_cast<std::int64_t>(record_.after),
             task_,    file_};
  }

  void explain() {
    if (answer_.result == "killed") return add("killed");
    if (call_.result < 0)
      failed(static_cast<int>(-call_.result));
    else
      succeeded();
    rules();
    if (answer_.lines.empty()) add("returned_plainly");
  }

 private:
  void succeeded() {
    switch (call_.call.family()) {
      case CallFamily::kEpollWait:
        return epoll_wait(call_.result);
      case CallFamily::kPoll:
      case CallFamily::kSelect:
        return why_polled(q_, call_, answer_.lines);
      case CallFamily::kAccept:
        return accepted();
      case CallFamily::kRead:
        return why_read(q_, call_, answer_.lines);
      default:
        return why_done(q_, call_, answer_.lines);
    }
  }

  void add(std::string_view id, const Places& places = {}, Position at = 0) {
    answer_.lines.push_back(q_.say(id, places, at));
  }
  [[nodiscard]] std::string name_of(ObjectId id) const { return trace::object_name(trace_, q_.reading.world(), id); }
  /// Within this call, on this task.
  [[nodiscard]] bool ours(Position at) const { return trace_[at].task == record_.task; }
  /// The last change of that list before `before`: of `element`, or of any when it is 0.
  [[nodiscard]] std::optional<Position> last_insert(Position before, ObjectId owner, std::string_view list,
                                                    ObjectId element) const {
    return q_.history.last(before, [&](const Record& r, Position) {
      if (r.kind != RecordKind::kListInsert || r.object != owner) return false;
      if (element != 0 && trace::Ref::unpack(r.after).object != element) return false;
      const auto& kind = trace_.schema().kinds[q_.reading.world().objects()[owner].kind];
      return trace::member_name(kind, r.field) == list;
    });
  }

  void failed(int error) {
    auto because = q_.history.last(
        returned_,
        [&](const Record&, Position at) {
          const trace::Rule* rule = ours(at) ? q_.history.rule_at(at) : nullptr;
          return rule != nullptr && (rule->error == error || rule->id == "sock_error_taken");
        },
        entered_);
    if (!because) {
      add("error_unexplained", {{"error", strerrorname_np(error) != nullptr ? strerrorname_np(error) : "?"}});
      return;
    }
    answer_.lines.push_back(q_.say_rule(*because));
    std::string_view rule = q_.history.rule_at(*because)->id;
    ObjectId subject = trace_[*because].object;
    if (rule == "sock_error_taken") error_set(*because, error);
    if (rule == "connect_in_progress" || rule == "connect_already") {
      if (auto dropped = syn_dropped(q_, subject)) answer_.lines.push_back(q_.say_rule(*dropped));
    }
    constexpr std::uint64_t kSendShutdown = 2;
    if (rule == "send_ended" || rule == "send_connection_over" || rule == "send_peer_deaf")
      ended_by(subject, "sk_shutdown",
               [&](const Record& r) { return (r.after & kSendShutdown) != 0 && (r.before & kSendShutdown) == 0; });
    const Object* file = q_.reading.find(subject);
    const Object* pipe =
        rule == "pipe_no_reader" && file != nullptr ? q_.reading.target(*file, "private_data") : nullptr;
    if (pipe != nullptr) ended_by(pipe->id, "readers", [](const Record& r) { return r.after == 0; });
  }

  /// Who last set the field of that object as `did` says.
  template <class Did>
  void ended_by(ObjectId object, std::string_view field_name, Did did) {
    auto field = trace_.schema().kinds[q_.reading.world().objects()[object].kind].find_field(field_name);
    auto set = q_.history.last(returned_, [&](const Record& r, Position) {
      return r.kind == RecordKind::kSet && r.object == object && field && r.field == *field && did(r);
    });
    if (set) add("ended_by", {{"who", q_.whose_doing(*set)}}, *set);
  }

  /// Who left the error at the socket, and by which rule.
  void error_set(Position taken, int error) {
    ObjectId sock = trace_[taken].object;
    auto field = trace_.schema().kinds[q_.reading.world().objects()[sock].kind].find_field("sk_err");
    auto set = q_.history.last(taken, [&](const Record& r, Position) {
      return r.kind == RecordKind::kSet && r.object == sock && field && r.field == *field &&
             r.after == static_cast<std::uint64_t>(error);
    });
    if (!set) return;
    auto rule = q_.history.last(
        *set, [&](const Record& r, Position at) { return r.object == sock && q_.history.rule_at(at) != nullptr; });
    if (rule) answer_.lines.push_back(q_.say_rule(*rule));
    add("error_set_by", {{"who", q_.whose_doing(*set)}, {"object", name_of(sock)}}, *set);
  }

  // --- epoll_wait ---

  void epoll_wait(std::int64_t count) {
    const Object* ep = file_ == nullptr ? nullptr : q_.reading.target(*file_, "private_data");
    if (count == 0) {
      add(call_.call.timeout() == "0" ? "asked_only" : "timed_out");
      if (ep != nullptr) why_epoll_is_quiet(q_, *ep, record_.task, answer_.lines);
      return;
    }
    // what earlier scans of a call that went to sleep again have found is told with their steps
    auto scan = q_.history.last(
        returned_,
        [&](const Record& r, Position at) {
          return ours(at) && r.kind == RecordKind::kCall && q_.history.function(at) == "ep_send_events";
        },
        entered_);
    for (Position at = scan.value_or(entered_); at < returned_; ++at) {
      const Record& r = trace_[at];
      if (!ours(at) || r.kind != RecordKind::kReturn || q_.history.function(r.before) != "ep_item_poll") continue;
      item_polled(at, static_cast<std::uint32_t>(r.after), r.object);
    }
    if (ep != nullptr && number_of(call_.call.argument(1)) == count) {
      std::size_t left = q_.reading.list(*ep, "rdllist").size();
      if (left > static_cast<std::size_t>(count)) add("more_are_ready", {{"count", fmt::format("{}", left)}});
    }
  }

  void item_polled(Position polled, std::uint32_t events, ObjectId item) {
    const Object& object = q_.reading.world().objects()[item];
    const Object* watched = q_.reading.target(object, "ffd.file");
    const Object* sock = sock_of(q_.reading, watched);
    Places places = {{"fd", fmt::format("{}", q_.reading.number(object, "ffd.fd"))},
                     {"object", sock != nullptr ? q_.reading.name(sock) : q_.reading.name(watched)},
                     {"events", event_names(events)}};
    if (events != 0) {
      add("event_reported", places, polled);
      return became_ready(polled, item);
    }
    std::uint32_t there = watched == nullptr ? 0 : events_there(q_.reading, *watched, task_).value_or(0);
    std::uint32_t wanted = by_first_names(static_cast<std::uint32_t>(q_.reading.value(object, "event.events")));
    if (there == 0 || (there & wanted) != 0) return add("event_gone", places, polled);
    places.emplace_back("there", event_names(there));
    places.emplace_back("wanted", event_names(wanted & ~kModeBits));
    add("event_masked_out", places, polled);
  }

  /// Where the item joined the ready list, or ovflist, so that it stood there when it was polled. A scan that only puts
  /// back what it had not come to, or had but looked at, is passed over.
  [[nodiscard]] std::optional<Position> joined_ready_list(Position polled, const Object& ep, ObjectId item) const {
    auto joined = last_insert(polled, ep.id, "rdllist", item);
    while (joined) {
      std::vector<Position> chain = q_.history.chain(*joined);
      if (chain.empty()) return joined;
      std::string_view by = q_.history.function(chain.front());
      if (by != "ep_done_scan" && by != "ep_scan_ready_list" && by != "ep_read_events_proc") return joined;
      if (auto off_ovflist = last_chaining(*joined, item); off_ovflist && *off_ovflist > chain.front())
        return last_chaining(*off_ovflist, item);
      joined = last_insert(*joined, ep.id, "rdllist", item);
    }
    return joined;
  }
  /// The last time before `before` that the item was chained to ovflist, or taken off it.
  [[nodiscard]] std::optional<Position> last_chaining(Position before, ObjectId item) const {
    const auto& kind = trace_.schema().kinds[q_.reading.world().objects()[item].kind];
    auto chained = kind.find_field("ovflist_next");
    return q_.history.last(before, [&](const Record& r, Position) {
      return r.kind == RecordKind::kSet && r.object == item && chained && r.field == *chained;
    });
  }

  void became_ready(Position polled, ObjectId item) {
    const Object* ep = q_.reading.target(q_.reading.world().objects()[item], "ep");
    if (ep == nullptr) return;
    auto joined = joined_ready_list(polled, *ep, item);
    if (!joined) return;
    Places places = {{"who", q_.whose_doing(*joined)}};
    std::vector<Position> chain = q_.history.chain(*joined);
    bool told = q_.history.find_in(chain, "ep_poll_callback").has_value();
    bool requeued = q_.history.find_in(chain, "ep_send_events").has_value();
    add(told ? "ready_by_callback" : requeued ? "ready_by_requeue" : "ready_when_added", places, *joined);
  }

  // --- accept ---

  void accepted() {
    const Object* sock = sock_of(q_.reading, file_);
    for (Position at = entered_; at < returned_; ++at) {
      const Record& r = trace_[at];
      if (!ours(at) || r.kind != RecordKind::kListErase) continue;
      ObjectId taken = trace::Ref::unpack(r.after).object;
      auto came = last_insert(at, r.object, "rskq_accept_head", taken);
      if (!came && sock != nullptr && r.object == sock->id)  // AF_UNIX: a buffer stands for it
        came = last_insert(at, r.object, "sk_receive_queue.list", taken);
      if (came) return add("connection_came", {{"who", q_.whose_doing(*came)}}, *came);
    }
  }

  /// Rules that applied in the call itself, not in what it set off.
  void rules() {
    for (Position at = entered_; at < returned_; ++at) {
      const trace::Rule* rule = ours(at) ? q_.history.rule_at(at) : nullptr;
      if (rule == nullptr || rule->error != 0 || is_waiting(*rule)) continue;
      if (trace_[at].context != trace::Context::kProcess) continue;
      if (q_.history.find_in(q_.history.chain(at), "__wake_up_common")) continue;  // what others have of it
      auto same = [&](const WhyLine& line) { return line.id == rule->id; };
      if (std::none_of(answer_.lines.begin(), answer_.lines.end(), same)) answer_.lines.push_back(q_.say_rule(at));
    }
  }

  const Question& q_;
  const trace::Trace& trace_;
  Position returned_;
  const Record record_;
  WhyAnswer& answer_;
  Position entered_ = 0;
  const Object* task_ = nullptr;
  const Object* file_ = nullptr;
  Return call_{0, 0, 0, CallText(""), "", 0, nullptr, nullptr};
};

}  // namespace

void why_returned(const Question& question, Position returned, WhyAnswer& answer) {
  Returned(question, returned, answer).explain();
}

}  // namespace wakepath::exports
