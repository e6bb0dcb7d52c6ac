// Why a call did not return: what it sleeps for, and why that has not come.
#include <fmt/format.h>

#include <algorithm>

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
    woken_in_vain();
    if (open("do_poll") || open("do_select")) {
      polled_is_quiet();
    } else if (q_.reading.is(queue_, "eventfd_ctx")) {
      add(open("eventfd_read") ? "counter_is_zero" : "counter_is_full");
    } else if (q_.reading.is(queue_, "eventpoll")) {
      why_epoll_is_quiet(q_, *queue_, id_, answer_.lines);
    } else if (q_.reading.is(queue_, "pipe_inode_info")) {
      bool reads = open("pipe_read");
      add(reads ? "pipe_is_empty" : "pipe_is_full");
    } else if (const Object* sock =
                   queue_ != nullptr && q_.reading.has(*queue_, "sk") ? q_.reading.target(*queue_, "sk") : nullptr) {
      on_socket(*sock);
    }
    another_was_woken();
    if (answer_.lines.empty()) {
      std::string function;
      if (!task_->stack.empty()) function = trace_.schema().functions[task_->stack.back().function].name;
      add("sleeps_in", {{"function", function}});
    }
  }

 private:
  void add(std::string_view id, const Places& places = {}, Position at = 0) {
    answer_.lines.push_back(q_.say(id, places, at));
  }
  /// Whether the task is in that function.
  [[nodiscard]] bool open(std::string_view name) const {
    for (const trace::Frame& frame : task_->stack)
      if (trace_.schema().functions[frame.function].name == name) return true;
    return false;
  }

  /// poll() and select(): a line a file that they have hung an entry on.
  void polled_is_quiet() {
    for (const Object* entry : q_.reading.living("poll_table_entry")) {
      const Object* wqueues = q_.reading.target(*entry, "pwq");
      const Object* sleeper = wqueues == nullptr ? nullptr : q_.reading.target(*wqueues, "polling_task");
      const Object* file = q_.reading.target(*entry, "filp");
      if (sleeper == nullptr || sleeper->id != task_->object || file == nullptr) continue;
      auto wanted = static_cast<std::uint32_t>(q_.reading.value(*entry, "key"));
      const Object* sock = sock_of(q_.reading, file);
      add(nothing_there(q_.reading, *file, wanted), {{"fd", fd_of(*sleeper, file->id)},
                                                     {"object", q_.reading.name(sock != nullptr ? sock : file)},
                                                     {"wanted", event_names(wanted & ~(kErr | kHup))}});
    }
  }

  /// The lowest number of a file in the table of a task; "?" when it has none any more.
  [[nodiscard]] std::string fd_of(const Object& task, trace::ObjectId file) const {
    const Object* files = q_.reading.target(task, "files");
    if (files == nullptr) return "?";
    for (trace::Ref ref : q_.reading.list(*files, "fd_array")) {
      const Object* slot = q_.reading.find(ref.object);
      const Object* theirs = slot == nullptr ? nullptr : q_.reading.target(*slot, "file");
      if (theirs != nullptr && theirs->id == file) return fmt::format("{}", q_.reading.number(*slot, "fd"));
    }
    return "?";
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
          for (Position call : q_.history.chain(at))
            if (q_.history.function(call) == "__wake_up_common") return trace_[call].object == queue_->id;
          return false;
        },
        q_.from);
    if (woke)
      add("another_waiter_woken", {{"other", q_.task_name(static_cast<trace::TaskId>(trace_[*woke].before))}}, *woke);
  }

  void on_socket(const Object& sock) {
    std::uint64_t state = q_.reading.value(sock, "skc_state");
    std::string name = q_.reading.name(&sock);
    if (open("inet_csk_accept")) {
      add("accept_queue_empty", {{"object", name}});
      if (std::uint64_t half_open = q_.reading.value(sock, "qlen"); half_open > 0)
        add("handshakes_unfinished", {{"count", fmt::format("{}", half_open)}});
    } else if (open("sk_stream_wait_memory")) {
      buffer_full(sock, name);
    } else if (state == kSynSent || state == kSynRecv) {
      unanswered(sock, name);
    } else {
      std::uint32_t there = unread(q_.reading, sock);
      std::string least = fmt::format("{}", q_.reading.value(sock, "sk_rcvlowat"));
      if (!q_.reading.is(&sock, "tcp_sock"))
        add("no_datagram", {{"object", name}});
      else if (there == 0)
        add("nothing_queued", {{"object", name}});
      else
        add("too_little_queued", {{"object", name}, {"count", fmt::format("{}", there)}, {"least", least}});
    }
  }

  void buffer_full(const Object& sock, const std::string& name) {
    add("buffer_full", {{"object", name},
                        {"queued", fmt::format("{}", q_.reading.value(sock, "sk_wmem_queued"))},
                        {"room", fmt::format("{}", q_.reading.value(sock, "sk_sndbuf"))}});
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
