#pragma once

// Models: include/net/inet_hashtables.h and sock_reuseport.h of Linux 6.18: who has a port, and the chains in which a
// segment finds its socket. What is done with them: inet_bind.cc, inet_hash.cc, reuseport.cc.

#include "sim/kernel/sock.hh"

namespace wakepath::kernel {

/// What counts of a socket's own address where two of them may clash.
struct RcvSaddr {
  int family = AF_INET;
  u32 v4 = 0;
  In6 v6;
  bool ipv6only = false;
};

/// include/net/inet_hashtables.h: who has a local port, by address.
struct inet_bind2_bucket {
  record::Field<u16> port;
  record::Field<record::Ipv4> rcv_saddr;
  record::Field<In6> v6_rcv_saddr;
  record::List<inet_connection_sock, &inet_connection_sock::bind_node> owners;
  record::List<tcp_timewait_sock, &tcp_timewait_sock::bind_node> timewait_owners;  ///< In Linux on the same list.
  record::ListNode<inet_bind2_bucket> bhash_node;

  int family = AF_INET;
  static void describe(record::KindBuilder<inet_bind2_bucket>& b);
};

/// include/net/inet_hashtables.h: a local port that somebody has.
struct inet_bind_bucket {
  record::Field<u16> port;
  record::Field<std::int8_t> fastreuse;      ///< < 0: only connect() gave it away. 6.18 never sets it above 0.
  record::Field<std::int8_t> fastreuseport;  ///< The same; 2: who has SO_REUSEPORT may have what fast_saddr stands for.
  record::List<inet_bind2_bucket, &inet_bind2_bucket::bhash_node> bhash2;

  RcvSaddr fast_saddr;
  static void describe(record::KindBuilder<inet_bind_bucket>& b);
};

/// net/core/sock_reuseport.c: sockets that share one port and address (SO_REUSEPORT); each connection or datagram goes
/// to one of them.
struct sock_reuseport {
  record::Field<u16> num_socks;
  record::Field<bool> has_conns;  ///< Some of them are connected.

  std::vector<sock*> socks;
  static void describe(record::KindBuilder<sock_reuseport>& b);
};

/// One chain of the established hash (ehash), or of the listeners' (lhash2). Made at its first use.
struct inet_ehash_bucket {
  record::Field<u32> slot;
  record::List<sock_common, &sock_common::skc_node> chain;
  static void describe(record::KindBuilder<inet_ehash_bucket>& b);
};

}  // namespace wakepath::kernel
