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
  /// `on`: whether it follows from the first entry on, or not before turn(true); then nothing is in the log yet.
  Follower(os::CallLog& log, Mirror& mirror, bool on = true);
  ~Follower();  // what has been written is followed; what is written from then on is not, and nobody waits
  Follower(const Follower&) = delete;
  Follower& operator=(const Follower&) = delete;

  /// Switches the following on or off, in step with the log. When it is turned on again, the model is brought to where
  /// the descriptors are now: meanwhile calls that cannot sleep wait. Returns when that is done. Not from a call of the
  /// log's.
  void turn(bool on);
  bool on() const { return on_.load(); }
  /// Waits until everything has been followed that was in the log before.
  void catch_up();
  /// As Mirror's, when the mirror has caught up. Nothing while it is off.
  void consult_all_oracles();

 private:
  void run();
  void switch_over(bool on);
  bool follow_what_there_is(bool no_more);
  /// Runs with the model in step with the machine: nothing is left to follow, and no call that cannot sleep is under
  /// way. False when that is not so.
  template <class Consult>
  bool in_step(Consult consult);

  os::CallLog& log_;
  Mirror& mirror_;
  std::mutex model_;  // held by who uses the mirror
  std::atomic<bool> ending_{false};
  std::atomic<bool> wanted_;
  std::atomic<bool> on_;  // changed by the follower's thread, under lock_
  std::mutex lock_;
  std::condition_variable came_further_;
  uint64_t followed_ = 0;  // guarded by lock_
  os::LogItem item_;
  std::thread thread_;  // the last: it uses the others
};

}  // namespace wakepath::mirror
