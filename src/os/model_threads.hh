#pragma once

#include <atomic>
#include <condition_variable>
#include <cstdint>
#include <deque>
#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <string>
#include <string_view>
#include <thread>
#include <vector>

#include "sim/syscalls/syscalls.hh"
#include "src/os/os.hh"

namespace wakepath::os {

struct ModelOsOptions {
  /// 0: the order of the engine's run queue, first woken first. Any other: whoever runs next is chosen by it among all
  /// who could, so that other seeds give other orders.
  uint64_t schedule_seed = 0;
  uint64_t random_seed = 1;  ///< of Os::random
  /// Places inside a system call where another thread may come in between (engine::Scheduler::preemptible).
  bool preemptible = false;
  /// Virtual time at which a program that still waits counts as stuck.
  uint64_t time_limit_ns = 3'600'000'000'000;
  std::map<std::string, std::vector<SocketAddress>> hosts;  ///< names that Os::resolve knows; ports do not matter
  std::string first_thread = "main";                        ///< its name, and so that of the process
  /// Whether each call is a step of the trace. Not where the steps are somebody else's, in whose kernel the program
  /// runs.
  bool call_is_step = true;
};

/// The threads of a ModelOs: host threads of which exactly one runs, the one that holds the baton. It gives the baton
/// up in call() alone, and runs the engine there itself, until somebody's call has returned: he gets the baton. So no
/// code of the program runs while the engine does, and everything that the baton guards needs no lock of its own.
class ModelThreads {
 public:
  /// The calling thread becomes the machine's first.
  ModelThreads(kernel::Kernel& k, const ModelOsOptions& options);
  /// By the same thread. All others have ended or are made to: see cancel().
  ~ModelThreads();
  ModelThreads(const ModelThreads&) = delete;
  ModelThreads& operator=(const ModelThreads&) = delete;

  /// Makes a system call on the calling thread's task and waits for its return. `name` and `subject` are for reports:
  /// "recv", 7; with recording on it is a step of the trace, which ends when somebody has the baton again. -ECANCELED
  /// when it would sleep and the machine is being taken down.
  long call(const char* name, long subject, kernel::MaySleep<long> call);

  /// The calling thread rests outside of any call until nobody else can run any more, tasks that are none of this
  /// machine's included. No time passes.
  void run_until_quiet();
  /// Writes a note of the calling thread into the trace.
  void note(std::string_view text);

  int start(const std::string& name, std::function<void()> body);
  /// -ESRCH when there is no such thread to join. Waits even when the machine is being taken down.
  int join(int thread);
  ThreadInfo self() const;

  /// From now on no call sleeps: whoever sleeps, or would, hears -ECANCELED.
  void cancel();
  bool cancelled() const { return cancelled_; }
  /// Why the machine gave up by itself, or empty: nobody could run any more (and who waited for what), or the time
  /// limit was reached.
  const std::string& problem() const { return problem_; }
  /// Calls that were made; each was a place where others could run.
  uint64_t calls() const { return calls_; }
  kernel::task_struct* first_task() const { return threads_.front()->task; }

 private:
  struct Thread {
    int id = 0;
    std::string name;
    kernel::task_struct* task = nullptr;
    const char* doing = "";  // the name of its call, and what that is about
    long subject = 0;
    bool in_call = false;
    long result = 0;
    bool joined = false;
    std::atomic<uint32_t> running{1};  // joiners wait for 0 as for a futex
    std::condition_variable turn;
    std::thread host;
  };
  struct Here;  // what a host thread knows of itself

  Thread& here() const;
  Thread& add(const std::string& name, kernel::task_struct* task);
  void begin_step(const Thread& thread, const char* name, long subject);
  void end_step();
  void run(Thread& thread, std::function<void()> body);
  Thread& next();
  Thread* run_engine(size_t choice);
  void settle();
  bool pass_time();
  void give_up(std::string why);
  void drop(Thread& thread);
  void give_baton(Thread& to);
  void wait_for_baton(Thread& thread);
  size_t choose(size_t count);
  std::string who_waits() const;

  kernel::Kernel& k_;
  ModelOsOptions options_;
  uint64_t choices_;  // state of the generator
  std::vector<std::unique_ptr<Thread>> threads_;
  std::vector<Thread*> of_task_;   // by TaskId
  std::deque<Thread*> returned_;   // their calls are done, in order; they wait for the baton
  Thread* wants_quiet_ = nullptr;  // gets the baton when nobody can run
  bool cancelled_ = false;
  uint64_t calls_ = 0;
  uint64_t calls_since_cancel_ = 0;
  std::string problem_;

  std::mutex baton_lock_;
  Thread* holder_;  // under baton_lock_
  std::unique_ptr<Here> first_;
};

/// SplitMix64 (Steele, Lea, Flood 2014): the next number of a seed's sequence.
uint64_t next_random(uint64_t& state);

}  // namespace wakepath::os
