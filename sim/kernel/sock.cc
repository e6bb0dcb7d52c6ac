#include "sim/kernel/sock.hh"

#include "sim/kernel/kernel.hh"
#include "sim/kernel/tcp.hh"

// The describe() functions: names as in Linux, offsets and sizes of the embedded structures as in Linux 6.18 (x86-64).

namespace wakepath::kernel {

void sk_buff::describe(record::KindBuilder<sk_buff>& b) {
  b.field(&sk_buff::len, "len")
      .field(&sk_buff::seq, "seq")
      .field(&sk_buff::end_seq, "end_seq")
      .field(&sk_buff::ack_seq, "ack_seq")
      .field(&sk_buff::window, "window")
      .field(&sk_buff::flags, "tcp_flags")
      .field(&sk_buff::source, "source")
      .field(&sk_buff::dest, "dest")
      .field(&sk_buff::urg_ptr, "urg_ptr")
      .field(&sk_buff::sacked, "sacked")
      .field(&sk_buff::truesize, "truesize")
      .field(&sk_buff::cloned, "cloned")
      .field(&sk_buff::sk, "sk")
      .field(&sk_buff::fp, "fp")
      .field(&sk_buff::destructor, "destructor")
      .field(&sk_buff::data, "data")
      .field(&sk_buff::consumed, "consumed");
}

void sk_buff_head::describe(record::KindBuilder<sk_buff_head>& b) {
  b.field(&sk_buff_head::list, "list").field(&sk_buff_head::qlen, "qlen");
}

void sock_common::describe(record::KindBuilder<sock_common>& b) {
  b.field(&sock_common::skc_state, "skc_state")
      .field(&sock_common::skc_rcv_saddr, "skc_rcv_saddr")
      .field(&sock_common::skc_num, "skc_num")
      .field(&sock_common::skc_daddr, "skc_daddr")
      .field(&sock_common::skc_dport, "skc_dport")
      .field(&sock_common::skc_family, "skc_family")
      .field(&sock_common::skc_reuse, "skc_reuse")
      .field(&sock_common::skc_reuseport, "skc_reuseport")
      .field(&sock_common::skc_ipv6only, "skc_ipv6only")
      .field(&sock_common::skc_v6_daddr, "skc_v6_daddr")
      .field(&sock_common::skc_v6_rcv_saddr, "skc_v6_rcv_saddr")
      .field(&sock_common::skc_refcnt, "skc_refcnt");
}

void sock::describe(record::KindBuilder<sock>& b) {
  b.embed(&sock::common, "__sk_common", "sock_common", 0, 136)
      .field(&sock::sk_prot, "sk_prot")
      .embed(&sock::sk_receive_queue, "sk_receive_queue", "sk_buff_head", 168, 24)
      .field(&sock::sk_backlog, "sk_backlog")
      .field(&sock::sk_rmem_alloc, "sk_rmem_alloc")
      .field(&sock::sk_rcvbuf, "sk_rcvbuf")
      .field(&sock::sk_wmem_alloc, "sk_wmem_alloc")
      .field(&sock::sk_wq, "sk_wq")
      .field(&sock::sk_data_ready, "sk_data_ready")
      .field(&sock::sk_state_change, "sk_state_change")
      .field(&sock::sk_write_space, "sk_write_space")
      .field(&sock::sk_error_report, "sk_error_report")
      .field(&sock::sk_rcvlowat, "sk_rcvlowat")
      .field(&sock::sk_err, "sk_err")
      .field(&sock::sk_socket, "sk_socket")
      .field(&sock::sk_lock_owned, "sk_lock.owned")
      .field(&sock::sk_forward_alloc, "sk_forward_alloc")
      .field(&sock::sk_wmem_queued, "sk_wmem_queued")
      .field(&sock::sk_sndbuf, "sk_sndbuf")
      .embed(&sock::sk_write_queue, "sk_write_queue", "sk_buff_head", 400, 24)
      .field(&sock::tcp_rtx_queue, "tcp_rtx_queue")
      .field(&sock::sk_reuseport_cb, "sk_reuseport_cb")
      .field(&sock::sk_shutdown, "sk_shutdown")
      .field(&sock::sk_type, "sk_type")
      .field(&sock::sk_ack_backlog, "sk_ack_backlog")
      .field(&sock::sk_max_ack_backlog, "sk_max_ack_backlog")
      .field(&sock::sk_flags, "sk_flags")
      .field(&sock::sk_rcvtimeo, "sk_rcvtimeo")
      .field(&sock::sk_sndtimeo, "sk_sndtimeo")
      .field(&sock::sk_lingertime, "sk_lingertime")
      .field(&sock::nospace, "SOCK_NOSPACE");
}

void inet_sock::describe(record::KindBuilder<inet_sock>& b) {
  b.embed(&inet_sock::sk, "sk", "sock", 0, 784)
      .field(&inet_sock::inet_saddr, "inet_saddr")
      .field(&inet_sock::inet_sport, "inet_sport");
}

void request_sock::describe(record::KindBuilder<request_sock>& b) {
  b.embed(&request_sock::common, "__req_common", "sock_common", 0, 136)
      .field(&request_sock::rsk_listener, "rsk_listener")
      .field(&request_sock::sk, "sk")
      .field(&request_sock::num_timeout, "num_timeout");
}

void inet_request_sock::describe(record::KindBuilder<inet_request_sock>& b) {
  b.embed(&inet_request_sock::req, "req", "request_sock", 0, 232).field(&inet_request_sock::acked, "acked");
}

void tcp_request_sock::describe(record::KindBuilder<tcp_request_sock>& b) {
  b.embed(&tcp_request_sock::req, "req", "inet_request_sock", 0, 256)
      .field(&tcp_request_sock::rcv_isn, "rcv_isn")
      .field(&tcp_request_sock::snt_isn, "snt_isn")
      .field(&tcp_request_sock::rsk_timer_expires, "rsk_timer.expires");
}

void request_sock_queue::describe(record::KindBuilder<request_sock_queue>& b) {
  b.field(&request_sock_queue::qlen, "qlen")
      .field(&request_sock_queue::young, "young")
      .field(&request_sock_queue::rskq_defer_accept, "rskq_defer_accept")
      .field(&request_sock_queue::rskq_accept_head, "rskq_accept_head");
}

void inet_connection_sock::describe(record::KindBuilder<inet_connection_sock>& b) {
  b.embed(&inet_connection_sock::icsk_inet, "icsk_inet", "inet_sock", 0, 1016)
      .embed(&inet_connection_sock::icsk_accept_queue, "icsk_accept_queue", "request_sock_queue", 1016, 72)
      .field(&inet_connection_sock::icsk_bind_hash, "icsk_bind_hash")
      .field(&inet_connection_sock::icsk_bind2_hash, "icsk_bind2_hash")
      .field(&inet_connection_sock::icsk_retransmits, "icsk_retransmits")
      .field(&inet_connection_sock::icsk_probes_out, "icsk_probes_out")
      .field(&inet_connection_sock::icsk_pending, "icsk_pending")
      .field(&inet_connection_sock::icsk_timeout, "icsk_timeout")
      .field(&inet_connection_sock::icsk_rto, "icsk_rto")
      .field(&inet_connection_sock::icsk_backoff, "icsk_backoff")
      .field(&inet_connection_sock::icsk_syn_retries, "icsk_syn_retries")
      .field(&inet_connection_sock::icsk_user_timeout, "icsk_user_timeout")
      .field(&inet_connection_sock::icsk_af_ops, "icsk_af_ops")
      .field(&inet_connection_sock::sk_timer_expires, "sk_timer.expires")
      .field(&inet_connection_sock::icsk_ack_ato, "icsk_ack.ato")
      .field(&inet_connection_sock::icsk_ack_pending, "icsk_ack.pending")
      .field(&inet_connection_sock::icsk_ack_quick, "icsk_ack.quick")
      .field(&inet_connection_sock::icsk_ack_pingpong, "icsk_ack.pingpong")
      .field(&inet_connection_sock::lrcvtime, "icsk_ack.lrcvtime")
      .field(&inet_connection_sock::rcv_mss, "icsk_ack.rcv_mss");
}

void tcp_sock::describe(record::KindBuilder<tcp_sock>& b) {
  b.embed(&tcp_sock::inet_conn, "inet_conn", "inet_connection_sock", 0, 1400)
      .field(&tcp_sock::rcv_nxt, "rcv_nxt")
      .field(&tcp_sock::copied_seq, "copied_seq")
      .field(&tcp_sock::rcv_wup, "rcv_wup")
      .field(&tcp_sock::rcv_wnd, "rcv_wnd")
      .field(&tcp_sock::write_seq, "write_seq")
      .field(&tcp_sock::snd_nxt, "snd_nxt")
      .field(&tcp_sock::snd_una, "snd_una")
      .field(&tcp_sock::snd_wnd, "snd_wnd")
      .field(&tcp_sock::packets_out, "packets_out")
      .field(&tcp_sock::nonagle, "nonagle")
      .field(&tcp_sock::snd_up, "snd_up")
      .field(&tcp_sock::urg_data, "urg_data")
      .field(&tcp_sock::urg_seq, "urg_seq")
      .field(&tcp_sock::out_of_order_queue, "out_of_order_queue")
      .field(&tcp_sock::sacked_out, "sacked_out")
      .field(&tcp_sock::retrans_out, "retrans_out")
      .field(&tcp_sock::high_seq, "high_seq")
      .field(&tcp_sock::snd_cwnd, "snd_cwnd")
      .field(&tcp_sock::snd_ssthresh, "snd_ssthresh")
      .field(&tcp_sock::sk_backlog_len, "sk_backlog.len")
      .field(&tcp_sock::icsk_ca_state, "icsk_ca_state")
      .field(&tcp_sock::max_window, "max_window")
      .field(&tcp_sock::window_clamp, "window_clamp")
      .field(&tcp_sock::rcv_ssthresh, "rcv_ssthresh")
      .field(&tcp_sock::snd_sml, "snd_sml")
      .field(&tcp_sock::notsent_lowat, "notsent_lowat")
      .field(&tcp_sock::srtt_us, "srtt_us")
      .field(&tcp_sock::rttvar_us, "rttvar_us")
      .field(&tcp_sock::snd_wl1, "snd_wl1")
      .field(&tcp_sock::rcv_tstamp, "rcv_tstamp")
      .field(&tcp_sock::lsndtime, "lsndtime")
      .field(&tcp_sock::bytes_sent, "bytes_sent")
      .field(&tcp_sock::bytes_acked, "bytes_acked")
      .field(&tcp_sock::bytes_received, "bytes_received")
      .field(&tcp_sock::linger2, "linger2")
      .field(&tcp_sock::user_mss, "rx_opt.user_mss")
      .field(&tcp_sock::mss_clamp, "rx_opt.mss_clamp")
      .field(&tcp_sock::keepalive_time, "keepalive_time")
      .field(&tcp_sock::keepalive_intvl, "keepalive_intvl")
      .field(&tcp_sock::keepalive_probes, "keepalive_probes");
}

void udp_sock::describe(record::KindBuilder<udp_sock>& b) {
  b.embed(&udp_sock::inet, "inet", "inet_sock", 0, 1016)
      .embed(&udp_sock::reader_queue, "reader_queue", "sk_buff_head", 1152, 24)
      .field(&udp_sock::forward_deficit, "forward_deficit")
      .field(&udp_sock::pending, "pending")
      .field(&udp_sock::len, "len")
      .field(&udp_sock::corkflag, "udp_flags.CORK")
      .field(&udp_sock::has_dst, "inet.sk.sk_dst_cache")
      .field(&udp_sock::sk_drops, "inet.sk.sk_drops")
      .field(&udp_sock::fl4_dport, "inet.cork.fl.u.ip4.fl4_dport")
      .field(&udp_sock::fl4_saddr, "inet.cork.fl.u.ip4.saddr")
      .field(&udp_sock::fl4_daddr, "inet.cork.fl.u.ip4.daddr");
}

void udp_hslot::describe(record::KindBuilder<udp_hslot>& b) {
  b.field(&udp_hslot::port, "port").field(&udp_hslot::count, "count").field(&udp_hslot::head, "head");
}

void udp_hslot2::describe(record::KindBuilder<udp_hslot2>& b) {
  b.field(&udp_hslot2::port, "port").field(&udp_hslot2::count, "count").field(&udp_hslot2::head, "head");
}

void inet_timewait_sock::describe(record::KindBuilder<inet_timewait_sock>& b) {
  b.embed(&inet_timewait_sock::tw_common, "__tw_common", "sock_common", 0, 136)
      .field(&inet_timewait_sock::tw_substate, "tw_substate")
      .field(&inet_timewait_sock::tw_sport, "tw_sport")
      .field(&inet_timewait_sock::tw_tb, "tw_tb")
      .field(&inet_timewait_sock::tw_tb2, "tw_tb2");
}

void tcp_timewait_sock::describe(record::KindBuilder<tcp_timewait_sock>& b) {
  b.embed(&tcp_timewait_sock::tw_sk, "tw_sk", "inet_timewait_sock", 0, 216)
      .field(&tcp_timewait_sock::tw_rcv_nxt, "tw_rcv_nxt")
      .field(&tcp_timewait_sock::tw_snd_nxt, "tw_snd_nxt")
      .field(&tcp_timewait_sock::tw_rcv_wnd, "tw_rcv_wnd")
      .field(&tcp_timewait_sock::tw_timer_expires, "tw_timer.expires");
}

void inet_bind_bucket::describe(record::KindBuilder<inet_bind_bucket>& b) {
  b.field(&inet_bind_bucket::port, "port")
      .field(&inet_bind_bucket::fastreuse, "fastreuse")
      .field(&inet_bind_bucket::fastreuseport, "fastreuseport")
      .field(&inet_bind_bucket::bhash2, "bhash2");
}

void inet_bind2_bucket::describe(record::KindBuilder<inet_bind2_bucket>& b) {
  b.field(&inet_bind2_bucket::port, "port")
      .field(&inet_bind2_bucket::rcv_saddr, "rcv_saddr")
      .field(&inet_bind2_bucket::v6_rcv_saddr, "v6_rcv_saddr")
      .field(&inet_bind2_bucket::owners, "owners")
      .field(&inet_bind2_bucket::timewait_owners, "timewait_owners");
}

void sock_reuseport::describe(record::KindBuilder<sock_reuseport>& b) {
  b.field(&sock_reuseport::num_socks, "num_socks").field(&sock_reuseport::has_conns, "has_conns");
}

void inet_ehash_bucket::describe(record::KindBuilder<inet_ehash_bucket>& b) {
  b.field(&inet_ehash_bucket::slot, "slot").field(&inet_ehash_bucket::chain, "chain");
}

void softnet_data::describe(record::KindBuilder<softnet_data>& b) {
  b.field(&softnet_data::cpu, "cpu")
      .field(&softnet_data::input_pkt_queue, "input_pkt_queue")
      .field(&softnet_data::qlen, "input_pkt_queue.qlen")
      .field(&softnet_data::net_rx_pending, "NET_RX pending")
      .field(&softnet_data::processed, "processed")
      .field(&softnet_data::napi_scheduled, "backlog.NAPI_STATE_SCHED");
}

}  // namespace wakepath::kernel
