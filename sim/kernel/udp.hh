#pragma once

// The functions of UDP, by the files of Linux 6.18 that have them. What each file leaves out stands at the top of its
// .cc.

#include "sim/kernel/ip.hh"
#include "sim/kernel/sock_core.hh"

namespace wakepath::kernel {

extern const proto udp_prot;

// --- net/ipv4/udp.c, the user's side: udp.cc ---
/// Which events are there now. Changes nothing.
poll_t udp_events(const sock* sk);
poll_t udp_poll(Kernel& k, struct file* file, struct socket* socket, poll_table* table);
MaySleep<long> udp_sendmsg(Kernel& k, sock* sk, OutMessage& message);
long __ip4_datagram_connect(Kernel& k, sock* sk, const Address& to);
/// SIOCINQ: bytes of the first datagram; -1: there is none. Moves what has come into the reader's queue.
int first_packet_length(Kernel& k, sock* sk);
/// Gives back the memory of what was read, at once or when enough of it has come together.
void udp_rmem_release(Kernel& k, sock* sk, int size, bool partial);

// --- datagrams that grow: udp_cork.cc ---
/// Does the socket keep a datagram that waits for more, or does this message begin one?
bool udp_corks(const sock* sk, const OutMessage& message);
/// Where a datagram goes that waits for more: fixed when it was begun.
struct UdpCork {
  int family = AF_INET;
  rtable route;  ///< of IPv4
  In6 daddr6;    ///< of IPv6
  u16 dport = 0;
};
/// Adds the message to the datagram that waits, or begins one; sends it unless there is more to come. The message's
/// size or an error.
long udp_append(Kernel& k, sock* sk, const OutMessage& message, const UdpCork& cork);
/// The datagram that waits is dropped.
void udp_flush_pending_frames(Kernel& k, sock* sk);
/// Fills in inet->cork.fl. connect() over IPv4 looks its route up there, even in vain, so what is corked goes to the
/// new peer, too. (That of IPv6 has a place of its own: net/ipv4/datagram.c and net/ipv6/datagram.c.)
void udp_set_flow(sock* sk, u32 saddr, u32 daddr, u16 dport);
long udp_setsockopt(Kernel& k, sock* sk, int option, OptionValue value);
long udp_getsockopt(Kernel& k, sock* sk, int option, std::vector<int>* value);

// --- inet_ioctl.cc: SIOCINQ (FIONREAD) and SIOCOUTQ ---
long udp_ioctl(Kernel& k, sock* sk, unsigned command, int* argument);

// --- ports and look-up: udp_hash.cc ---
long udp_lib_get_port(Kernel& k, sock* sk, u16 port);
void udp_lib_unhash(Kernel& k, sock* sk);
/// The socket is connected, from an address of its own: it comes into the chain of that pair of ends, unless it is in
/// one already.
void udp_lib_hash4(Kernel& k, sock* sk);
/// The socket's own address has changed.
void udp_lib_rehash(Kernel& k, sock* sk);
/// The socket that a datagram is for; nullptr.
sock* __udp4_lib_lookup(Kernel& k, const inet_flow& flow);
sock* __udp6_lib_lookup(Kernel& k, const inet_flow& flow);
/// The sockets of a local port, or nullptr.
udp_hslot* udp_hashslot(Kernel& k, u16 port);

// --- the way up: udp_rcv.cc ---
void udp_rcv(Kernel& k, sk_buff* skb);
/// A packet that we have sent found no socket.
void udp_err(Kernel& k, const inet_flow& quote);

}  // namespace wakepath::kernel
