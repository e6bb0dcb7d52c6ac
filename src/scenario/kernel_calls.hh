#pragma once

#include <sys/socket.h>

#include "src/scenario/machine.hh"

namespace wakepath::scenario {

/// Makes the system call in the calling thread, past libc, so that /proc/TID/syscall shows just that call.
Outcome perform(const Request& request);

/// The number under which /proc shows a thread that sleeps in the call.
long syscall_number(Call call);

/// Conversions between our addresses and the kernel's.
socklen_t to_sockaddr(const Address& address, sockaddr_storage& out);
Address from_sockaddr(const sockaddr_storage& in, socklen_t size);

}  // namespace wakepath::scenario
