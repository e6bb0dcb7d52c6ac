// What a call has done that neither read nor waited for several files.
#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <utility>

#include "sim/export/readiness.hh"
#include "sim/export/tcp_rows.hh"
#include "sim/export/why_parts.hh"

namespace wakepath::exports {

namespace {

/// Calls whose sentence follows from their name alone.
std::string_view sentence_of(std::string_view name) {
  using Named = std::pair<std::string_view, std::string_view>;
  static constexpr std::array<Named, 21> kSentences = {{{"socket", "lowest_number"},
                                                        {"epoll_create1", "lowest_number"},
                                                        {"dup", "lowest_number"},
                                                        {"eventfd", "lowest_number"},
                                                        {"timerfd_create", "lowest_number"},
                                                        {"signalfd4", "lowest_number"},
                                                        {"memfd_create", "lowest_number"},
                                                        {"pipe2", "lowest_numbers"},
                                                        {"socketpair", "lowest_numbers"},
                                                        {"dup2", "did_dup2"},
                                                        {"dup3", "did_dup2"},
                                                        {"setrlimit", "did_setrlimit"},
                                                        {"execve", "did_execve"},
                                                        {"bind", "did_bind"},
                                                        {"getsockname", "did_getsockname"},
                                                        {"getpeername", "did_getpeername"},
                                                        {"setsockopt", "did_setsockopt"},
                                                        {"getsockopt", "did_getsockopt"},
                                                        {"lseek", "did_lseek"},
                                                        {"ioctl", "did_ioctl"},
                                                        {"sigprocmask", "did_sigprocmask"}}};
  auto found =
      std::find_if(kSentences.begin(), kSentences.end(), [&](const Named& named) { return named.first == name; });
  return found != kSentences.end() ? found->second : "";
}

class Done {
 public:
  Done(const Question& question, const Return& call, std::vector<WhyLine>& lines)
      : q_(question), trace_(question.history.trace()), call_(call), lines_(lines) {}

  void explain() {
    std::string_view name = call_.call.name;
    if (call_.call.family() == CallFamily::kConnect) return connected();
    if (call_.call.family() == CallFamily::kWrite) return written();
    if (std::string_view id = sentence_of(name); !id.empty())
      return add(id, {{"fd", fmt::format("{}", call_.call.fd())}, {"result", fmt::format("{}", call_.result)}});
    if (name == "listen") return listens();
    if (name == "shutdown") return shut_down();
    if (name == "close") return closed();
    if (name == "epoll_ctl") return controlled();
    if (name == "fcntl") return fcntl();
    if (name == "timerfd_settime") return timer_set();
    if (name == "futex") return futex();
    if (name == "clock_nanosleep") add("slept_enough");
  }

 private:
  void add(std::string_view id, const Places& places = {}, Position at = 0) {
    lines_.push_back(q_.say(id, places, at));
  }
  [[nodiscard]] bool ours(Position at) const { return trace_[at].task == call_.task; }
  [[nodiscard]] const Object* data() const {
    return call_.file == nullptr ? nullptr : q_.reading.target(*call_.file, "private_data");
  }

  void connected() {
    const Object* sock = sock_of(q_.reading, call_.file);
    if (sock == nullptr) return;
    Places places = {{"object", q_.reading.name(sock)}};
    bool forgets = q_.reading.value(*sock, "skc_state") == kClose;
    if (q_.reading.is(sock, "unix_sock")) {
      constexpr std::uint64_t kDatagram = 2;                        // SOCK_DGRAM
      if (q_.reading.value(*sock, "sk_type") != kDatagram) return;  // the rule tells it
      add(q_.reading.target(*sock, "peer") == nullptr ? "peer_forgotten" : "peer_noted", places);
    } else if (forgets) {
      add("peer_forgotten", places);
    } else {
      add(q_.reading.is(sock, "udp_sock") ? "peer_noted" : "connected", places);
    }
  }

  void written() {
    const Object* sock = sock_of(q_.reading, call_.file);
    if (q_.reading.is(sock, "unix_sock")) return into_a_peer(*sock);
    if (q_.reading.is(sock, "udp_sock")) return add("datagram_sent");
    if (sock != nullptr) return add("sent");
    if (q_.reading.is(data(), "pipe_inode_info")) return add("pipe_had_room");
    if (q_.reading.is(data(), "eventfd_ctx"))
      return add("counted_up", {{"count", fmt::format("{}", q_.reading.value(*data(), "count"))}});
    if (call_.file != nullptr) add("file_written");
  }

  /// AF_UNIX: whoever has got a buffer by this call.
  void into_a_peer(const Object& sock) {
    for (Position at = call_.entered; at < call_.at; ++at) {
      const Record& r = trace_[at];
      if (!ours(at) || r.kind != RecordKind::kListInsert) continue;
      const Object& owner = q_.reading.world().objects()[r.object];
      if (!q_.reading.is(&owner, "unix_sock") ||
          trace::member_name(trace_.schema().kinds[owner.kind], r.field) != "sk_receive_queue.list")
        continue;
      return add("unix_delivered", {{"object", q_.reading.name(&owner)}}, at);
    }
    add("unix_nothing_delivered", {{"object", q_.reading.name(&sock)}});
  }

  void listens() {
    const Object* sock = sock_of(q_.reading, call_.file);
    if (sock == nullptr) return;
    std::uint64_t most = q_.reading.value(*sock, "sk_max_ack_backlog") + 1;
    add("did_listen", {{"object", q_.reading.name(sock)}, {"count", fmt::format("{}", most)}});
  }

  void shut_down() {
    const Object* sock = sock_of(q_.reading, call_.file);
    if (sock == nullptr) return;
    static constexpr std::array<const char*, 4> kShut = {"did_shutdown_nothing", "did_shutdown_reading",
                                                         "did_shutdown_sending", "did_shutdown_both"};
    add(kShut.at(q_.reading.value(*sock, "sk_shutdown") & 3), {{"object", q_.reading.name(sock)}});
  }

  void closed() {
    for (Position at = call_.entered; at < call_.at; ++at)
      if (ours(at) && lets_go_last(trace_[at]))
        return add("did_close_last", {{"fd", fmt::format("{}", call_.call.fd())}}, at);
    add("did_close", {{"fd", fmt::format("{}", call_.call.fd())}});
  }

  /// Whether a record takes the last reference from an open file. Its release may come only after the call's return
  /// (Linux 4.19).
  [[nodiscard]] bool lets_go_last(const Record& r) const {
    if (r.kind != RecordKind::kSet || r.after != 0) return false;
    const Object& object = q_.reading.world().objects()[r.object];
    if (!q_.reading.is(&object, "file")) return false;
    return trace_.schema().kinds[object.kind].find_field("f_ref") == r.field;
  }

  void controlled() {
    std::string_view operation = call_.call.argument(1);
    std::string_view id = operation == "EPOLL_CTL_ADD"   ? "did_epoll_add"
                          : operation == "EPOLL_CTL_MOD" ? "did_epoll_mod"
                                                         : "did_epoll_del";
    add(id, {{"fd", std::string(call_.call.argument(2))}, {"epoll", q_.reading.name(data())}});
  }

  void fcntl() {
    std::string_view command = call_.call.argument(1);
    if (command.starts_with("F_DUPFD"))
      return add("lowest_number_from",
                 {{"result", fmt::format("{}", call_.result)}, {"least", std::string(call_.call.argument(2))}});
    add(command.starts_with("F_SET") ? "did_fcntl_set" : "did_fcntl_get");
  }

  void timer_set() {
    if (data() == nullptr) return;
    bool armed = q_.reading.value(*data(), "t.tmr.expires") != 0;
    add(armed ? "did_timer_start" : "did_timer_stop", {{"first", std::string(call_.call.argument(1))}});
  }

  void futex() {
    if (call_.call.argument(1).starts_with("FUTEX_WAKE"))
      return add(call_.result > 0 ? "did_futex_wake" : "did_futex_wake_nobody",
                 {{"count", fmt::format("{}", call_.result)}});
    auto woke = q_.history.last(
        call_.at,
        [&](const Record& r, Position) {
          return r.kind == RecordKind::kWake && static_cast<trace::TaskId>(r.before) == call_.task;
        },
        call_.entered);
    if (woke) add("woke_by", {{"who", q_.whose_doing(*woke)}}, *woke);
  }

  const Question& q_;
  const trace::Trace& trace_;
  const Return& call_;
  std::vector<WhyLine>& lines_;
};

}  // namespace

void why_done(const Question& question, const Return& call, std::vector<WhyLine>& lines) {
  Done(question, call, lines).explain();
}

}  // namespace wakepath::exports
