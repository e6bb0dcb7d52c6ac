#pragma once

// Models: include/net/sock.h, inet_sock.h, inet_connection_sock.h, request_sock.h, inet_timewait_sock.h and
// include/linux/tcp.h, udp.h, skbuff.h: the structures of a socket, one embedded in the other, as of Linux 6.18.
// Only members that a path of the model reads or writes; offsets in the describe() functions are those of Linux's.

#include <string>
#include <utility>
#include <vector>

#include "sim/kernel/payload.hh"
#include "sim/kernel/socket.hh"

namespace wakepath::kernel {

struct inet_bind_bucket;
struct inet_bind2_bucket;
struct sock_reuseport;
struct scm_fp_list;
struct tcp_sock;

/// A segment, or a piece of a queue. Data travels in `payload`, which the clone that goes on the wire shares.
struct sk_buff {
  record::Field<u32> len;  ///< Bytes of data.
  record::Field<u32> seq;  ///< tcp_skb_cb
  record::Field<u32> end_seq;
  record::Field<u32> ack_seq;
  record::Field<record::Hex> window;
  record::Field<tcp_flags> flags;
  record::Field<u16> source;
  record::Field<u16> dest;
  record::Field<u16> urg_ptr;        ///< With URG: where the urgent data ends, behind seq.
  record::Field<skb_sacked> sacked;  ///< What the sender knows of it, while it waits for its acknowledgement.
  record::Field<u32> truesize;       ///< What it is charged with: overhead and data.
  record::Field<bool> cloned;
  record::Ptr<sock> sk;
  record::Ptr<scm_fp_list> fp;                            ///< UNIXCB: files that travel with it.
  record::Field<void (*)(Kernel&, sk_buff*)> destructor;  ///< Gives back what it is charged to; NULL: nothing.
  record::Field<record::Text> data;                       ///< The first bytes, as text.
  record::ListNode<sk_buff> node;

  record::Field<u32>
      consumed;  ///< Bytes of it that recv() has taken; Linux has tp->copied_seq alone, which says the same.

  Payload payload;
  sk_buff* fclone = nullptr;               ///< The other header of the same data, while both live.
  std::vector<std::pair<u32, u32>> sacks;  ///< SACK option: what the receiver has beyond a hole, newest first.
  u16 mss = 0;       ///< MSS option of a SYN; gso_size of data that stands for several segments; 0: none.
  u16 page_off = 0;  ///< Where its data begins in a page of kPageFrag bytes (sk_page_frag()).
  u8 nr_frags = 1;   ///< Pieces of pages that it consists of (skb_shared_info), on the receiver's side.
  u16 tailroom = 0;  ///< Free bytes behind data that was copied into its head (tcp_collapse()); others have none.
  u32 saddr = 0;
  u32 daddr = 0;
  In6 saddr6, daddr6;  ///< When `v6`.
  bool v6 = false;
  u8 protocol = IPPROTO_TCP;  ///< Of the IP header.
  u8 wscale = 0;              ///< The sender's: `window` (in bytes) is a multiple of 1 << wscale, but for a SYN.
  bool to_many = false;       ///< Its route is a broadcast's or a group's, whatever the address in its header is.
  bool to_nobody = false;     ///< Its route is that of a group that lo is not in.
  u64 sent_at_ns = 0;
  u64 arrives_at_ns = 0;  ///< On the modelled wire: when it is through; kForever: when another has overtaken it.

  sk_buff() = default;
  sk_buff(const sk_buff&) = delete;
  sk_buff& operator=(const sk_buff&) = delete;
  ~sk_buff() {
    if (fclone != nullptr) fclone->fclone = nullptr;
  }
  static void describe(record::KindBuilder<sk_buff>& b);
};

/// struct sk_buff_head: a queue of segments.
struct sk_buff_head {
  record::List<sk_buff, &sk_buff::node> list;
  record::Field<u32> qlen;
  static void describe(record::KindBuilder<sk_buff_head>& b);
};

/// The beginning of sock, request_sock and inet_timewait_sock: that is why all three can stand in one hash table.
struct sock_common {
  record::Field<record::Ipv4> skc_daddr;
  record::Field<record::Ipv4> skc_rcv_saddr;
  record::Field<u16> skc_dport;  ///< Host byte order here; network order in Linux.
  record::Field<u16> skc_num;
  record::Field<u16> skc_family;
  record::Field<TcpState> skc_state;
  record::Field<bool> skc_reuse;
  record::Field<bool> skc_reuseport;
  record::Field<bool> skc_ipv6only;
  record::Field<In6> skc_v6_daddr;  ///< Of AF_INET6 alone; Linux fills it in for AF_INET, too.
  record::Field<In6> skc_v6_rcv_saddr;
  record::Field<int> skc_refcnt;
  record::ListNode<sock_common> skc_node;

  static void describe(record::KindBuilder<sock_common>& b);
};

struct proto;

/// sk_userlocks, include/net/sock.h
constexpr u8 SOCK_SNDBUF_LOCK = 1;    ///< SO_SNDBUF: the buffer does not grow by itself.
constexpr u8 SOCK_RCVBUF_LOCK = 2;    ///< SO_RCVBUF
constexpr u8 SOCK_BINDADDR_LOCK = 4;  ///< bind() named the address.
constexpr u8 SOCK_BINDPORT_LOCK = 8;  ///< bind() named the port.
constexpr u8 SOCK_CONNECT_BIND = 16;  ///< connect() chose the port.

/// Members stand by their size rather than as in Linux, here and in what embeds it: there may be very many of them.
struct sock {
  sock_common common;
  record::Field<int> sk_rcvlowat;
  record::Field<const proto*> sk_prot;
  sk_buff_head sk_receive_queue;
  record::List<sk_buff, &sk_buff::node> sk_backlog;  ///< Segments that came while a system call owned the socket.
  record::Field<int> sk_rmem_alloc;
  record::Field<int> sk_rcvbuf;
  record::Field<int> sk_wmem_alloc;  ///< Datagrams that are still on their way or unread. TCP: not used here.
  record::Ptr<socket_wq> sk_wq;
  record::Field<void (*)(Kernel&, sock*)> sk_data_ready;
  record::Field<void (*)(Kernel&, sock*)> sk_state_change;
  record::Field<void (*)(Kernel&, sock*)> sk_write_space;
  record::Field<void (*)(Kernel&, sock*)> sk_error_report;
  record::Ptr<struct socket> sk_socket;
  record::Field<int> sk_err;
  record::Field<int> sk_forward_alloc;
  record::Field<int> sk_wmem_queued;
  record::Field<int> sk_sndbuf;
  sk_buff_head sk_write_queue;
  record::List<sk_buff, &sk_buff::node> tcp_rtx_queue;
  record::Field<u32> sk_ack_backlog;
  record::Field<u32> sk_max_ack_backlog;
  record::Field<sock_flags> sk_flags;
  record::Ptr<sock_reuseport> sk_reuseport_cb;

  record::Field<record::Duration> sk_rcvtimeo;  ///< SO_RCVTIMEO; 0: for ever, MAX_SCHEDULE_TIMEOUT in Linux.
  record::Field<record::Duration> sk_sndtimeo;
  record::Field<int> sk_lingertime;  ///< Seconds.

  record::Field<short> sk_type;  ///< SOCK_STREAM and its like; set for AF_UNIX alone.
  record::Field<shutdown_mask> sk_shutdown;
  record::Field<bool> sk_lock_owned;  ///< sk_lock.owned: a system call holds the socket.
  record::Field<bool> nospace;        ///< SOCK_NOSPACE of socket->flags: somebody waits for room to write.
  u8 sk_userlocks = 0;                ///< SOCK_BINDADDR_LOCK and its like: what the user has chosen.
  u16 sk_disconnects = 0;  ///< How often connect() has ended what was (AF_UNSPEC, a failure): who sleeps must look.

  static void describe(record::KindBuilder<sock>& b);
};

struct inet_sock {
  sock sk;
  record::Field<record::Ipv4> inet_saddr;
  record::Field<u16> inet_sport;
  static void describe(record::KindBuilder<inet_sock>& b);
};

/// include/net/request_sock.h: a connection in the making (NEW_SYN_RECV), first in the hash table, then on the accept
/// queue.
struct request_sock {
  sock_common common;
  record::Ptr<sock> rsk_listener;
  record::Ptr<sock> sk;  ///< The child, once the handshake is complete.
  record::Field<u8> num_timeout;
  static void describe(record::KindBuilder<request_sock>& b);
};

struct inet_request_sock {
  request_sock req;
  record::Field<bool> acked;  ///< The last ACK came, but the accept queue was full.
  static void describe(record::KindBuilder<inet_request_sock>& b);
};

struct tcp_request_sock {
  inet_request_sock req;
  record::Field<u32> rcv_isn;
  record::Field<u32> snt_isn;
  record::ListNode<tcp_request_sock> dl_next;

  record::Field<record::Time> rsk_timer_expires;  ///< When the SYN-ACK goes out again; 0: no more.
  engine::Timer rsk_timer;
  u32 peer_window = 0;
  u64 snt_synack_ns = kForever;  ///< When the last SYN-ACK went out; kForever: a cookie does not tell.
  u32 last_oow_ack_time = 0;     ///< As tcp_sock's.
  u32 rsk_rcv_wnd = 0;           ///< The window that we begin with.
  u32 rsk_window_clamp = 0;      ///< The largest window that we shall offer.
  u16 mss = 0;                   ///< What the SYN said.
  u8 rcv_wscale = 0;             ///< Our windows are counted in units of 1 << rcv_wscale bytes.
  static void describe(record::KindBuilder<tcp_request_sock>& b);
};

/// icsk_accept_queue: what a listener has in the making, and what is ready to be accepted.
struct request_sock_queue {
  record::List<tcp_request_sock, &tcp_request_sock::dl_next> rskq_accept_head;
  record::Field<int> qlen;              ///< Half-open requests.
  record::Field<int> young;             ///< Those whose SYN-ACK was sent once only.
  record::Field<u8> rskq_defer_accept;  ///< TCP_DEFER_ACCEPT: SYN-ACKs that go out before a bare ACK is taken.
  static void describe(record::KindBuilder<request_sock_queue>& b);
};

/// include/net/inet_connection_sock.h: over which IP a connection travels. A socket of IPv6 changes to ipv6_mapped when
/// it connects to a mapped address, or is accepted from one, and never back.
struct inet_connection_sock_af_ops {
  void (*queue_xmit)(Kernel&, sk_buff*);
  bool v6;
};
extern const inet_connection_sock_af_ops ipv4_specific;
extern const inet_connection_sock_af_ops ipv6_specific;
extern const inet_connection_sock_af_ops ipv6_mapped;

struct inet_connection_sock {
  inet_sock icsk_inet;
  request_sock_queue icsk_accept_queue;
  record::Field<u8> icsk_retransmits;
  record::Field<u8> icsk_probes_out;  ///< Zero-window probes that nobody has answered.
  record::Field<bool> icsk_pending;   ///< icsk_retransmit_timer has something to do when it is due.
  bool loss_probe = false;            ///< What it has to do is ICSK_TIME_LOSS_PROBE.
  record::Ptr<inet_bind_bucket> icsk_bind_hash;
  record::Ptr<inet_bind2_bucket> icsk_bind2_hash;
  record::Field<record::Time> icsk_timeout;      ///< When icsk_retransmit_timer is due, while icsk_pending.
  record::Field<record::Time> sk_timer_expires;  ///< When sk_timer is due; 0: it is not pending.
  record::Field<record::Time> icsk_ack_ato;      ///< How long an ACK may wait for something to ride on.
  record::Field<ack_pending> icsk_ack_pending;
  record::Field<u8> icsk_ack_quick;     ///< Immediate ACKs left.
  record::Field<u8> icsk_ack_pingpong;  ///< Interactive: ACKs may wait for an answer to ride on.
  record::Field<u8> icsk_syn_retries;   ///< TCP_SYNCNT; 0: net.ipv4.tcp_syn_retries.
  record::ListNode<inet_connection_sock> bind_node;

  record::Field<const inet_connection_sock_af_ops*> icsk_af_ops;
  /// An armed timer holds the sock. The first two run on when there is nothing left for them to do.
  engine::Timer icsk_retransmit_timer;
  engine::Timer icsk_delack_timer;       ///< Has something to do while ICSK_ACK_TIMER is in icsk_ack_pending.
  engine::Timer sk_timer;                ///< Keepalive; FIN_WAIT2 of an orphan.
  record::Field<u8> icsk_backoff;        ///< Doublings of the time between zero-window probes.
  record::Field<u32> icsk_user_timeout;  ///< TCP_USER_TIMEOUT in ms; 0: none.
  record::Field<u32> lrcvtime;           ///< icsk_ack.lrcvtime: when data last came, in ms from 1 on.
  record::Field<u16> rcv_mss;
  u16 snd_cwnd_cnt = 0;    ///< tcp_sock's, as the next: segments acknowledged since snd_cwnd grew by one.
  u32 pushed_seq = 0;      ///< tcp_sock's; here is room. End of what was to go out at once.
  u16 last_seg_size = 0;   ///< icsk_ack.last_seg_size: of the last segment, if it may have been a whole MSS.
  u8 scaling_ratio = 128;  ///< Share of the receive buffer that is data, in 256ths; measured on large segments.
  record::Field<record::Duration> icsk_rto;  ///< TCP_TIMEOUT_INIT, then from the round trips; doubled at each timeout.
  u32 icsk_probes_tstamp = 0;                ///< Since when windows are probed, in ms from 1 on; 0: not.
  u32 cwnd_usage_seq = 0;                    ///< tcp_sock's: until then max_packets_out and is_cwnd_limited count.

  static void describe(record::KindBuilder<inet_connection_sock>& b);
};

struct tcp_sock {
  inet_connection_sock inet_conn;
  record::Field<u32> rcv_nxt;
  record::Field<u32> copied_seq;  ///< Next byte that the user will read.
  record::Field<u32> rcv_wup;     ///< rcv_nxt when the last window was advertised.
  record::Field<u32> rcv_wnd;
  record::Field<u32> write_seq;  ///< One beyond the last byte that the user has written.
  record::Field<u32> snd_nxt;
  record::Field<u32> snd_una;
  record::Field<u32> snd_wnd;
  record::Field<u32> snd_up;   ///< Behind the urgent data that was sent; snd_una when there is none.
  record::Field<u32> urg_seq;  ///< Where the urgent byte stands.
  record::List<sk_buff, &sk_buff::node> out_of_order_queue;
  record::Field<u16> packets_out;  ///< Segments of one MSS in the retransmit queue.
  record::Field<u16> sacked_out;   ///< Segments that the peer has beyond a hole.
  record::Field<u16> retrans_out;
  record::Field<u16> snd_cwnd;      ///< The congestion window, in segments of one MSS.
  record::Field<u16> snd_ssthresh;  ///< Below it the window grows by what is acknowledged; 65535: it always does.
  u16 max_packets_out = 0;          ///< The most that were in flight of late, in segments of one MSS.
  record::Field<u32> high_seq;      ///< snd_nxt when the recovery began, which ends when this is acknowledged.

  record::Field<u32> max_window;
  record::Field<u32> window_clamp;    ///< The largest window that we offer; 0 before the connection begins.
  record::Field<u32> rcv_ssthresh;    ///< The window that we offer now; grows with what comes, up to the clamp.
  record::Field<u32> snd_sml;         ///< End of the last small segment sent (Minshall's variant of Nagle).
  record::Field<u32> notsent_lowat;   ///< TCP_NOTSENT_LOWAT
  u32 notsent_limit = 0;              ///< The same, or net.ipv4.tcp_notsent_lowat; 0: none.
  record::Field<u32> srtt_us;         ///< Smoothed round trip, eight times; 0: none measured.
  record::Field<u32> rttvar_us;       ///< Its deviation, four times.
  record::Field<u32> snd_wl1;         ///< seq of the segment that brought the last window.
  record::Field<u32> rcv_tstamp;      ///< When the last ACK came, in ms from 1 on; 0: never. So is the next one.
  record::Field<u32> lsndtime;        ///< When data was last sent.
  record::Field<u32> bytes_sent;      ///< Also again. These count to 4 GiB here, then from 0 on; 64 bits in Linux.
  record::Field<u32> bytes_acked;     ///< With our SYN and FIN.
  record::Field<u32> bytes_received;  ///< In order, with the peer's FIN.
  u32 rack_end_seq = 0;
  u32 rack_rtt_us = 0;
  u32 min_rtt_us = ~0u;       ///< Least round trip.
  u32 last_oow_ack_time = 0;  ///< When an ACK of the kind that is limited last went out (tcp_oow_rate_limited()).
  union {
    u32 synq_overflow_ts = 0;  ///< Of a listener: when it sent its last SYN cookie. Both in ms from 1 on; 0: never.
    u32 tlp_high_seq;          ///< Of a connection: snd_nxt when a lost tail was probed; 0: not, or answered.
  };
  record::Field<short> linger2;  ///< TCP_LINGER2; 0: net.ipv4.tcp_fin_timeout, -1: no FIN_WAIT2 of an orphan.
  record::Field<urgent_data> urg_data;
  record::Field<u16> user_mss;        ///< TCP_MAXSEG
  record::Field<u16> mss_clamp;       ///< The least of what both ends said in their SYNs; 0 before.
  record::Field<u16> keepalive_time;  ///< TCP_KEEPIDLE; 0: the sysctl's. So are the next two.
  record::Field<u16> keepalive_intvl;
  record::Field<u8> keepalive_probes;
  u8 rcv_wscale = 0;  ///< Our windows are counted in units of 1 << rcv_wscale bytes.
  record::Field<nagle_flags> nonagle;
  record::Field<ca_state> icsk_ca_state;
  u32 retrans_stamp = 0;  ///< Of the first retransmission in a row, of a SYN's first transmission; ms from 1 on.
  u16 mss_cache = 536;    ///< TCP_MAXSEG between two connections.
  u16 advmss = 0;         ///< What we told the peer to send at most; less the timestamps once both agree on them.
  bool is_cwnd_limited = false;  ///< The congestion window was full of late.
  bool fast_path = true;         ///< pred_flags != 0: when last looked at, there was a window and room in the buffer.
  u16 dsack_len = 0;  ///< rx_opt.dsack: bytes of duplicate_sack[0], which begins at dsack_seq; 0: there is none.
  /// sock's sk_backlog.len: what the segments on the backlog are charged with, until the last of them is handled.
  record::Field<int> sk_backlog_len;
  u32 dsack_seq = 0;
  u64 rack_sent_ns = 0;  ///< When the segment that was delivered last of all had been sent.
  static void describe(record::KindBuilder<tcp_sock>& b);
};

/// include/linux/udp.h. sock_common's list is that of the port; udp_portaddr_node that of port and address.
struct udp_sock {
  inet_sock inet;
  sk_buff_head reader_queue;           ///< Datagrams that poll or recv have moved here from sk_receive_queue.
  record::Field<int> forward_deficit;  ///< Receive memory that was read but not given back yet.
  record::Field<int> pending;          ///< AF_INET or AF_INET6 while a datagram waits in sk_write_queue for more.
  record::Field<u16> len;              ///< How long that datagram is so far, with its header.
  record::Field<bool> corkflag;        ///< UDP_CORK
  record::Field<bool> has_dst;         ///< sk_dst_cache: the route of what is sent without an address is known.
  /// inet->cork.fl: where the datagram that waits goes, and what a connected socket sends while has_dst.
  record::Field<u16> fl4_dport;
  record::Field<record::Ipv4> fl4_saddr, fl4_daddr;
  record::Field<u32> sk_drops;  ///< Datagrams that found no room (of TCP no view shows it).
  record::ListNode<udp_sock> udp_portaddr_node;

  u64 udp_lrpa_serial =
      0;                   ///< When it came into the chain of the connections between these two ends; 0: it is in none.
  u32 udp_lrpa_daddr = 0;  ///< That chain's peer, which another connect() does not change.
  In6 udp_lrpa_daddr6;
  u16 udp_lrpa_dport = 0;
  int forward_threshold = 0;  ///< Above it forward_deficit is given back: a quarter of the receive buffer.
  static void describe(record::KindBuilder<udp_sock>& b);
};

/// include/net/udp.h: who has a local port, by port alone and by port and address. Made at first use.
struct udp_hslot {
  record::Field<u16> port;
  record::Field<int> count;
  record::List<sock_common, &sock_common::skc_node> head;
  static void describe(record::KindBuilder<udp_hslot>& b);
};
struct udp_hslot2 {
  record::Field<u16> port;
  record::Field<int> count;
  record::List<udp_sock, &udp_sock::udp_portaddr_node> head;
  u64 key = 0;
  static void describe(record::KindBuilder<udp_hslot2>& b);
};

/// include/net/inet_timewait_sock.h, linux/tcp.h: what stays of a connection that closed first.
struct inet_timewait_sock {
  sock_common tw_common;
  record::Field<TcpState> tw_substate;  ///< FIN_WAIT2 or TIME_WAIT
  record::Field<u16> tw_sport;
  record::Ptr<inet_bind_bucket> tw_tb;
  record::Ptr<inet_bind2_bucket> tw_tb2;
  static void describe(record::KindBuilder<inet_timewait_sock>& b);
};

struct tcp_timewait_sock {
  inet_timewait_sock tw_sk;
  record::Field<u32> tw_rcv_nxt;
  record::Field<u32> tw_snd_nxt;
  record::Field<u32> tw_rcv_wnd;
  record::ListNode<tcp_timewait_sock> bind_node;

  record::Field<record::Time> tw_timer_expires;  ///< When it is over.
  engine::Timer tw_timer;
  u64 since_ns = 0;
  u32 tw_last_oow_ack_time = 0;  ///< As tcp_sock's.
  bool connect_bind = false;     ///< connect() chose the port.
  u8 tw_rcv_wscale = 0;
  static void describe(record::KindBuilder<tcp_timewait_sock>& b);
};

/// The chain of one CPU's share of the network receive path, include/linux/netdevice.h.
struct softnet_data {
  record::Field<u32> cpu;
  record::List<sk_buff, &sk_buff::node> input_pkt_queue;  ///< The per-CPU backlog.
  record::Field<u32> qlen;
  record::Field<bool> net_rx_pending;  ///< NET_RX_SOFTIRQ is raised.
  record::Field<u32> processed;
  record::Field<bool> napi_scheduled;  ///< process_backlog() runs or is going to.
  static void describe(record::KindBuilder<softnet_data>& b);
};

// One pointer is all of them: each structure stands at offset 0 of the next (include/net/inet_connection_sock.h …).
inline inet_sock* inet_sk(sock* sk) { return reinterpret_cast<inet_sock*>(sk); }
inline inet_connection_sock* inet_csk(sock* sk) { return reinterpret_cast<inet_connection_sock*>(sk); }
inline udp_sock* udp_sk(sock* sk) { return reinterpret_cast<udp_sock*>(sk); }
inline const udp_sock* udp_sk(const sock* sk) { return reinterpret_cast<const udp_sock*>(sk); }
inline const inet_sock* inet_sk(const sock* sk) { return reinterpret_cast<const inet_sock*>(sk); }
inline tcp_sock* tcp_sk(sock* sk) { return reinterpret_cast<tcp_sock*>(sk); }
inline const inet_connection_sock* inet_csk(const sock* sk) {
  return reinterpret_cast<const inet_connection_sock*>(sk);
}
inline bool tcp_over_v6(const sock* sk) { return inet_csk(sk)->icsk_af_ops->v6; }
inline const tcp_sock* tcp_sk(const sock* sk) { return reinterpret_cast<const tcp_sock*>(sk); }
inline sock* as_sock(udp_sock* up) { return &up->inet.sk; }
inline sock* as_sock(tcp_sock* tp) { return &tp->inet_conn.icsk_inet.sk; }
inline sock* as_sock(inet_connection_sock* icsk) { return &icsk->icsk_inet.sk; }
inline sock_common* as_common(tcp_request_sock* req) { return &req->req.req.common; }
inline sock_common* as_common(tcp_timewait_sock* tw) { return &tw->tw_sk.tw_common; }

}  // namespace wakepath::kernel
