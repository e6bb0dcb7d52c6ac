#pragma once

// The functions of TCP and of the layers below it, by the files of Linux 6.18 that have them. What each file leaves out
// stands at the top of its .cc.

#include "sim/kernel/ip.hh"
#include "sim/kernel/sock_core.hh"

namespace wakepath::kernel {

/// TCP_TIMEOUT_INIT: before there is a round trip to go by.
constexpr u64 kRtoInitial = 1000 * kNsPerMs;

extern const proto tcp_prot;

// --- sequence numbers, include/net/tcp.h ---
inline bool before(u32 a, u32 b) { return static_cast<std::int32_t>(a - b) < 0; }
inline bool after(u32 a, u32 b) { return before(b, a); }
/// The segment has something inside the window, or is bare and stands at one of its ends (net/ipv4/tcp_minisocks.c).
inline bool tcp_in_window(u32 seq, u32 end_seq, u32 first, u32 last) {
  if (seq == first || (after(end_seq, first) && before(seq, last))) return true;
  return seq == last && seq == end_seq;
}

// --- net/ipv4/inet_hashtables.c: inet_hash.cc ---
// --- net/ipv4/inet_connection_sock.c: inet_bind.cc ---
/// bind(2)'s part: a port for the socket; 0 asks for any. 0 or -EADDRINUSE.
long inet_csk_get_port(Kernel& k, sock* sk, u16 port);
void inet_put_port(Kernel& k, sock* sk);
/// Makes the socket an owner of a port, without asking the others. 0 or -ENOMEM.
long inet_bind_hash(Kernel& k, sock* sk, u16 port);
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
/// Do the sockets share a local address? `match_wildcard`: one that is bound to any address shares it with all.
bool inet_rcv_saddr_equal(const sock_common& a, const sock_common& b, bool match_wildcard);
/// An ephemeral port, and into ehash. 0, -EADDRNOTAVAIL or -ENOMEM.
long __inet_hash_connect(Kernel& k, sock* sk);
/// Into ehash, or among the listeners. 0 or -ENOMEM.
long inet_hash(Kernel& k, sock* sk);
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
/// The addresses are chosen: a port, the hash, sequence numbers, and the SYN goes out. 0, -EADDRNOTAVAIL, -ENOMEM or
/// -ENOBUFS; then the caller takes everything back.
long tcp_start_connect(Kernel& k, sock* sk);
int tcp_rcv_synsent_state_process(Kernel& k, sock* sk, sk_buff* skb);

// --- listening: tcp_listen.cc ---
long inet_csk_listen_start(Kernel& k, sock* sk);
void inet_csk_listen_stop(Kernel& k, sock* sk);
void tcp_conn_request(Kernel& k, sock* listener, sk_buff* skb);
/// A segment for a half-open request. The child that takes the segment, or nullptr.
sock* tcp_check_req(Kernel& k, sock* listener, sk_buff* skb, tcp_request_sock* req);
void tcp_child_process(Kernel& k, sock* parent, sock* child, sk_buff* skb);
MaySleep<sock*> inet_csk_accept(Kernel& k, sock* sk, int flags, long* error);
bool sk_acceptq_is_full(const Kernel& k, const sock* sk);
/// The full socket of a request; nullptr when the accept queue is full.
sock* tcp_v4_syn_recv_sock(Kernel& k, sock* listener, tcp_request_sock* req);
void inet_csk_reqsk_queue_add(Kernel& k, sock* listener, tcp_request_sock* req, sock* child);
void reqsk_free(Kernel& k, tcp_request_sock* req);
/// A request with the addresses and numbers of a SYN; in no table yet. `attach_listener`: it holds its listener; that
/// of a cookie does not.
tcp_request_sock* inet_reqsk_alloc(Kernel& k, sock* listener, const sk_buff* syn, bool attach_listener);

// --- net/ipv4/syncookies.c: tcp_syncookies.cc ---
/// The sequence number that is the cookie of a SYN and tells an MSS of at most `mss`; the listener remembers that it
/// has sent some.
u32 cookie_v4_init_sequence(Kernel& k, sock* listener, const sk_buff* syn, u16 mss);
/// An ACK for a listener. The listener: it is no cookie of ours; nullptr: it is, but there is no room; else the child.
sock* cookie_v4_check(Kernel& k, sock* listener, sk_buff* skb);

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
/// The time as last_oow_ack_time and synq_overflow_ts keep it: ms, never 0.
u32 tcp_stamp_ms(const Kernel& k);
/// A segment that cannot be taken came. Was such a one answered a short while ago (net.ipv4.tcp_invalid_ratelimit)?
/// Then nothing goes out: two ends that misunderstand each other would go on for ever. Data is always answered.
/// `last`: of the socket, request or time-wait socket that `subject` is; set when it is not too soon.
bool tcp_oow_rate_limited(Kernel& k, const sk_buff* skb, u32* last, const void* subject);
/// False: the segment's ACK is not acceptable.
bool tcp_ack(Kernel& k, sock* sk, const sk_buff* skb);
/// A round trip was measured.
void tcp_rtt_estimator(sock* sk, u64 rtt_ns);
/// Order of the writes as on 6.18: rcv_nxt, then the queue and its length, then the memory.
/// True: the segment's data was joined to another one; the caller frees it.
bool tcp_queue_rcv(Kernel& k, sock* sk, sk_buff* skb);
bool tcp_try_coalesce(Kernel& k, sock* sk, sk_buff* tail, const sk_buff* skb);
/// The two halves of skb_try_coalesce(), net/core/skbuff.c: can `to` take over the data of `from`? Then it does, and
/// with it so many bytes of memory.
bool skb_can_coalesce(const sk_buff* to, const sk_buff* from);
u32 skb_coalesce(Kernel& k, sk_buff* to, const sk_buff* from);
void tcp_fin(Kernel& k, sock* sk);
constexpr u64 kAtoMin = 40 * kNsPerMs;  ///< TCP_ATO_MIN
void tcp_enter_quickack_mode(sock* sk);
/// Segments like the last one may take the short way again (tcp_rcv_established()).
void tcp_fast_path_check(sock* sk);

// --- a full receive buffer: tcp_collapse.cc ---
/// Is there room for one segment more, or can it be made for `skb`? One may overshoot.
bool tcp_try_rmem_schedule(Kernel& k, sock* sk, const sk_buff* skb);

// --- segments out of order: tcp_ofo.cc ---
void tcp_data_queue_ofo(Kernel& k, sock* sk, sk_buff* skb);
/// What has become in order goes to the receive queue.
void tcp_ofo_queue(Kernel& k, sock* sk);
/// The SACK option of an ACK; a duplicate that it tells of is told then.
std::vector<std::pair<u32, u32>> tcp_sack_option(sock* sk);
/// A segment begins before rcv_nxt: what of it was here before is told with the next ACK (RFC 2883).
void tcp_dsack_set(sock* sk, const sk_buff* skb);

// --- what is lost, and when: tcp_recovery.cc ---
/// Returns how many segments of one MSS were delivered, as it turns out.
u32 tcp_sacktag_write_queue(Kernel& k, sock* sk, const sk_buff* ack);
/// After an ACK that tells of a hole, or while one is being mended. True: something is to be sent again.
bool tcp_fastretrans_alert(Kernel& k, sock* sk);
/// Sends again what is lost.
void tcp_xmit_retransmit_queue(Kernel& k, sock* sk);
/// The retransmission timer has run out: everything that is not sacked counts as lost.
void tcp_enter_loss(Kernel& k, sock* sk);
/// tcp_rack_advance(): `skb` was delivered.
void tcp_rack_advance(Kernel& k, sock* sk, const sk_buff* skb);

// --- the congestion window: tcp_cong.cc ---
/// Segments of one MSS that a segment of a queue stands for. (A SYN's `mss` is its option.)
inline u32 tcp_skb_pcount(const sk_buff* skb) {
  return skb->len <= skb->mss || skb->mss == 0 ? 1 : (skb->len + skb->mss - 1) / skb->mss;
}
/// As on a new socket.
void tcp_init_cwnd(sock* sk);
/// Segments of one MSS that are in flight: neither delivered nor lost, or sent again.
u32 tcp_packets_in_flight(const sock* sk);
/// How many more may go at once: half of the window at most, so that at least two segments fill it. 0: none.
u32 tcp_cwnd_test(const sock* sk);
/// Something was sent, or could not be: was the window full?
void tcp_cwnd_validate(sock* sk);
/// New data is written: after a silence the window is what it was at first, or on its way there.
void tcp_slow_start_after_idle_check(Kernel& k, sock* sk);
/// So many segments were delivered: a window that was full grows.
void tcp_cong_avoid(sock* sk, u32 acked);
/// Something was lost: below this the window will grow fast.
void tcp_lower_ssthresh(sock* sk);

// --- urgent data: tcp_urgent.cc ---
void tcp_urg(Kernel& k, sock* sk, const sk_buff* skb);
long tcp_recv_urg(Kernel& k, sock* sk, InMessage& message);
/// SIOCATMARK
inline bool tcp_at_mark(const sock* sk) {
  const tcp_sock* tp = tcp_sk(sk);
  return tp->urg_data != TCP_URG_NONE && tp->urg_seq == tp->copied_seq;
}
void tcp_data_snd_check(Kernel& k, sock* sk);
void tcp_ack_snd_check(Kernel& k, sock* sk);
void __tcp_ack_snd_check(Kernel& k, sock* sk);
void tcp_event_data_recv(Kernel& k, sock* sk, const sk_buff* skb);
void tcp_data_ready(Kernel& k, sock* sk);
bool tcp_epollin_ready(const sock* sk, int target);
void inet_csk_schedule_ack(sock* sk);
void inet_csk_enter_pingpong_mode(sock* sk);

// --- net/ipv4/tcp_output.c: tcp_output.cc ---
/// On loopback (mtu 65536): what a SYN says, and what a segment carries beside its timestamps.
constexpr u16 tcp_lo_mss(bool v6) { return v6 ? 65476 : 65495; }
constexpr u32 kTcpTimestamps = 12;  // TCPOLEN_TSTAMP_ALIGNED: of every segment's options, after the SYN
constexpr u32 tcp_full_mss(bool v6) { return tcp_lo_mss(v6) - kTcpTimestamps; }
/// `clone`: the segment stays on a queue of ours, a copy travels. 0 or -ENOBUFS.
long __tcp_transmit_skb(Kernel& k, sock* sk, sk_buff* skb, bool clone);
void tcp_send_ack(Kernel& k, sock* sk);
/// The number of a segment without data: snd_nxt, or the end of the peer's window if that was taken back.
u32 tcp_acceptable_seq(const sock* sk);
void tcp_send_delayed_ack(Kernel& k, sock* sk);
void tcp_send_fin(Kernel& k, sock* sk);
void tcp_send_active_reset(Kernel& k, sock* sk);
/// A segment of the retransmit queue goes out again.
void tcp_retransmit_skb(Kernel& k, sock* sk, sk_buff* skb);
/// A segment of the write queue has gone out: it is now in flight.
void tcp_event_new_data_sent(Kernel& k, sock* sk, sk_buff* skb);
/// Cuts a segment of the write queue that is larger than `keep`. False: no memory, and it is whole.
bool tcp_fragment(Kernel& k, sock* sk, sk_buff* skb, u32 keep);
/// The MSS that a SYN says: TCP_MAXSEG or loopback's.
u16 tcp_advertise_mss(const sock* sk, bool v6);

// --- what goes out when: tcp_xmit.cc ---
/// The largest amount of data that goes down as one segment: sk_gso_max_size of lo, 65536 without the longest header.
constexpr u32 kGsoMax = 65279;
/// Sends what the windows and Nagle allow, or the first segment of it alone. True: something was sent.
enum class Push { all, one, probe };  ///< A probe goes whatever the congestion window says.
bool tcp_write_xmit(Kernel& k, sock* sk, u32 mss, u32 nonagle, Push push);
/// The same; if all must wait for the window the probe timer runs.
void __tcp_push_pending_frames(Kernel& k, sock* sk, u32 mss, u32 nonagle);
inline bool tcp_urg_mode(const tcp_sock* tp) { return tp->snd_una != tp->snd_up; }

// --- tcp_probe.cc: probes of a closed window, and of a silent peer ---
/// Sends what makes the peer answer: the next data if the window lets some through, else nothing from before it.
/// False: there was nothing to send or to ask.
bool tcp_write_wakeup(Kernel& k, sock* sk);
void tcp_probe_timer(Kernel& k, sock* sk);
/// An ACK came while nothing was in flight: is the window open, or has somebody to ask again?
void tcp_ack_probe(Kernel& k, sock* sk);
/// Data waits, the peer's window is closed (or Nagle or cork holds it) and nothing is under way: the probe timer.
void tcp_check_probe_timer(Kernel& k, sock* sk);
void tcp_keepalive_timer(Kernel& k, sock* sk);
void tcp_set_keepalive(Kernel& k, sock* sk, bool on);
u64 keepalive_time_when_ns(const Kernel& k, const sock* sk);

// --- tcp_window.cc: the window that we offer ---
/// What the first window will be: of a SYN, or of a SYN-ACK while there is a request alone.
struct InitialWindow {
  u32 rcv_wnd;       ///< What the receive buffer holds, in whole segments.
  u32 window_clamp;  ///< The largest that we shall offer.
  u8 rcv_wscale;
};
/// `clamp`: an earlier one, 0: none.
InitialWindow tcp_select_initial_window(const Kernel& k, const sock* sk, u32 mss, u32 clamp);
/// The same for a request.
void tcp_openreq_init_rwin(const Kernel& k, const sock* listener, tcp_request_sock* req, u32 mss);
/// The field of a SYN is not scaled.
constexpr u32 tcp_syn_window(u32 rcv_wnd) { return rcv_wnd < 65535 ? rcv_wnd : 65535; }
/// The connection is there: what the buffer says bounds the window.
void tcp_init_buffer_space(Kernel& k, sock* sk);
/// Somebody waits for room in the send buffer: it grows with the congestion window unless that is full, and who waits
/// is woken when there is enough. After an ACK and after each segment that went out.
void tcp_check_space(Kernel& k, sock* sk);
void tcp_initialize_rcv_mss(sock* sk);
/// How much data a buffer of `space` bytes holds with the overhead that segments were seen to have; and back.
int tcp_win_from_space(const sock* sk, int space);
int tcp_space_from_win(const sock* sk, int window);
/// Data came in segments of another size than before: less or more of the buffer is overhead.
void tcp_set_scaling_ratio(sock* sk, const sk_buff* skb);
/// Data that uses its memory well lets the window grow.
void tcp_grow_window(Kernel& k, sock* sk, const sk_buff* skb);
u32 tcp_select_window(Kernel& k, sock* sk);
u32 __tcp_select_window(sock* sk);
u32 tcp_receive_window(const sock* sk);

u32 tcp_current_mss(const sock* sk);
inline void tcp_push_pending_frames(Kernel& k, sock* sk) {
  __tcp_push_pending_frames(k, sk, tcp_current_mss(sk), tcp_sk(sk)->nonagle);
}
/// A bare segment that belongs to no full socket: answers of the tables (SYN-ACK, RST, time-wait's ACK).
struct BareSegment {
  Address from, to;
  u32 seq, ack, window;
  tcp_flags flags;
  bool v6 = false;  ///< Then the addresses are these; `from` and `to` have the ports alone.
  In6 from6{}, to6{};
  u8 wscale = 0;  ///< As sk_buff's.
};
/// nullptr: no memory.
sk_buff* make_bare_segment(Kernel& k, const BareSegment& segment);
void tcp_v4_send_reset(Kernel& k, const sk_buff* skb);

// --- inet_ioctl.cc: SIOCINQ (FIONREAD) and SIOCOUTQ ---
long tcp_ioctl(Kernel& k, sock* sk, unsigned command, int* argument);

// --- timers: tcp_timer.cc ---
/// Arms the one timer of retransmission and probes.
void tcp_reset_xmit_timer(Kernel& k, sock* sk, u64 delay_ns);
/// No answer for too long: ETIMEDOUT, and the socket is over.
void tcp_write_err(Kernel& k, sock* sk);
int tcp_orphan_retries(const Kernel& k, bool alive);
/// Something unacknowledged is in flight: the timer of its retransmission starts anew.
void tcp_rearm_rto(Kernel& k, sock* sk);
/// The same, but earlier and for a probe (tcp_send_loss_probe()), while nothing seems to be lost.
void tcp_schedule_loss_probe(Kernel& k, sock* sk);
void tcp_send_loss_probe(Kernel& k, sock* sk);
/// Nothing has to be sent again. The timer runs on, and finds nothing to do.
void tcp_clear_retrans(sock* sk);
void inet_csk_clear_xmit_timers(Kernel& k, sock* sk);
void tcp_arm_delack(Kernel& k, sock* sk, u64 delay_ns);
void tcp_reset_keepalive_timer(Kernel& k, sock* sk, u64 delay_ns);
void tcp_delete_keepalive_timer(Kernel& k, sock* sk);
void tcp_init_timers(sock* sk);
/// The handshake is over: buffers take their size, keepalive begins.
void tcp_init_transfer(Kernel& k, sock* sk);
/// What a new TCP socket starts with.
int tcp_init_sock(Kernel& k, sock* sk);

// --- net/ipv4/tcp.c, tcp_minisocks.c (ending): tcp_close.cc ---
void tcp_close(Kernel& k, sock* sk);
/// How long an orphan waits in FIN_WAIT2: TCP_LINGER2 or the sysctl, but 3.5 timeouts at least.
u64 tcp_fin_time_ns(const Kernel& k, const sock* sk);
void tcp_shutdown(Kernel& k, sock* sk, int how);
void tcp_done(Kernel& k, sock* sk);
void tcp_done_with_error(Kernel& k, sock* sk, int error);
long tcp_disconnect(Kernel& k, sock* sk);
void inet_csk_destroy_sock(Kernel& k, sock* sk);
/// `timeout_ns`: of FIN_WAIT2; TIME_WAIT has its own.
void tcp_time_wait(Kernel& k, sock* sk, TcpState substate, u64 timeout_ns);
void inet_twsk_kill(Kernel& k, tcp_timewait_sock* tw);
/// A segment for a time-wait socket. True: the segment opens a new connection, to be given to the listener.
bool tcp_timewait_rcv(Kernel& k, tcp_timewait_sock* tw, sk_buff* skb);

// --- net/ipv4/tcp.c (the user's side): tcp_send.cc, tcp_recv.cc ---
MaySleep<long> tcp_sendmsg(Kernel& k, sock* sk, OutMessage& message);
MaySleep<long> tcp_recvmsg(Kernel& k, sock* sk, InMessage& message);
/// Which events are there now. Changes nothing.
poll_t tcp_events(const sock* sk);
/// sk_wait_event(): lets the socket go, which works off what came meanwhile, and sleeps unless `done()` holds then.
/// `wait` hangs on the socket's queue. Returns what is left of the time. Before and after: the socket is owned.
template <class Condition>
MaySleep<u64> sk_wait_event(Kernel& k, sock* sk, StackWaitEntry& wait, u64 timeout_ns, Condition done) {
  release_sock(k, sk);
  if (!done()) timeout_ns = co_await wait_woken(k, wait, timeout_ns);
  lock_sock(k, sk);
  co_return timeout_ns;
}
/// TCP_NOTSENT_LOWAT: may more wait unsent? `wake`: asked before somebody is woken; then half of it.
bool tcp_stream_memory_free(const sock* sk, bool wake);
/// The user has taken `copied` bytes: does the sender need to hear of it?
void tcp_cleanup_rbuf(Kernel& k, sock* sk, std::size_t copied);
poll_t tcp_poll(Kernel& k, struct file* file, struct socket* socket, poll_table* table);

// --- net/ipv4/tcp.c (options): tcp_sockopt.cc ---
long tcp_setsockopt(Kernel& k, sock* sk, int option, OptionValue value);
long tcp_getsockopt(Kernel& k, sock* sk, int option, std::vector<int>* value);

// --- net/core/dev.c, drivers/net/loopback.c, net/ipv4/ip_*.c: net_dev.cc ---
/// Down through IP to loopback; the segment then belongs to the per-CPU backlog.
void __ip_queue_xmit(Kernel& k, sk_buff* skb);
void ip_output(Kernel& k, sk_buff* skb);
/// From the wire to the CPU's backlog.
void __netif_rx(Kernel& k, sk_buff* skb);
/// Makes a bare segment and sends it.
void ip_send_unicast_reply(Kernel& k, const BareSegment& segment);

}  // namespace wakepath::kernel
