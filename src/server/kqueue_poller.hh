#pragma once

#include <array>
#include <cstdint>
#include <memory>
#include <span>

#include "src/server/poller.hh"

/// kqueue(2) of BSD and macOS behind the server's eight verbs.
///
/// What decides anything stands here as plain functions over plain structures, so that it can be tested where there is
/// no kqueue. Only the two system calls themselves wait for such a machine (kqueue_poller.cc).

namespace wakepath::server {

/// The filters that the server uses, and what it needs of struct kevent. A descriptor has one event for each filter,
/// where epoll has one in all.
enum class KFilter : uint8_t { read, write };

struct KEvent {
  int fd = -1;
  KFilter filter = KFilter::read;
  bool eof = false;  ///< EV_EOF: this direction is over
  int error = 0;     ///< EV_EOF: fflags, the socket's error. EV_ERROR: data
  uint64_t key = 0;  ///< udata
};

struct KChange {
  enum class Action : uint8_t { add_enabled, add_disabled, enable, disable, remove };
  int fd = -1;
  KFilter filter = KFilter::read;
  Action action = Action::add_enabled;
  uint64_t key = 0;

  bool operator==(const KChange&) const = default;
};

/// Both filters are registered from the beginning, each enabled or not.
std::array<KChange, 2> changes_to_add(int fd, uint64_t key, bool read, bool write);
std::array<KChange, 2> changes_to_enable(int fd, uint64_t key, bool read, bool write);
std::array<KChange, 2> changes_to_remove(int fd);

/// As epoll would have reported them: one entry for each key, in the order of their first events. Reading comes before
/// writing whatever the order of the filters. End of file is readable (recv returns what is left, then 0); a hang-up is
/// when both directions are over. Returns how many entries of `ready` are filled.
int translate(std::span<const KEvent> events, std::span<Ready> ready);

/// Null where there is no kqueue.
std::unique_ptr<Poller> make_kqueue_poller(os::Os& os);

}  // namespace wakepath::server
