#include "src/mirror/follower.hh"

#include <sched.h>

namespace wakepath::mirror {

namespace {
constexpr std::size_t kAtOnce = 256;         // entries, then whoever else needs the mirror has a turn
constexpr std::size_t kMostAhead = 200'000;  // entries taken to learn what comes of an event
constexpr int64_t kPatienceNs = 100'000'000;
constexpr int64_t kForEverNs = 3'600'000'000'000;
}  // namespace

Follower::Follower(os::CallLog& log, Mirror& mirror, bool on) : log_(log), mirror_(mirror), wanted_(on), on_(on) {
  log_.turn(on);
  thread_ = std::thread([this] { run(); });
}

Follower::~Follower() {
  catch_up();
  ending_.store(true);
  log_.close();
  log_.wake();
  thread_.join();
}

void Follower::run() {
  bool no_more = false;
  while (!ending_.load()) {
    if (const bool wanted = wanted_.load(); wanted != on_.load()) switch_over(wanted);
    const bool all = follow_what_there_is(no_more);
    no_more = false;
    if (log_.wait(all ? kForEverNs : kPatienceNs)) continue;
    no_more = !all;  // the program is long about its events
  }
}

/// Whether nothing is left.
bool Follower::follow_what_there_is(bool no_more) {
  for (;;) {
    bool more = false;
    bool all = false;
    {
      std::lock_guard hold(model_);
      const bool on = on_.load();
      for (std::size_t i = 0; i < kAtOnce && (more = log_.next(item_)); ++i)
        if (on) mirror_.take(item_);
      all = mirror_.follow((no_more && !more) || mirror_.taken_ahead() > kMostAhead);
      std::lock_guard tell(lock_);
      followed_ = on ? mirror_.followed() : log_.read();
    }
    came_further_.notify_all();
    if (!more || wanted_.load() != on_.load()) {
      if (all && mirror_.wants_to_sample()) in_step([&] { mirror_.sample_oracles(); });
      return all;
    }
  }
}

void Follower::turn(bool on) {
  wanted_.store(on);
  log_.wake();
  std::unique_lock hold(lock_);
  came_further_.wait(hold, [&] { return on_.load() == on || wanted_.load() != on; });
}

void Follower::switch_over(bool on) {
  std::lock_guard hold(model_);
  if (on) {
    Present present;
    log_.turn(true, [&] { present = present_of(log_); });
    mirror_.begin(present);
  } else {
    uint64_t last = 0;
    log_.turn(false, [&] { last = log_.given(); });
    while (log_.read() < last)
      if (log_.next(item_))
        mirror_.take(item_);
      else
        sched_yield();  // a writer stands between its ticket and its entry for an instant
    mirror_.leave("the mirror is turned off");
  }
  std::lock_guard tell(lock_);
  on_.store(on);
  followed_ = log_.read();
  came_further_.notify_all();
}

void Follower::catch_up() {
  const uint64_t wanted = log_.given();
  std::unique_lock hold(lock_);
  came_further_.wait(hold, [&] { return followed_ >= wanted; });
}

template <class Consult>
bool Follower::in_step(Consult consult) {
  std::lock_guard hold(model_);
  if (!on()) return false;
  const os::Gate::Pass pass = log_.outside_pass();
  log_.gate().enter(pass, false);
  const bool is = mirror_.followed() == log_.given();
  if (is) consult();
  log_.gate().leave(pass);
  return is;
}

void Follower::consult_all_oracles() {
  do catch_up();
  while (on() && !in_step([&] { mirror_.consult_all_oracles(); }));
}

}  // namespace wakepath::mirror
