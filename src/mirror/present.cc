#include "src/mirror/present.hh"

#include <sched.h>

#include "src/mirror/replay.hh"

namespace wakepath::mirror {

namespace {

constexpr std::size_t kMostUnread = 65536;

void look_at_pipe(int read_end, int write_end, Present& present) {
  const auto held = os::held_in_pipe(read_end);
  if (held) {
    present.in_pipes[write_end] = *held;
  } else {
    for (const int fd : {read_end, write_end}) present.unknown[fd] = "a pipe that held what could not be looked at";
  }
}

void look_at_connection(int fd, Present& present) {
  auto seen = os::sight_of_connection(fd, kMostUnread);
  if (!seen) {
    present.unknown[fd] = "a connection that was coming to its end when the mirror was turned on";
  } else if (!seen->writable) {
    present.unknown[fd] = "a connection whose send buffer was full when the mirror was turned on";
  } else {
    present.connections.push_back(std::move(*seen));
  }
}

}  // namespace

Present present_of(os::CallLog& log) {
  Present present{.place = log.given()};
  for (os::LogItem item; log.read() < present.place;)
    if (!log.next(item)) sched_yield();  // a writer stands between its ticket and its entry for an instant
  present.origins = log.origins();
  for (const os::LogItem& item : present.origins) {
    if (item.record.call() == os::Call::pipe2)
      look_at_pipe(item.record.output.fds[0], item.record.output.fds[1], present);
    if (item.record.call() == os::Call::accept4 && !item.record.passed_by)
      look_at_connection(static_cast<int>(item.record.result), present);
  }
  present.looked = log.given();
  return present;
}

}  // namespace wakepath::mirror
