#pragma once

#include <cstddef>
#include <optional>
#include <string>
#include <vector>

#include "src/os/call_record.hh"

/// What the running kernel tells about a descriptor of this process without changing anything (Sight). None of these
/// goes through Os: they are the instrument's own.

namespace wakepath::os {

/// How a connection has ended, or what of it is still to come: state, bytes received, how many of them are unread, and
/// the first `most` of these.
Sight sight_of_end(int fd, size_t most = 65536);
/// How full its send buffer is; `left`: bytes that the kernel did not take.
Sight sight_of_sending(int fd, size_t left);
/// Where it is bound.
Sight sight_of_address(int fd);
/// A connection while nobody reads from it here: what waits to be read, and how much has been read before.
struct ConnectionSight {
  Sight sight;           ///< as sight_of_end()
  uint64_t read = 0;     ///< bytes read of it so far, without the FIN
  bool writable = true;  ///< poll(2)
};
/// Nothing when it is no TCP connection (any more), or its peer did not keep still for long enough.
std::optional<ConnectionSight> sight_of_connection(int fd, size_t most);
/// What a pipe holds (tee(2)): nothing when that cannot be found out, or is more than a scratch pipe takes.
std::optional<std::string> held_in_pipe(int read_end);
/// SO_MEMINFO: whether a blocking send of so much returns without sleep. Memory pressure aside.
bool has_room(int fd, size_t size);

}  // namespace wakepath::os
