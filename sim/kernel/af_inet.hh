#pragma once

// What the sockets of AF_INET and AF_INET6 have in common: net/ipv4/af_inet.c, Linux 6.18.

#include "sim/kernel/sock_core.hh"

namespace wakepath::kernel {

MaySleep<long> inet_stream_connect(Kernel& k, struct socket* socket, const Address& address, int flags);
MaySleep<long> inet_dgram_connect(Kernel& k, struct socket* socket, const Address& address, int flags);
MaySleep<long> inet_accept(Kernel& k, struct socket* socket, struct socket* newsock, int flags);
MaySleep<long> sock_no_accept(Kernel& k, struct socket* socket, struct socket* newsock, int flags);
long inet_getname(Kernel& k, struct socket* socket, Address* out, NameOf whose);
long inet_listen(Kernel& k, struct socket* socket, int backlog);
long sock_no_listen(Kernel& k, struct socket* socket, int backlog);
long inet_shutdown(Kernel& k, struct socket* socket, int how);
long sock_common_setsockopt(Kernel& k, struct socket* socket, int level, int option, OptionValue value);
long sock_common_getsockopt(Kernel& k, struct socket* socket, int level, int option, std::vector<int>* value);
MaySleep<long> inet_sendmsg(Kernel& k, struct socket* socket, OutMessage& message);
MaySleep<long> inet_recvmsg(Kernel& k, struct socket* socket, InMessage& message);
void inet_release(Kernel& k, struct socket* socket);

/// struct inet_protosw: what stands behind a type and a protocol of a family.
struct inet_protosw {
  int type;
  int protocol;
  const proto* prot;
  const proto_ops* ops;
};
/// The protocol half of a new socket, by the family's table.
long inet_create_from(Kernel& k, struct socket* socket, int family, int protocol,
                      std::span<const inet_protosw> protocols);

/// One end of a connection as an address of the socket's family.
Address inet_name(const Kernel& k, const sock_common& c, bool peer);

}  // namespace wakepath::kernel
