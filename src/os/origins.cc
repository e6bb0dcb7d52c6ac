#include "src/os/origins.hh"

#include <fcntl.h>
#include <sys/epoll.h>

#include <algorithm>
#include <tuple>
#include <utility>

#include "src/os/call_record.hh"

namespace wakepath::os {

namespace {

constexpr size_t kLong = 24;  // a life of more calls is looked through for those that later ones have replaced

Call call_of(const LogEntry& entry) { return static_cast<Call>(entry.kind); }

/// Calls with the same replace one another: a registration with the same epoll, an option of the same name.
std::tuple<uint8_t, int, int> place_of(const LogEntry& entry) {
  if (call_of(entry) == Call::epoll_ctl) return {entry.kind, entry.a, 0};
  return {entry.kind, entry.b, call_of(entry) == Call::setsockopt ? entry.c : 0};
}

bool replaces(const LogEntry& entry) {
  const Call call = call_of(entry);
  return call == Call::epoll_ctl || call == Call::setsockopt || call == Call::fcntl || call == Call::shutdown;
}

/// The descriptors that a call makes or changes.
std::vector<int> subjects(const LogEntry& entry) {
  switch (call_of(entry)) {
    case Call::socket:
    case Call::accept4:
    case Call::epoll_create1:
      return {static_cast<int>(entry.result)};
    case Call::pipe2:
      return {entry.b, entry.c};
    case Call::epoll_ctl:
      return {entry.c};
    default:
      return {entry.a};
  }
}

}  // namespace

bool Origins::may_concern(const LogEntry& entry) {
  switch (call_of(entry)) {
    case Call::connect:
    case Call::fcntl:
    case Call::socket:
    case Call::accept4:
    case Call::epoll_create1:
    case Call::pipe2:
    case Call::bind:
    case Call::listen:
    case Call::setsockopt:
    case Call::shutdown:
    case Call::epoll_ctl:
    case Call::close:
      return true;
    default:
      return false;
  }
}

bool Origins::concerns(const LogEntry& entry) {
  if (!may_concern(entry)) return false;
  switch (call_of(entry)) {
    case Call::connect:
      return true;  // EINPROGRESS as well
    case Call::fcntl:
      return entry.result >= 0 && entry.b == F_SETFL;
    default:
      return entry.result >= 0;
  }
}

void Origins::add(const StoredEntry& stored, uint64_t oldest) {
  std::lock_guard hold(lock_);
  while (!ended_.empty() && ended_.front().ticket < oldest) ended_.pop_front();
  for (const int fd : subjects(stored.entry)) {
    if (call_of(stored.entry) == Call::close) {
      if (const auto life = lives_.find(fd); life != lives_.end()) {
        ended_.push_back({stored.entry.ticket, std::move(life->second)});
        lives_.erase(life);
      }
      continue;
    }
    Life& life = lives_[fd];
    life.push_back(stored);
    if (life.size() > kLong) condense(life, oldest);
  }
}

/// What a later call has replaced before `oldest` is not needed any more.
void Origins::condense(Life& life, uint64_t oldest) {
  std::map<std::tuple<uint8_t, int, int>, uint64_t> last;
  for (const StoredEntry& stored : life)
    if (replaces(stored.entry) && stored.entry.ticket < oldest) last[place_of(stored.entry)] = stored.entry.ticket;
  std::erase_if(life, [&](const StoredEntry& stored) {
    return replaces(stored.entry) && stored.entry.ticket < oldest &&
           stored.entry.ticket != last[place_of(stored.entry)];
  });
  for (StoredEntry& stored : life)  // what it changed is gone
    if (call_of(stored.entry) == Call::epoll_ctl && stored.entry.b == EPOLL_CTL_MOD &&
        stored.entry.ticket == last[place_of(stored.entry)])
      stored.entry.b = EPOLL_CTL_ADD;
}

std::vector<StoredEntry> Origins::before(uint64_t ticket, bool ended) const {
  std::lock_guard hold(lock_);
  std::map<uint64_t, StoredEntry> found;  // a pipe's call belongs to both its ends
  const auto take = [&](const Life& life) {
    for (const StoredEntry& stored : life)
      if (stored.entry.ticket < ticket) found.emplace(stored.entry.ticket, stored);
  };
  for (const auto& [fd, life] : lives_) take(life);
  for (const Ended& gone : ended_)
    if (ended && gone.ticket >= ticket) take(gone.life);
  std::vector<StoredEntry> all;
  for (auto& [unused, stored] : found) all.push_back(std::move(stored));
  return all;
}

}  // namespace wakepath::os
