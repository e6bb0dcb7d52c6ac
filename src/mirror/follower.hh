#pragma once

#include <atomic>
#include <condition_variable>
#include <cstdint>
#include <mutex>
#include <thread>

#include "src/mirror/mirror.hh"
#include "src/os/call_log.hh"

namespace wakepath::mirror {

/// A thread that follows a log with a mirror while it grows. It is behind by as much as the log holds at most: then
/// those who write wait for it, and nothing is lost. Log and mirror outlive it; the log has no other reader meanwhile.
/// Any thread, but for construction and destruction.
class Follower {
 public:
  Follower(os::CallLog& log, Mirror& mirror);
  ~Follower();  // what has been written is followed; what is written from then on is not, and nobody waits
  Follower(const Follower&) = delete;
  Follower& operator=(const Follower&) = delete;

  /// Waits until everything has been followed that was in the log before.
  void catch_up();
  /// As Mirror's, when the mirror has caught up.
  void consult_all_oracles();

 private:
  void run();
  bool follow_what_there_is(bool no_more);
  /// Runs with the model in step with the machine: nothing is left to follow, and no call that cannot sleep is under
  /// way. False when that is not so.
  template <class Consult>
  bool in_step(Consult consult);

  os::CallLog& log_;
  Mirror& mirror_;
  std::mutex model_;  // held by who uses the mirror
  std::atomic<bool> ending_{false};
  std::mutex lock_;
  std::condition_variable came_further_;
  uint64_t followed_ = 0;  // guarded by lock_
  os::LogItem item_;
  std::thread thread_;  // the last: it uses the others
};

}  // namespace wakepath::mirror
