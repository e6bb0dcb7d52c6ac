#pragma once

#include <deque>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "sim/kernel/kernel.hh"
#include "src/mirror/datagrams.hh"
#include "src/mirror/figures.hh"
#include "src/mirror/freedoms.hh"
#include "src/mirror/oracles.hh"
#include "src/mirror/peers.hh"
#include "src/mirror/present.hh"
#include "src/mirror/replay.hh"
#include "src/os/call_log.hh"
#include "src/probe/notes.hh"

namespace wakepath::mirror {

struct MirrorOptions {
  kernel::Config config;              ///< for mutants; port range and descriptor limit are taken from this machine
  double oracle_share = 0.05;         ///< of one CPU's time, for reading oracles; 0: never
  uint64_t max_records = 20'000'000;  ///< then the mirror stops, with a note; a record takes 24 bytes
  uint64_t ring = 0;                  ///< not 0: only the last so many are kept, and `max_records` does not count
};

/// Keeps a modelled kernel in step with a log of calls (src/os/call_log.hh), and compares every answer.
///
/// Each thread has a task of one modelled process. A call that cannot sleep is made on the model at its place in the
/// log; one that may sleep begins in the model where the log has its beginning, sleeps there too, and goes on where the
/// real one has returned. What peers outside the process have done is found out from answers: those of this call and
/// those that follow it (mirror_ahead.cc); it is injected (peers.hh). What the kernel may choose is taken over
/// (freedoms.hh). All other differences are divergences: recorded, counted, and the model goes on.
///
/// The same log gives the same trace, whenever it is read. Used by one thread at a time, but for figures(), status()
/// and trace(); it never throws.
class Mirror final : private probe::Notes {
 public:
  explicit Mirror(const MirrorOptions& options = {});
  ~Mirror() override = default;
  Mirror(const Mirror&) = delete;
  Mirror& operator=(const Mirror&) = delete;

  /// The next of the log. What is in it is swapped for something that can be filled again.
  void take(os::LogItem& item);
  /// Before anything is taken, or after leave(): brings the model to where the log is followed from. What it cannot
  /// have of that is a descriptor that the model does not have.
  void begin(const Present& present);
  /// What the model has of the process is taken away; trace and figures go on. What was taken is followed before.
  void leave(const std::string& why);
  /// Follows what it has taken. An epoll_wait may have to wait until it is known what the program does with its events;
  /// `no_more`: it has to do without. Returns whether nothing is left.
  bool follow(bool no_more);
  std::size_t taken_ahead() const { return ahead_.size(); }
  /// The last entry of the log that has been followed.
  uint64_t followed() const { return followed_; }

  /// Grows while the mirror runs; may be kept longer than the mirror lives.
  std::shared_ptr<trace::Trace> trace() const { return kernel_.trace(); }
  Figures figures() const;
  /// Asks the oracles about a descriptor, or about all. Nothing of the log must be left to follow, and none of its
  /// calls that cannot sleep be under way.
  bool wants_to_sample() const;
  void sample_oracles();
  void consult_all_oracles();
  /// One line: "212 calls checked, 0 divergences".
  std::string status() const;

 private:
  /// A thread of the process, and the call that it is in.
  struct Actor {
    kernel::task_struct* task = nullptr;
    int sleeping_on = -1;                    ///< the descriptor of a call that may sleep and has not returned
    bool started = false;                    ///< in the model
    uint64_t applied_before = ~uint64_t{0};  ///< applied_ when it began; ~0: nobody knows
    bool unsure = false;                     ///< of what had come by then
    os::CallRecord begun;                    ///< what the model's call was started from
    Replay replay;
  };

  // mirror.cc
  Actor& actor_of(const os::CallRecord& record);
  void sync_clock(int64_t now_ns);
  void entering(os::CallRecord& record);
  void returned(const os::CallRecord& record);
  /// The kernel's timers may have been earlier than the model's: fires those due within kTimerSlack until `enough`.
  template <class Enough>
  void let_timers_fire(Enough enough);
  void begin_in_model(Actor& actor, const os::CallRecord& record);
  void apply(Actor& actor, const os::CallRecord& record);
  void compare(Actor& actor, const os::CallRecord& record);
  bool run_in_model(Actor& actor, const os::CallRecord& record);
  void forsake(Actor& actor, const os::CallRecord& record, const std::string& why);
  void know_again(int fd);
  void let_go(Actor& actor, int fd);
  void abandon(Actor& actor);
  void checked();
  void unchecked(const std::string& reason);
  void not_in_sample();
  void diverged(const os::CallRecord& record, const std::string& on_what, long model);
  void stop(const std::string& why);
  template <class Change>
  void change_figures(Change change);

  // mirror_begin.cc
  void establish(const os::CallRecord& record, const std::map<int, std::string>& unknown);
  void establish_in_pipe(int write_end, std::string_view bytes);
  void forget_edges(kernel::eventpoll* ep, int epfd);
  void drop_established(Actor& actor, int fd);
  void run_as(kernel::task_struct* task, kernel::MaySleep<long> call);

  // mirror_calls.cc: what has to be known before the model can answer, and what is known after
  bool sleeps_on_model(const os::CallRecord& record) const;
  bool lacks(const os::CallRecord& record, int fd) const;
  std::string lack(int fd) const;
  std::string why_not_checked(const os::CallRecord& record) const;
  void settle(Actor& actor, const os::CallRecord& record);
  void settle_number(Actor& actor, int fd);
  void settle_descriptors(Actor& actor, const os::CallRecord& record);
  void settle_ports(Actor& actor, const os::CallRecord& record);
  bool leads_outside(const os::CallRecord& record) const;
  void settle_connect(Actor& actor, const os::CallRecord& record);
  void settle_accept(Actor& actor, const os::CallRecord& record);
  void settle_recv(Actor& actor, const os::CallRecord& record);
  void settle_send(Actor& actor, const os::CallRecord& record);
  void end_peer(Peer& peer, const os::CallRecord& record, int fd, const std::string& evidence);
  void settle_waiting(Peer& peer, const os::Sight& sight, const std::string& evidence);
  /// What the descriptor itself has shown of its peer.
  void settle_sight(const Actor& actor, const os::Sight& sight, std::string_view evidence);
  void after(Actor& actor, const os::CallRecord& record);

  // mirror_datagrams.cc
  std::string why_datagram_not_checked(const os::CallRecord& record) const;
  /// False when the call is about no datagram socket.
  bool settle_datagram(Actor& actor, const os::CallRecord& record);
  void settle_datagram_event(Actor& actor, kernel::sock* sk, int fd, uint32_t lacking, const std::string& evidence);

  // mirror_epoll.cc
  /// epoll_wait's or poll's answer without the descriptors that the model does not have; nullopt when there are none in
  /// it.
  std::optional<os::CallRecord> known_events(const os::CallRecord& record) const;
  std::optional<os::CallRecord> known_polled(const os::CallRecord& record) const;
  bool concerns_sample(const os::CallRecord& record) const;
  void settle_epoll(Actor& actor, const os::CallRecord& record);
  void settle_poll(Actor& actor, const os::CallRecord& record);
  /// A descriptor that somebody waits for; `item`: by an epoll, else nullptr.
  struct Watched {
    const kernel::file* file;
    int fd;
    const kernel::epitem* item;
  };
  void settle_event(Actor& actor, const os::CallRecord& record, const Watched& watched, uint32_t events);
  bool explained(const kernel::eventpoll* ep, const os::CallRecord& record) const;
  /// tcp_poll() takes no lock: a reset that another CPU handles meanwhile shows in part of its bits.
  bool half_reset(const Actor& actor, const os::CallRecord& record, long model);
  void settle_order(kernel::eventpoll* ep, const os::CallRecord& record);
  /// Whether the model has all of it and more, less what other threads have taken since it began.
  bool raced(const Actor& actor, const os::CallRecord& record, long model) const;
  void remember_error(const os::CallRecord& record);

  // mirror_ahead.cc: what the log says next
  bool decided(const os::LogItem& item) const;
  void look_ahead();
  const os::CallRecord* last_word_of(int fd) const;
  enum class Fate : uint8_t { unknown, connected, refused, given_up };
  Fate fate_of_connect(int fd) const;
  int other_end_of(const kernel::sock* sk) const;
  void settle_predecessor(Actor& actor, const kernel::Address& from);
  void settle_readable(Peer& peer, kernel::sock* sk, int fd, const std::string& evidence);

  // mirror_oracles.cc
  bool consult_oracle(int fd);

  // mirror_notes.cc
  void noted(const os::LogItem& item);
  void note(const std::string& text) override;

  static inline const std::string kMadeElsewhere = "a descriptor that the model does not have";
  static inline const std::string kNotInSample = "not in the sample";
  /// Standard input, output and error: whatever they are, the model's are something else.
  static std::map<int, std::string> came_with_the_process() {
    return {{0, kMadeElsewhere}, {1, kMadeElsewhere}, {2, kMadeElsewhere}};
  }

  MirrorOptions options_;
  kernel::Kernel kernel_;
  Freedoms freedoms_{kernel_};
  Peers peers_{kernel_, freedoms_};
  Datagrams datagrams_{kernel_, freedoms_};
  std::map<int, Actor> actors_;                        // by os::ThreadInfo::id
  int noting_ = 0;                                     // whose note it is
  std::deque<os::LogItem> ahead_;                      // taken and not followed yet; the first is the one at hand
  std::vector<os::LogItem> spare_;                     // to be filled again
  std::map<int, int> waits_ahead_;                     // entries of epoll_wait among these, by thread
  std::map<int, const os::CallRecord*> next_reading_;  // of these, the first that reads from each descriptor
  bool looked_ahead_ = false;                          // next_reading_ is up to date
  std::map<int, std::string> foreign_ = came_with_the_process();  // descriptors that the model does not have, and why
  std::map<std::pair<int, uint64_t>, int> foreign_keys_;  // what they are registered with: epoll descriptor and data
  std::multimap<int, std::pair<int, uint64_t>> keys_of_;  // the other way round
  Oracles oracles_{peers_, foreign_};
  int64_t next_reading_ns_ = 0;
  int next_fd_ = 0;
  kernel::task_struct* first_ = nullptr;
  int64_t began_ns_ = 0;  // the log's first; 0: nothing has been taken
  std::size_t descriptor_limit_;
  uint64_t steps_ = 0;
  uint64_t applied_ = 0;  // calls applied so far
  uint64_t followed_ = 0;
  std::set<std::pair<uint32_t, uint16_t>> inside_;  // addresses of connections of this process, of those established
  std::map<int, uint64_t> error_taken_;             // by descriptor: the last call that took its error; as applied_
  std::set<int> established_ = {0, 1, 2};           // descriptors from before that are open, as far as is known
  std::set<std::pair<int, int>> edges_before_;  // edge-triggered, epoll and descriptor: told or not, nobody knows yet
  uint64_t looked_ = 0;                         // of Present
  bool data_is_cut_ = false;
  bool stopped_ = false;

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
