#pragma once

#include <array>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <unordered_map>
#include <utility>
#include <vector>

#include "sim/engine/scheduler.hh"
#include "sim/engine/slot_table.hh"
#include "sim/kernel/eventfd.hh"
#include "sim/kernel/inet_hashtables.hh"
#include "sim/kernel/nic.hh"
#include "sim/kernel/pipe.hh"
#include "sim/kernel/profile.hh"
#include "sim/kernel/select.hh"
#include "sim/kernel/shmem.hh"
#include "sim/kernel/signal.hh"
#include "sim/kernel/signalfd.hh"
#include "sim/kernel/smp.hh"
#include "sim/kernel/sock.hh"
#include "sim/kernel/task_work.hh"
#include "sim/kernel/timerfd.hh"
#include "sim/kernel/unix_sock.hh"
#include "sim/kernel/wire.hh"
#include "sim/record/arena.hh"

/// The modelled machine: everything that its functions share. Passive and deterministic: no threads, no clock, no
/// randomness; all that happens is somebody starting a call, time moving, or a peer's segment arriving.

namespace wakepath::kernel {

/// The modelled functions, by functions.def.
enum class Fn : trace::FunctionId {
#define WP_FUNCTION(name, layer, source, sentence) name,
#include "sim/kernel/functions.def"
#undef WP_FUNCTION
};

/// The named rules, by rules.def.
enum class Rule : std::uint16_t {
#define WP_RULE(name, sentence) name,
#include "sim/kernel/rules.def"
#undef WP_RULE
};

/// The errno of a rule by which a call fails; 0 of any other rule.
constexpr int rule_errno(Rule rule) {
  constexpr int kErrors[] = {
#define WP_RULE(name, sentence) 0,
#define WP_ERROR(name, error, sentence) error,
#include "sim/kernel/rules.def"
#undef WP_RULE
  };
  return kErrors[static_cast<std::size_t>(rule)];
}

/// The deliberate faults, by mutants.def.
enum class Mutant : std::uint8_t {
  none,
#define WP_MUTANT(name, sentence) name,
#include "sim/kernel/mutants.def"
#undef WP_MUTANT
};
struct MutantWords {
  Mutant mutant;
  const char* name;
  const char* sentence;  ///< What is wrong with it on.
};
/// All of them, in the order of mutants.def; without Mutant::none.
const std::vector<MutantWords>& mutants();
std::optional<Mutant> mutant_by_name(std::string_view name);

struct Config {
  bool record = true;
  u64 keep_records = 0;              ///< 0: all; else the trace is a ring of at least the last so many.
  Profile profile = Profile::v6_18;  ///< the version of Linux whose names and order the model has
  std::string compared_with;         ///< what the run is compared with, for its schema; empty: nothing
  // Sysctls by their names; sysctl.cc has them by their whole ones.
  u32 somaxconn = 4096;
  u16 port_low = 32768;  ///< net.ipv4.ip_local_port_range
  u16 port_high = 60999;
  unsigned cpus = 1;
  bool nic = false;         ///< A modelled network card in place of loopback.
  int netdev_budget = 300;  ///< net.core.netdev_budget
  u32 tcp_max_syn_backlog = 2048;
  int tcp_syncookies = 1;  ///< 0: never, 1: when the SYN queue is full, 2: always.
  bool tcp_abort_on_overflow = false;
  int tcp_syn_retries = 6;
  int tcp_synack_retries = 5;
  int tcp_syn_linear_timeouts = 4;
  int tcp_retries2 = 15;
  int tcp_orphan_retries = 0;
  int tcp_fin_timeout = 60;  ///< Seconds, as are the next two.
  int tcp_keepalive_time = 7200;
  int tcp_keepalive_intvl = 75;
  int tcp_keepalive_probes = 9;
  int tcp_tw_reuse = 2;                      ///< 0: never, 1: always, 2: on loopback.
  int tcp_invalid_ratelimit = 500;           ///< ms between two answers to segments that cannot be taken.
  int tcp_challenge_ack_limit = 0x7fffffff;  ///< A second, of the whole machine; the largest: no limit.
  std::array<int, 3> tcp_rmem{4096, 131072, 33554432};
  std::array<int, 3> tcp_wmem{4096, 16384, 4194304};
  u32 tcp_notsent_lowat = 0xffffffff;
  /// How often the send buffer holds the first segments: net.ipv4.tcp_congestion_control's.
  u32 tcp_sndbuf_expand = 2;
  std::size_t rlimit_nofile = 20000;    ///< Where a process has set none of its own; the hard limit, too.
  u64 file_max = ~u64{0};               ///< fs.file-max
  u64 max_user_watches = 1u << 20;      ///< fs.epoll.max_user_watches
  u32 max_dgram_qlen = 10;              ///< net.unix.max_dgram_qlen
  u64 timewait_ns = 60'000 * kNsPerMs;  ///< TCP_TIMEWAIT_LEN
  Mutant mutant = Mutant::none;  ///< A deliberate fault, for the tests of what watches the model; none in earnest.
};

/// A sysctl by its name, such as net.core.somaxconn, from the text that one would write to it. False: the model has no
/// such sysctl, or not with that value. Throws std::invalid_argument for a text that is no value of it.
bool set_sysctl(Config& config, std::string_view name, const std::string& value);

/// include/linux/list.h: the structure that has `inner` as this member.
template <class Outer, class Inner>
Outer* container_of(Inner* inner, Inner Outer::*member) {
  alignas(Outer) static std::byte room[sizeof(Outer)];
  auto* outer = reinterpret_cast<Outer*>(room);
  auto offset = reinterpret_cast<std::byte*>(&(outer->*member)) - room;
  return reinterpret_cast<Outer*>(reinterpret_cast<std::byte*>(inner) - offset);
}

struct futex_q;
class UserHoles;

/// A socket of AF_UNIX on its way in a message (net/unix/garbage.c).
struct unix_edge {
  sock* inflight;
  scm_fp_list* message;
};

/// Schema and layouts of all kinds, made together.
struct KernelKinds {
  trace::Schema schema;
  std::vector<record::Layout> layouts;
  explicit KernelKinds(const Config& config);
};

class Kernel {
  KernelKinds kinds_;  // first: the trace takes its schema
  std::shared_ptr<trace::Trace> trace_;

 public:
  explicit Kernel(const Config& config = {});
  ~Kernel();
  Kernel(const Kernel&) = delete;
  Kernel& operator=(const Kernel&) = delete;

  Config config;
  record::Recorder recorder;
  engine::Scheduler scheduler;

  /// Shared, so that a viewer may keep it longer than the model lives.
  [[nodiscard]] std::shared_ptr<trace::Trace> trace() const { return trace_; }
  [[nodiscard]] u64 now_ns() const { return scheduler.now_ns(); }
  /// The task whose code runs; nullptr in a timer.
  [[nodiscard]] task_struct* current() const {
    const engine::Task* thread = scheduler.current();
    return thread != nullptr ? static_cast<task_struct*>(thread->owner) : nullptr;
  }
  /// Of the CPU whose code runs.
  [[nodiscard]] softnet_data* softnet() const { return softnet_of_cpu[scheduler.cpu()]; }
  [[nodiscard]] bool linux_4_19() const { return config.profile == Profile::v4_19; }
  [[nodiscard]] bool mutant(Mutant which) const { return config.mutant == which; }
  void rule(Rule rule, const void* subject) {
    if (recorder.enabled()) [[unlikely]]
      recorder.rule(static_cast<std::uint16_t>(rule), record::object_of(subject));
  }
  /// Notes the rule by which a call fails. Its errno, negative.
  [[nodiscard]] long error(Rule because, const void* subject) {
    rule(because, subject);
    return -rule_errno(because);
  }

  // --- processes and threads ---
  /// A process with one thread and an empty descriptor table (0, 1 and 2 are on /dev/null).
  task_struct* spawn_process(std::string_view name);
  /// A thread of the same process: it shares the descriptor table.
  task_struct* spawn_thread(std::string_view name, task_struct* of);
  /// A child process with a copy of the descriptor table. nullptr: no memory for that, fork() fails with ENOMEM.
  task_struct* spawn_fork(std::string_view name, task_struct* parent);
  /// A thread of the kernel: it belongs to no process and has no descriptors.
  task_struct* spawn_kthread(std::string_view name);
  /// The task ends; the last one of a process closes its table. Its call, if any, is dropped.
  void exit_task(task_struct* task);

  // --- calls ---
  /// Begins a call on an idle task. Buffers that the call was given must live until it is done.
  void start(task_struct* task, MaySleep<long> call) {
    task->__state = TaskState::TASK_RUNNING;  // a call that was dropped in its sleep left another
    auto whole = linux_4_19() ? run_then_task_work(*this, task, std::move(call)) : std::move(call);
    scheduler.start(*task->thread,
                    runqueues.empty() ? std::move(whole) : run_on_its_cpu(*this, task, std::move(whole)));
  }
  /// Runs until every task sleeps or is idle.
  void run_until_idle() { scheduler.run_until_idle(); }

  // --- the kernel's slabs ---
#define WP_KIND(type, member, name, layer, source, sentence, bytes, is_task) record::Arena<struct type> member;
#include "sim/kernel/kinds.def"
#undef WP_KIND

  /// Memory from one of them, for what can cope without; nullptr when it is this one's turn to fail.
  template <class T>
  [[nodiscard]] T* alloc(record::Arena<T>& slab) {
    return allocation_fails() ? nullptr : slab.make();
  }
  /// For tests: of the allocations that can fail, `n` more succeed, then one fails.
  void fail_allocation_after(u64 n) { fails_after_ = n; }
  /// Whether the failure that was asked for is still to come; then it is called off.
  bool no_allocation_failed() { return std::exchange(fails_after_, std::nullopt).has_value(); }
  /// Asked at every allocation that can fail.
  [[nodiscard]] bool allocation_fails() {
    if (!fails_after_) return false;
    if (*fails_after_ == 0) return no_allocation_failed();
    --*fails_after_;
    return false;
  }

  // --- what the functions share ---
  std::vector<softnet_data*> softnet_of_cpu;
  std::vector<rq*> runqueues;      ///< by CPU; none with one CPU
  nic_adapter* nic = nullptr;      ///< nullptr: loopback is all there is
  task_struct* exiting = nullptr;  ///< whose table is being closed
  std::vector<wire_fault*> wire;   ///< What is wrong with the loopback wire; empty: nothing.
  int bh_disabled = 0;             ///< local_bh_disable() depth
  bool running_timers = false;     ///< expire_timers() is under way
  u64 next_ino = 10000;
  std::vector<const file_system_type*> file_systems;  ///< those that are registered, in order
  vfsmount* shm_mnt = nullptr;                        ///< Mounted at boot, as the next three.
  vfsmount* sock_mnt = nullptr;
  vfsmount* pipe_mnt = nullptr;
  vfsmount* anon_inode_mnt = nullptr;
  inode* anon_inode_inode = nullptr;  ///< of every eventfd, timerfd, signalfd and epoll
  int next_eventfd_id = 0;
  u64 epoll_watches = 0;              ///< of the one user there is
  std::vector<futex_q*> futex_queue;  ///< who waits for a word of user space, in order
  u32 next_futex = 0;
  u32 next_isn = 1000;
  u64 tcp_challenge_timestamp = kForever;  ///< Second of the last challenge ACK, and how many more it allows.
  u32 tcp_challenge_count = 0;
  u64 udp_lrpa_serial = 0;  ///< Of the UDP connection that was entered last.
  /// Where the next search for a port of ip_local_port_range begins, of bind(), connect() and of datagrams; and the
  /// port that the next one takes if it can (0: none).
  u32 bind_port_offset = 0, connect_port_offset = 0, datagram_port_offset = 0;
  u16 wanted_port = 0;
  u64 task_works = 0;                             // how many there are, of all tasks
  std::vector<task_struct*> task_by_id;           // by TaskId
  engine::SlotTable<inet_bind_bucket> bind_hash;  // by port
  engine::SlotTable<inet_ehash_bucket> ehash;
  std::unordered_map<u64, inet_ehash_bucket*> lhash2;     // by port and address, look-up only
  std::unordered_map<u32, std::array<u8, 16>> in6_table;  // by In6, look-up only
  engine::SlotTable<udp_hslot> udp_hash;                  // by port
  std::unordered_map<u64, udp_hslot2*> udp_hash2;         // by port and address, look-up only
  std::unordered_map<std::string, sock*> unix_table;      // by type and name, look-up only
  std::vector<unix_edge> unix_edges;                      // which sockets of AF_UNIX are on their way, in order
  bool unix_gc_scheduled = false;
  u32 unix_autobind_number = 0;
  /// Hears of every packet that goes to the device, as a packet socket does (dev_queue_xmit_nit()); empty: nobody.
  std::function<void(const sk_buff&)> tap;
  UserHoles* user_holes = nullptr;  ///< of the calls that are under way; nullptr: all their buffers are there

 private:
  std::optional<u64> fails_after_;
  task_struct* spawn(std::string_view name, files_struct* files, int tgid);
  void name_symbols();
};

bool signal_pending(const Kernel& k) {
  const task_struct* task = k.current();
  return task != nullptr && task->sigpending;
}

/// A function of the model, from entry to return: stands at its top. `subject` is what it is about; nullptr: nothing.
class Call : public record::Call {
 public:
  Call(Kernel& k, Fn function, const void* subject, const char* file = __builtin_FILE(), int line = __builtin_LINE()) {
    if (k.recorder.enabled()) [[unlikely]]
      begin(k.recorder, static_cast<trace::FunctionId>(function), subject, {file, line});
  }
};

/// What a timer that a structure embeds as `Member` runs when it is due: Body(k, structure). As timer_container_of().
template <auto Member, auto Body>
void timer_of(void* machine, engine::Timer& timer) {
  Body(*static_cast<Kernel*>(machine), container_of(&timer, Member));
}

/// What a call has left to do before it returns to user mode: files that messages held are closed, sockets that nobody
/// can reach are freed.
void exit_to_user_mode(Kernel& k);

/// Bottom halves off and on: softirqs that were raised run in the outermost enable, on the stack of its caller.
void local_bh_disable(Kernel& k);
void local_bh_enable(Kernel& k);
/// TIMER softirq with an expired timer, and with those that are due in the same tick; what they raise runs behind them,
/// before it ends (expire_timers() of kernel/time/timer.c, handle_softirqs()).
void timer_softirq(Kernel& k, Fn timer, const void* subject, const std::function<void()>& body);

/// Interrupt context while it lives.
class HardirqScope : public record::ContextScope {
 public:
  explicit HardirqScope(Kernel& k) : record::ContextScope(k.recorder, trace::Context::kHardirq) {}
};

/// The local timer's interrupt, from entry to return.
class TimerInterrupt {
 public:
  explicit TimerInterrupt(Kernel& k)
      : hardirq_(k),
        entry_(k, Fn::asm_sysvec_apic_timer_interrupt, nullptr),
        handler_(k, Fn::sysvec_apic_timer_interrupt, nullptr) {}

 private:
  HardirqScope hardirq_;
  Call entry_;
  Call handler_;
};

/// The timer interrupt with one expired hrtimer (kernel/time/hrtimer.c): `body` runs in hardirq context.
void hrtimer_interrupt(Kernel& k, Fn timer, const void* subject, const std::function<void()>& body);

/// Softirq context while it lives.
class SoftirqScope : public record::ContextScope {
 public:
  explicit SoftirqScope(Kernel& k) : record::ContextScope(k.recorder, trace::Context::kSoftirq) {}
};

}  // namespace wakepath::kernel
