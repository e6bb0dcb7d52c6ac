// Models: tcp_set_state() of net/ipv4/tcp.c and the edges of RFC 9293, figure 5, with Linux's own (a child is born in
// SYN_RECV out of LISTEN, an aborted socket goes to CLOSE from anywhere).

#include <array>

#include "sim/kernel/kernel.hh"
#include "sim/kernel/tcp.hh"
#include "sim/kernel/tcp_edges.hh"

namespace wakepath::kernel {

namespace {

using enum TcpState;

constexpr std::array kEdges = {
    TcpEdge{CLOSE, LISTEN, "listen()"},
    TcpEdge{CLOSE, SYN_SENT, "connect()"},
    TcpEdge{LISTEN, CLOSE, "close()"},
    TcpEdge{SYN_SENT, SYN_RECV, "SYN without ACK: both open at once"},
    TcpEdge{SYN_SENT, ESTABLISHED, "SYN-ACK"},
    TcpEdge{SYN_SENT, CLOSE, "refused, timed out, closed"},
    TcpEdge{SYN_RECV, ESTABLISHED, "the handshake's last ACK"},
    TcpEdge{SYN_RECV, FIN_WAIT1, "close() before it"},
    TcpEdge{SYN_RECV, CLOSE_WAIT, "the peer's FIN before it"},
    TcpEdge{SYN_RECV, CLOSE, "reset"},
    TcpEdge{ESTABLISHED, FIN_WAIT1, "close() or shutdown(): we end first"},
    TcpEdge{ESTABLISHED, CLOSE_WAIT, "the peer's FIN"},
    TcpEdge{ESTABLISHED, CLOSE, "reset, either way"},
    TcpEdge{FIN_WAIT1, FIN_WAIT2, "our FIN is acknowledged"},
    TcpEdge{FIN_WAIT1, CLOSING, "the peer's FIN crossed ours"},
    TcpEdge{FIN_WAIT1, CLOSE, "reset"},
    TcpEdge{FIN_WAIT2, CLOSE, "on to a time-wait socket, or reset"},
    TcpEdge{CLOSING, CLOSE, "on to a time-wait socket, or reset"},
    TcpEdge{CLOSE_WAIT, LAST_ACK, "we end too"},
    TcpEdge{CLOSE_WAIT, CLOSE, "reset"},
    TcpEdge{LAST_ACK, CLOSE, "our FIN is acknowledged"},
};

/// The same by state: a bit for each that may follow.
constexpr auto kFollowers = [] {
  std::array<u16, 16> followers{};
  for (const TcpEdge& edge : kEdges)
    followers[static_cast<u8>(edge.from)] |= static_cast<u16>(1u << static_cast<u8>(edge.to));
  return followers;
}();

}  // namespace

std::span<const TcpEdge> tcp_edges() { return kEdges; }

bool tcp_edge_is_legal(TcpState from, TcpState to) {
  return (kFollowers[static_cast<u8>(from)] >> static_cast<u8>(to) & 1u) != 0;
}

void tcp_set_state(Kernel& k, sock* sk, TcpState state) {
  TcpState old = tcp_state(sk);
  if (old == state) return;
  Call call(k, Fn::tcp_set_state, sk);
  WP_BUG_ON(&k.recorder, !tcp_edge_is_legal(old, state));
  if (state == CLOSE) {
    inet_unhash(k, sk);
    // a port that bind() asked for stays until the socket is destroyed; one that connect() chose goes now
    if (inet_csk(sk)->icsk_bind_hash != nullptr && (sk->sk_userlocks & SOCK_BINDPORT_LOCK) == 0) inet_put_port(k, sk);
  }
  Call store(k, Fn::inet_sk_state_store, sk);
  sk->common.skc_state = state;
}

}  // namespace wakepath::kernel
