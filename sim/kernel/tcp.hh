#pragma once

// The functions of TCP and of the layers below it, by the files of Linux 6.18 that have them. What each file leaves out
// stands at the top of its .cc.

#include "sim/kernel/ip.hh"
#include "sim/kernel/sock_core.hh"

namespace wakepath::kernel {

extern const proto tcp_prot;

// --- sequence numbers, include/net/tcp.h ---
inline bool before(u32 a, u32 b) { return static_cast<std::int32_t>(a - b) < 0; }
inline bool after(u32 a, u32 b) { return before(b, a); }

// --- net/ipv4/inet_hashtables.c: inet_hash.cc ---
// --- net/ipv4/inet_connection_sock.c: inet_bind.cc ---
/// bind(2)'s part: a port for the socket; 0 asks for any. 0 or -EADDRINUSE.
long inet_csk_get_port(Kernel& k, sock* sk, u16 port);
void inet_put_port(Kernel& k, sock* sk);
/// Makes the socket an owner of a port, without asking the others.
void inet_bind_hash(Kernel& k, sock* sk, u16 port);
/// The socket's own address has changed: to the bucket of the new one.
void inet_bhash2_update_saddr(Kernel& k, sock* sk);
/// The buckets of a socket, for what stays of it in TIME_WAIT.
void inet_twsk_bind_node_add(tcp_timewait_sock* tw, sock* sk);
void inet_twsk_bind_unhash(Kernel& k, tcp_timewait_sock* tw);
/// Do this socket's packets travel over IPv6? Not when its peer is an IPv4-mapped address.
bool speaks_v6(const sock_common* c);
/// The key of a port and an address; "::" and 0.0.0.0 have the same, and so have an IPv4 address and its mapped one.
u64 portaddr_key(u16 port, u32 address);
u64 portaddr_key(u16 port, In6 address);
u64 portaddr_key(const sock_common& c);
/// Has somebody this port who asked for it by bind()?
bool inet_port_is_bound(const Kernel& k, u16 port);
/// The next port of net.ipv4.ip_local_port_range.
u16 next_ephemeral(Kernel& k);
/// Do the sockets share a local address? `match_wildcard`: one that is bound to any address shares it with all.
bool inet_rcv_saddr_equal(const sock_common& a, const sock_common& b, bool match_wildcard);
/// An ephemeral port, and into ehash. 0 or -EADDRNOTAVAIL.
long __inet_hash_connect(Kernel& k, sock* sk);
void inet_hash(Kernel& k, sock* sk);
void inet_unhash(Kernel& k, sock* sk);
void ehash_insert(Kernel& k, sock_common* entry);
void ehash_remove(Kernel& k, sock_common* entry);
/// The socket, request or time-wait socket of a segment, by all four numbers; then a listener; nullptr.
sock_common* __inet_lookup_established(Kernel& k, const inet_flow& flow);
sock* inet_lookup_listener(Kernel& k, const inet_flow& flow);

// --- state: tcp_state.cc ---
/// The one place where a TCP socket changes its state. BUG on an edge that the table below does not have.
void tcp_set_state(Kernel& k, sock* sk, TcpState state);
bool tcp_edge_is_legal(TcpState from, TcpState to);
inline TcpState tcp_state(const sock* sk) { return sk->common.skc_state; }

// --- net/ipv4/tcp_ipv4.c, tcp_output.c (connecting): tcp_connect.cc ---
long tcp_v4_connect(Kernel& k, sock* sk, const Address& to);
int tcp_rcv_synsent_state_process(Kernel& k, sock* sk, sk_buff* skb);

// --- listening: tcp_listen.cc ---
long inet_csk_listen_start(Kernel& k, sock* sk);
void inet_csk_listen_stop(Kernel& k, sock* sk);
void tcp_conn_request(Kernel& k, sock* listener, sk_buff* skb);
/// A segment for a half-open request. The child that takes the segment, or nullptr.
sock* tcp_check_req(Kernel& k, sock* listener, sk_buff* skb, tcp_request_sock* req);
void tcp_child_process(Kernel& k, sock* parent, sock* child, sk_buff* skb);
MaySleep<sock*> inet_csk_accept(Kernel& k, sock* sk, int flags, long* error);
bool sk_acceptq_is_full(const sock* sk);

// --- net/ipv4/tcp_input.c, tcp_ipv4.c: tcp_rcv.cc, tcp_input.cc, tcp_ack.cc ---
void tcp_v4_rcv(Kernel& k, sk_buff* skb);
void tcp_v4_do_rcv(Kernel& k, sock* sk, sk_buff* skb);
void tcp_rcv_established(Kernel& k, sock* sk, sk_buff* skb);
/// Non-zero: the caller answers with a reset. Takes the segment.
int tcp_rcv_state_process(Kernel& k, sock* sk, sk_buff* skb);
void tcp_data_queue(Kernel& k, sock* sk, sk_buff* skb);
/// Header prediction's branch for data: the ACK goes out before the reader is told.
void tcp_rcv_fast(Kernel& k, sock* sk, sk_buff* skb);
void tcp_reset(Kernel& k, sock* sk);
/// False: the segment's ACK is not acceptable.
bool tcp_ack(Kernel& k, sock* sk, sk_buff* skb);
void tcp_data_snd_check(Kernel& k, sock* sk);
void tcp_ack_snd_check(Kernel& k, sock* sk);
void __tcp_ack_snd_check(Kernel& k, sock* sk);
void tcp_event_data_recv(Kernel& k, sock* sk, const sk_buff* skb);
void tcp_data_ready(Kernel& k, sock* sk);
bool tcp_epollin_ready(const sock* sk, int target);
void inet_csk_schedule_ack(sock* sk);
void inet_csk_enter_pingpong_mode(sock* sk);

// --- net/ipv4/tcp_output.c: tcp_output.cc ---
constexpr u32 kTcpMss = 65483;  ///< On loopback (mtu 65536) with timestamps.
/// `clone`: the segment stays on a queue of ours, a copy travels.
void __tcp_transmit_skb(Kernel& k, sock* sk, sk_buff* skb, bool clone);
void tcp_send_ack(Kernel& k, sock* sk);
void tcp_send_delayed_ack(Kernel& k, sock* sk);
void tcp_send_fin(Kernel& k, sock* sk);
void tcp_send_active_reset(Kernel& k, sock* sk);
/// A segment that carries nothing, from before the window: its receiver must answer with what it has.
void tcp_xmit_probe_skb(Kernel& k, sock* sk);
/// Sends what window and Nagle allow.
void __tcp_push_pending_frames(Kernel& k, sock* sk, bool push);
u32 tcp_select_window(Kernel& k, sock* sk);
u32 __tcp_select_window(const sock* sk);
u32 tcp_receive_window(const sock* sk);
u32 tcp_current_mss(const sock* sk);
/// A bare segment that belongs to no full socket: answers of the tables (SYN-ACK, RST, time-wait's ACK).
struct BareSegment {
  Address from, to;
  u32 seq, ack, window;
  tcp_flags flags;
};
sk_buff* make_bare_segment(Kernel& k, const BareSegment& segment);
void tcp_v4_send_reset(Kernel& k, const sk_buff* skb);

// --- inet_ioctl.cc: SIOCINQ (FIONREAD) and SIOCOUTQ ---
long tcp_ioctl(Kernel& k, sock* sk, unsigned command, int* argument);

// --- timers: tcp_timer.cc ---
void tcp_reset_xmit_timer(Kernel& k, sock* sk);
/// Data waits, the peer's window is closed and nothing is under way: somebody has to ask for the window.
void tcp_check_probe_timer(Kernel& k, sock* sk);
void tcp_clear_retrans(Kernel& k, sock* sk);
void inet_csk_clear_xmit_timers(Kernel& k, sock* sk);
void tcp_arm_delack(Kernel& k, sock* sk, u64 delay_ns);
void tcp_reset_keepalive_timer(Kernel& k, sock* sk, u64 delay_ns);
void tcp_init_timers(Kernel& k, sock* sk);
/// What a new TCP socket starts with.
int tcp_init_sock(Kernel& k, sock* sk);

// --- net/ipv4/tcp.c, tcp_minisocks.c (ending): tcp_close.cc ---
void tcp_close(Kernel& k, sock* sk);
void tcp_shutdown(Kernel& k, sock* sk, int how);
void tcp_done(Kernel& k, sock* sk);
void tcp_done_with_error(Kernel& k, sock* sk, int error);
long tcp_disconnect(Kernel& k, sock* sk);
void inet_csk_destroy_sock(Kernel& k, sock* sk);
void tcp_time_wait(Kernel& k, sock* sk, TcpState substate);
void inet_twsk_kill(Kernel& k, tcp_timewait_sock* tw);
/// A segment for a time-wait socket. True: the segment opens a new connection, to be given to the listener.
bool tcp_timewait_rcv(Kernel& k, tcp_timewait_sock* tw, sk_buff* skb);

// --- net/ipv4/tcp.c (the user's side): tcp_user.cc ---
MaySleep<long> tcp_sendmsg(Kernel& k, sock* sk, OutMessage& message);
MaySleep<long> tcp_recvmsg(Kernel& k, sock* sk, InMessage& message);
/// Which events are there now. Changes nothing.
poll_t tcp_events(const sock* sk);
poll_t tcp_poll(Kernel& k, struct file* file, struct socket* socket, poll_table* table);

// --- net/ipv4/tcp.c (options): tcp_sockopt.cc ---
long tcp_setsockopt(Kernel& k, sock* sk, int option, OptionValue value);
long tcp_getsockopt(Kernel& k, sock* sk, int option, std::vector<int>* value);

// --- net/core/dev.c, drivers/net/loopback.c, net/ipv4/ip_*.c: net_dev.cc ---
/// Down through IP to loopback; the segment then belongs to the per-CPU backlog.
void __ip_queue_xmit(Kernel& k, sk_buff* skb);
void ip_output(Kernel& k, sk_buff* skb);
/// Makes a bare segment and sends it.
void ip_send_unicast_reply(Kernel& k, const BareSegment& segment);

}  // namespace wakepath::kernel
