#pragma once

#include <cstddef>
#include <vector>

#include "src/os/call_record.hh"

/// What the running kernel tells about a descriptor of this process without changing anything (Sight). None of these
/// goes through Os: they are the instrument's own.

namespace wakepath::os {

/// How a connection has ended, or what of it is still to come: state, bytes received and unread, of these at most
/// `most`.
Sight sight_of_end(int fd, size_t most = 65536);
/// How full its send buffer is; `left`: bytes that the kernel did not take.
Sight sight_of_sending(int fd, size_t left);
/// Where it is bound.
Sight sight_of_address(int fd);
/// SO_MEMINFO: whether a blocking send of so much returns without sleep. Memory pressure aside.
bool has_room(int fd, size_t size);

}  // namespace wakepath::os
