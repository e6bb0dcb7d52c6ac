#pragma once

// Groups of sockets with SO_REUSEPORT: net/core/sock_reuseport.c, Linux 6.18. What is left out stands at the top of
// reuseport.cc.

#include "sim/kernel/ip.hh"

namespace wakepath::kernel {

/// Into the group of `other` (made if there is none); `other` nullptr: a group of its own.
long reuseport_add_sock(Kernel& k, sock* sk, sock* other);
void reuseport_detach_sock(Kernel& k, sock* sk);
/// The member of the socket's group that gets a packet; nullptr: no group, or none that is not connected.
sock* reuseport_select_sock(Kernel& k, sock* sk, u32 hash);
/// Mixes the four numbers of a packet.
u32 inet_ehashfn(const inet_flow& flow);

}  // namespace wakepath::kernel
