#pragma once

#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <set>
#include <string>
#include <thread>
#include <utility>

#include "sim/kernel/kernel.hh"
#include "src/mirror/figures.hh"
#include "src/mirror/freedoms.hh"
#include "src/mirror/gate.hh"
#include "src/mirror/oracles.hh"
#include "src/mirror/peers.hh"
#include "src/mirror/replay.hh"
#include "src/os/call_record.hh"
#include "src/probe/notes.hh"

namespace wakepath::mirror {

struct MirrorOptions {
  kernel::Config config;              ///< for mutants; port range and descriptor limit are taken from this machine
  double oracle_share = 0.05;         ///< of one CPU's time, for reading oracles; 0: never
  uint64_t max_records = 20'000'000;  ///< then the mirror stops, with a note; a record takes 24 bytes
  uint64_t ring = 0;                  ///< not 0: only the last so many are kept, and `max_records` does not count
};

/// Keeps a modelled kernel in step with the calls of a RecordedOs, and compares every answer.
///
/// Each thread has a task of one modelled process. A call that cannot sleep is made on the model when it has returned,
/// before any other such call begins; one that may sleep begins in the model when it begins in earnest, sleeps there
/// too, and goes on when the real one has returned. What peers outside the process have done is found out from
/// the answers and from the descriptors themselves (evidence.hh) and injected (peers.hh). What the kernel may choose is
/// taken over (freedoms.hh). All other differences are divergences: recorded, counted, and the model goes on.
///
/// Any thread; it never throws. A call waits for another one's system call for Gate::kPatienceMs at most, and for the
/// model's own work as long as that takes.
class Mirror final : public os::CallObserver, public probe::Notes {
 public:
  explicit Mirror(const MirrorOptions& options = {});
  ~Mirror() override = default;
  Mirror(const Mirror&) = delete;
  Mirror& operator=(const Mirror&) = delete;

  void entering(os::CallRecord& record) override;
  void returned(os::CallRecord& record) override;

  /// Grows while the mirror runs; may be kept longer than the mirror lives.
  std::shared_ptr<trace::Trace> trace() const { return kernel_.trace(); }
  Figures figures() const;
  /// Asks every oracle about every descriptor, now. They are also asked one by one as calls return.
  void consult_all_oracles();
  /// One line: "212 calls checked, 0 divergences".
  std::string status() const;

 private:
  /// A thread of the process, and the call that it is in.
  struct Actor {
    kernel::task_struct* task = nullptr;
    Gate::Pass pass = 0;          ///< 0: this call does not hold the gate
    int sleeping_on = -1;         ///< the descriptor of a call that may sleep and does not hold the gate
    bool started = false;         ///< in the model
    uint64_t applied_before = 0;  ///< applied_ when it began
    Replay replay;
  };

  // mirror.cc
  Actor& actor_of(int thread, const std::string& name);
  void sync_clock();
  /// The kernel's timers may have been earlier than the model's: fires those due within kTimerSlack until `enough`.
  template <class Enough>
  void let_timers_fire(Enough enough);
  void begin_in_model(Actor& actor, const os::CallRecord& record);
  void apply(Actor& actor, const os::CallRecord& record);
  void compare(Actor& actor, const os::CallRecord& record);
  void abandon(Actor& actor);
  void checked();
  void unchecked(const std::string& reason);
  void diverged(const os::CallRecord& record, const std::string& on_what, long model);
  void stop(const std::string& why);
  template <class Change>
  void change_figures(Change change);

  // mirror_calls.cc: what has to be known before the model can answer, and what is known after
  bool sleeps_on_model(const os::CallRecord& record) const;
  bool holds_gate(const os::CallRecord& record) const;
  bool lacks(const os::CallRecord& record, int fd) const;
  std::string why_not_checked(const os::CallRecord& record) const;
  void settle(Actor& actor, const os::CallRecord& record);
  void settle_descriptors(Actor& actor, const os::CallRecord& record);
  void settle_ports(Actor& actor, const os::CallRecord& record);
  void settle_accept(Actor& actor, const os::CallRecord& record);
  void settle_recv(Actor& actor, const os::CallRecord& record);
  void settle_send(Actor& actor, const os::CallRecord& record);
  void end_peer(Peer& peer, int fd, const std::string& evidence);
  /// What the descriptor itself shows of its peer, if that does not change the order of a ready list.
  void look(Actor& actor, int fd, std::string_view evidence);
  void after(Actor& actor, const os::CallRecord& record);

  // mirror_epoll.cc
  /// epoll_wait's answer without the descriptors that the model does not have; nullopt when there are none in it.
  std::optional<os::CallRecord> known_events(const os::CallRecord& record) const;
  void settle_epoll(Actor& actor, const os::CallRecord& record);
  void settle_event(Actor& actor, const kernel::epitem* item, uint32_t events, const std::string& evidence);
  bool explained(const kernel::eventpoll* ep, const os::CallRecord& record) const;
  /// tcp_poll() takes no lock: a reset that another CPU handles meanwhile shows in part of its bits.
  bool half_reset(const Actor& actor, const os::CallRecord& record, long model);
  void settle_order(kernel::eventpoll* ep, const os::CallRecord& record);

  // mirror_oracles.cc
  void sample_oracles();
  bool consult_oracle(int fd);

  // mirror_probe.cc
  void note(const std::string& text) override;

  mutable Gate gate_;  // guards all below but the figures
  MirrorOptions options_;
  kernel::Kernel kernel_;
  Freedoms freedoms_{kernel_};
  Peers peers_{kernel_, freedoms_};
  std::map<int, Actor> actors_;  // by os::ThreadInfo::id
  std::map<std::thread::id, Actor*> by_thread_;
  std::set<int> foreign_;                            // descriptors that the model does not have
  std::set<std::pair<int, uint64_t>> foreign_keys_;  // what they are registered with: epoll descriptor and data
  Oracles oracles_{peers_, foreign_};
  int64_t next_reading_ns_ = 0;
  int next_fd_ = 0;
  kernel::task_struct* first_ = nullptr;
  int64_t began_ns_ = 0;
  uint64_t steps_ = 0;
  uint64_t applied_ = 0;  // calls applied so far
  std::atomic<bool> stopped_{false};

  mutable std::mutex figures_lock_;
  Figures figures_;
};

template <class Change>
void Mirror::change_figures(Change change) {
  std::lock_guard hold(figures_lock_);
  change(figures_);
}

template <class Enough>
void Mirror::let_timers_fire(Enough enough) {
  // A timer of the model is armed when a call is applied, later than the kernel's; and the kernel's wheel has a grain
  // of up to 10 ms (HZ 100).
  constexpr uint64_t kTimerSlack = 30'000'000;
  const uint64_t limit = kernel_.now_ns() + kTimerSlack;
  while (!enough()) {
    const auto next = kernel_.scheduler.next_deadline();
    if (!next || *next > limit) return;
    freedoms_.took(Freedom::time);
    kernel_.scheduler.advance_clock_to(*next);
  }
}

}  // namespace wakepath::mirror
