// Why a call did not return: what it sleeps for, and why that has not come.
#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <utility>

#include "sim/export/readiness.hh"
#include "sim/export/tcp_rows.hh"
#include "sim/export/why_parts.hh"

namespace wakepath::exports {

namespace {

/// The object on whose wait queue a task stands; nullptr when on none.
const Object* waits_on(const Reading& reading, trace::ObjectId task) {
  const Object* entry = nullptr;
  for (const Object* candidate : reading.living("wait_queue_entry"))
    if (const Object* sleeper = reading.target(*candidate, "private"); sleeper != nullptr && sleeper->id == task)
      entry = candidate;
  if (entry == nullptr) return nullptr;
  for (const Object& object : reading.world().objects())
    if (object.alive)
      for (const auto& list : object.lists)
        for (trace::Ref member : list.refs)
          if (member.object == entry->id) return &object;
  return nullptr;
}

class Blocked {
 public:
  Blocked(const Question& question, trace::TaskId task, WhyAnswer& answer)
      : q_(question), trace_(question.history.trace()), id_(task), answer_(answer) {
    task_ = q_.reading.world().task(task);
    queue_ = waits_on(q_.reading, task_->object);
  }

  void explain() {
    if (!asleep()) return add("still_running", {{"function", innermost()}});
    woken_in_vain();
    if (open("do_poll") || open("do_select"))
      why_poll_is_quiet(q_, task_->object, answer_.lines);
    else if (q_.reading.is(queue_, "eventpoll"))
      why_epoll_is_quiet(q_, *queue_, id_, answer_.lines);
    else if (std::string_view file = sleeping_on_a_file(); !file.empty())
      add(file);
    else
      in_a_socket_call();
    another_was_woken();
    if (answer_.lines.empty()) add("sleeps_in", {{"function", innermost()}});
  }

 private:
  void add(std::string_view id, const Places& places = {}, Position at = 0) {
    answer_.lines.push_back(q_.say(id, places, at));
  }
  /// What the task's frame of that function is about; nullptr when it is not in it.
  [[nodiscard]] const Object* subject_of(std::string_view name) const {
    for (const trace::Frame& frame : task_->stack)
      if (trace_.schema().functions[frame.function].name == name) return q_.reading.find(frame.subject);
    return nullptr;
  }
  /// Whether the task is in that function.
  [[nodiscard]] bool open(std::string_view name) const {
    for (const trace::Frame& frame : task_->stack)
      if (trace_.schema().functions[frame.function].name == name) return true;
    return false;
  }
  [[nodiscard]] std::string innermost() const {
    return task_->stack.empty() ? "" : trace_.schema().functions[task_->stack.back().function].name;
  }
  /// False while it runs, waits for a CPU, has been woken and not come round to look, or is being ended.
  [[nodiscard]] bool asleep() const {
    const Object* task = q_.reading.find(task_->object);
    if (task == nullptr || !q_.reading.has(*task, "__state")) return true;
    return q_.reading.value(*task, "__state") == 1 && innermost().find("schedule") != std::string::npos;
  }
  [[nodiscard]] std::string count_of(const Object& object, std::string_view field) const {
    return fmt::format("{}", q_.reading.number(object, field));
  }

  /// The sentence for a sleep in a call on a file that is no socket, or on no file; "" for others.
  [[nodiscard]] std::string_view sleeping_on_a_file() const {
    if (const Object* file = subject_of("timerfd_read_iter")) {
      const Object* timer = q_.reading.target(*file, "private_data");
      return timer != nullptr && q_.reading.value(*timer, "t.tmr.expires") != 0 ? "timer_not_yet" : "timer_not_started";
    }
    using Named = std::pair<std::string_view, std::string_view>;
    static constexpr std::array<Named, 7> kSleeps = {{{"eventfd_read", "counter_is_zero"},
                                                      {"eventfd_write", "counter_is_full"},
                                                      {"pipe_read", "pipe_is_empty"},
                                                      {"pipe_write", "pipe_is_full"},
                                                      {"signalfd_dequeue", "no_signal_pending"},
                                                      {"futex_do_wait", "futex_not_woken"},
                                                      {"do_nanosleep", "time_not_over"}}};
    auto found = std::find_if(kSleeps.begin(), kSleeps.end(), [&](const Named& named) { return open(named.first); });
    return found != kSleeps.end() ? found->second : "";
  }

  void in_a_socket_call() {
    if (const Object* other = subject_of("unix_wait_for_peer")) return peer_is_full(*other);
    if (const Object* sock = subject_of("sock_wait_for_wmem"))
      return buffer_full(*sock, "sk_wmem_alloc", "peer_has_not_read");
    for (const char* function : {"__skb_wait_for_more_packets", "unix_stream_data_wait"})
      if (const Object* sock = subject_of(function)) return nothing_came(*sock);
    if (const Object* sock = subject_of("sk_stream_wait_close"))
      return add("close_not_acknowledged", {{"object", q_.reading.name(sock)}});
    const Object* sock =
        queue_ != nullptr && q_.reading.has(*queue_, "sk") ? q_.reading.target(*queue_, "sk") : nullptr;
    if (sock != nullptr) in_a_tcp_call(*sock);
  }

  /// AF_UNIX: what the other socket keeps for its process has no room for more.
  void peer_is_full(const Object& other) {
    add(open("unix_stream_connect") ? "backlog_full" : "peer_queue_full",
        {{"object", q_.reading.name(&other)},
         {"count", fmt::format("{}", q_.reading.list(other, "sk_receive_queue.list").size())},
         {"most", count_of(other, "sk_max_ack_backlog")}});
  }

  /// UDP and AF_UNIX: the receive queue gives nothing, or not enough.
  void nothing_came(const Object& sock) {
    Places places = {{"object", q_.reading.name(&sock)}};
    if (open("unix_accept")) return add("accept_queue_empty", places);
    if (!is_stream(q_.reading, sock)) return add("no_datagram", places);
    add(open("unix_stream_data_wait") && task_has_some() ? "more_is_wanted" : "nothing_queued", places);
  }

  /// Whether the call has taken something, and waits for the rest of what was asked for.
  [[nodiscard]] bool task_has_some() const {
    for (Position at = task_->syscall; at < q_.to; ++at) {
      const Record& r = trace_[at];
      if (r.kind != RecordKind::kSet || r.task != id_ || r.after <= r.before) continue;
      const Object& object = q_.reading.world().objects()[r.object];
      auto field = trace_.schema().kinds[object.kind].find_field("consumed");
      if (q_.reading.is(&object, "sk_buff") && field && r.field == *field) return true;
    }
    return false;
  }

  /// In this call: one that ended before it, or brought its end, was not in vain.
  void woken_in_vain() {
    auto woke = q_.history.last(
        q_.to, [&](const Record& r, Position) { return r.kind == RecordKind::kWake && r.before == id_; },
        std::max<Position>(q_.from, task_->syscall));
    if (woke) add("woke_in_vain", {{"who", q_.whose_doing(*woke)}}, *woke);
  }

  /// An exclusive waiter of the same queue was woken instead.
  void another_was_woken() {
    if (queue_ == nullptr) return;
    auto woke = q_.history.last(
        q_.to,
        [&](const Record& r, Position at) {
          if (r.kind != RecordKind::kWake || r.before == id_) return false;
          for (Position call : q_.history.chain(at)) {
            if (q_.history.function(call) == "pollwake") return false;  // of poll() and select(): never exclusive
            if (q_.history.function(call) == "__wake_up_common") return trace_[call].object == queue_->id;
          }
          return false;
        },
        q_.from);
    if (woke)
      add("another_waiter_woken", {{"other", q_.task_name(static_cast<trace::TaskId>(trace_[*woke].before))}}, *woke);
  }

  void in_a_tcp_call(const Object& sock) {
    std::uint64_t state = q_.reading.value(sock, "skc_state");
    std::string name = q_.reading.name(&sock);
    if (open("inet_csk_accept")) {
      add(q_.reading.value(sock, "sk_ack_backlog") != 0 ? "accept_not_woken" : "accept_queue_empty",
          {{"object", name}, {"count", count_of(sock, "sk_ack_backlog")}});
      if (q_.reading.value(sock, "qlen") > 0) add("handshakes_unfinished", {{"count", count_of(sock, "qlen")}});
    } else if (open("sk_stream_wait_memory")) {
      buffer_full(sock, "sk_wmem_queued", "");
      window(sock, name);
    } else if (state == kSynSent || state == kSynRecv) {
      unanswered(sock, name);
    } else {
      std::uint32_t there = unread(q_.reading, sock);
      if (there != 0)
        add("too_little_queued",
            {{"object", name}, {"count", fmt::format("{}", there)}, {"least", count_of(sock, "sk_rcvlowat")}});
      else
        add(tcp_has_some(sock) ? "more_is_wanted" : "nothing_queued", {{"object", name}});
    }
  }

  /// As task_has_some(): bytes that this call has taken off a TCP socket.
  [[nodiscard]] bool tcp_has_some(const Object& sock) const {
    for (Position at = task_->syscall; at < q_.to; ++at)
      if (trace_[at].kind == RecordKind::kCall && trace_[at].task == id_ &&
          trace_[at].context == trace::Context::kProcess && q_.history.function(at) == "skb_copy_datagram_iter")
        return q_.reading.is(&sock, "tcp_sock");
    return false;
  }

  /// `taken` counts what was sent and is not gone; `because`, when not "", says whose turn it is.
  void buffer_full(const Object& sock, std::string_view taken, std::string_view because) {
    std::int64_t queued = q_.reading.number(sock, taken);
    std::int64_t room = q_.reading.number(sock, "sk_sndbuf");
    Places places = {
        {"object", q_.reading.name(&sock)}, {"queued", fmt::format("{}", queued)}, {"room", fmt::format("{}", room)}};
    bool waits_for_room = ruled("send_buffer_full_waits", sock.id);
    add(!waits_for_room ? "no_memory_now" : queued >= room ? "buffer_full" : "buffer_not_free_enough", places);
    if (!because.empty()) add(because, places);
  }

  /// Whether a rule has applied to that object in this call.
  [[nodiscard]] bool ruled(std::string_view id, ObjectId object) const {
    auto rule = q_.history.last_rule(q_.to, id, object);
    return rule && *rule >= task_->syscall;
  }

  void window(const Object& sock, const std::string& name) {
    auto in_flight = static_cast<std::uint32_t>(q_.reading.value(sock, "snd_nxt") - q_.reading.value(sock, "snd_una"));
    const auto& unsent = q_.reading.list(sock, "sk_write_queue.list");
    std::uint64_t next =
        unsent.empty() ? 0 : q_.reading.value(q_.reading.world().objects()[unsent.front().object], "len");
    if (auto closed = q_.history.last_rule(q_.to, "tcp_window_closed", sock.id);
        closed && !unsent.empty() && in_flight + next > q_.reading.value(sock, "snd_wnd"))
      add("window_closed", {{"object", name}}, *closed);
  }

  void unanswered(const Object& sock, const std::string& name) {
    add("syn_unanswered", {{"object", name}, {"tries", fmt::format("{}", q_.reading.value(sock, "icsk_retransmits"))}});
    auto dropped = q_.history.last(
        q_.to,
        [&](const Record&, Position at) {
          const trace::Rule* rule = q_.history.rule_at(at);
          return rule != nullptr && rule->id == "accept_queue_full_syn_dropped";
        },
        task_->syscall - 1);
    if (dropped) answer_.lines.push_back(q_.say_rule(*dropped));
  }

  const Question& q_;
  const trace::Trace& trace_;
  trace::TaskId id_;
  WhyAnswer& answer_;
  const trace::Task* task_ = nullptr;
  const Object* queue_ = nullptr;
};

}  // namespace

void why_blocked(const Question& question, trace::TaskId task, WhyAnswer& answer) {
  Blocked(question, task, answer).explain();
}

}  // namespace wakepath::exports
