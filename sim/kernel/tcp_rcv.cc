// Models: tcp_v4_rcv(), tcp_v4_do_rcv() of net/ipv4/tcp_ipv4.c; tcp_rcv_established(), tcp_rcv_state_process(),
// tcp_validate_incoming() and tcp_reset() of tcp_input.c, Linux 6.18: from a segment to the socket that it is for.
// Left out: checksums, MD5 and AO, PAWS and timestamps, early demultiplexing; the random half of
// net.ipv4.tcp_challenge_ack_limit, in whose place stands its middle.

#include <algorithm>

#include "sim/kernel/kernel.hh"
#include "sim/kernel/tcp.hh"

namespace wakepath::kernel {

namespace {

bool has(const sk_buff* skb, tcp_flags flag) { return (skb->flags & flag) != 0; }

/// A reset that the peer sends after its own FIN has the FIN's number.
bool tcp_reset_check(const sock* sk, const sk_buff* skb) {
  TcpState state = tcp_state(sk);
  return skb->seq == tcp_sk(sk)->rcv_nxt - 1 &&
         (state == TcpState::CLOSE_WAIT || state == TcpState::LAST_ACK || state == TcpState::CLOSING);
}

/// The SYN-ACK of a peer that connects to us while we connect to it.
bool crossed_syn_ack(const sock* sk, const sk_buff* skb) {
  const tcp_sock* tp = tcp_sk(sk);
  return tcp_state(sk) == TcpState::SYN_RECV && sk->sk_socket != nullptr && has(skb, TCPHDR_ACK) &&
         skb->seq + 1 == skb->end_seq && skb->seq + 1 == tp->rcv_nxt && skb->ack_seq == tp->snd_nxt;
}

bool __tcp_oow_rate_limited(Kernel& k, u32* last, const void* subject) {
  const u32 now = tcp_stamp_ms(k);
  if (*last != 0 && now - *last < static_cast<u32>(k.config.tcp_invalid_ratelimit)) {
    k.rule(Rule::tcp_ack_rate_limited, subject);
    return true;
  }
  *last = now;
  return false;
}

/// Has the machine sent as many challenge ACKs in this second as net.ipv4.tcp_challenge_ack_limit allows?
bool challenge_limit_reached(Kernel& k) {
  const auto limit = static_cast<u32>(k.config.tcp_challenge_ack_limit);
  constexpr u32 kNone = 0x7fffffff;
  if (limit == kNone) return false;
  const u64 second = k.now_ns() / (1000 * kNsPerMs);
  if (second != k.tcp_challenge_timestamp) {
    k.tcp_challenge_timestamp = second;
    k.tcp_challenge_count = limit;
  }
  if (k.tcp_challenge_count == 0) return true;
  --k.tcp_challenge_count;
  return false;
}

/// RFC 5961: a segment that may be somebody's guess is answered; only the real peer knows what to say to that.
void tcp_send_challenge_ack(Kernel& k, sock* sk) {
  Call call(k, Fn::tcp_send_challenge_ack, sk);
  if (!__tcp_oow_rate_limited(k, &tcp_sk(sk)->last_oow_ack_time, sk) && !challenge_limit_reached(k))
    tcp_send_ack(k, sk);
}

/// What was there already is asked for at once from now on: the sender may not know that it has arrived.
void tcp_send_dupack(Kernel& k, sock* sk, const sk_buff* skb) {
  Call call(k, Fn::tcp_send_dupack, sk);
  if (skb->end_seq != skb->seq && before(skb->seq, tcp_sk(sk)->rcv_nxt)) {
    tcp_enter_quickack_mode(sk);
    tcp_dsack_set(sk, skb);
  }
  tcp_send_ack(k, sk);
}

/// Is the segment, or some of it, what the window is open for? Since 6.17 one that goes beyond it is taken only while
/// nothing waits to be read.
bool tcp_sequence(const sock* sk, const sk_buff* skb) {
  const tcp_sock* tp = tcp_sk(sk);
  const u32 end = tp->rcv_nxt + tcp_receive_window(sk);
  if (before(skb->end_seq, tp->rcv_wup)) return false;
  return !after(skb->end_seq, end) || (!after(skb->seq, end) && sk->sk_receive_queue.list.empty());
}

/// RFC 9293, section 3.10.7.4, first check. False: the segment is dropped (and was freed).
bool tcp_validate_incoming(Kernel& k, sock* sk, sk_buff* skb) {
  Call call(k, Fn::tcp_validate_incoming, sk);
  tcp_sock* tp = tcp_sk(sk);
  if (!tcp_sequence(sk, skb)) {
    if (has(skb, TCPHDR_RST)) {
      if (tcp_reset_check(sk, skb)) tcp_reset(k, sk);
    } else if (has(skb, TCPHDR_SYN)) {
      tcp_send_challenge_ack(k, sk);
    } else if (!tcp_oow_rate_limited(k, skb, &tp->last_oow_ack_time, sk)) {
      tcp_send_dupack(k, sk, skb);
    }
  } else if (has(skb, TCPHDR_RST)) {
    const sk_buff* beyond = tp->out_of_order_queue.back();
    bool matches =
        skb->seq == tp->rcv_nxt || tcp_reset_check(sk, skb) || (beyond != nullptr && skb->seq == beyond->end_seq);
    if (matches)
      tcp_reset(k, sk);
    else
      tcp_send_challenge_ack(k, sk);
  } else if (has(skb, TCPHDR_SYN) && !crossed_syn_ack(sk, skb)) {
    tcp_send_challenge_ack(k, sk);
  } else {
    return call.result(true);
  }
  kfree_skb(k, skb);
  return call.result(false);
}

/// What continues the last segment that waits on the backlog becomes part of it; so do two ACKs in a row, of which the
/// later one's window counts.
bool joins_backlog(Kernel& k, sock* sk, const sk_buff* skb) {
  sk_buff* tail = sk->sk_backlog.back();
  if (tail == nullptr || tail->end_seq != skb->seq || tail->sacks != skb->sacks ||
      ((tail->flags | skb->flags) & (TCPHDR_SYN | TCPHDR_RST | TCPHDR_URG)) != 0 ||
      (tail->flags & skb->flags & TCPHDR_ACK) == 0 || !skb_can_coalesce(tail, skb))
    return false;
  const u16 mss = std::max(tail->mss != 0 ? tail->mss : static_cast<u16>(tail->len.get()),
                           skb->mss != 0 ? skb->mss : static_cast<u16>(skb->len.get()));
  tcp_sk(sk)->sk_backlog_len += static_cast<int>(skb_coalesce(k, tail, skb));
  tail->mss = mss;
  tail->end_seq = skb->end_seq;  // a FIN counts, too
  tail->flags |= skb->flags;
  if (!before(skb->ack_seq, tail->ack_seq)) {
    tail->ack_seq = skb->ack_seq;
    tail->window = skb->window;
  }
  return true;
}

void tcp_add_backlog(Kernel& k, sock* sk, sk_buff* skb) {
  Call call(k, Fn::tcp_add_backlog, sk);
  if (joins_backlog(k, sk, skb)) {
    k.skbs.free(skb);
    return;
  }
  sk->sk_backlog.push_back(skb);
  tcp_sk(sk)->sk_backlog_len += static_cast<int>(skb->truesize.get());
  k.rule(Rule::tcp_owned_by_user, sk);
}

void rcv_full_sock(Kernel& k, sock* sk, sk_buff* skb) {
  sock_hold(sk);
  if (sk->sk_lock_owned)
    tcp_add_backlog(k, sk, skb);
  else
    tcp_v4_do_rcv(k, sk, skb);
  sock_put(k, sk);
}

void rcv_request(Kernel& k, tcp_request_sock* req, sk_buff* skb) {
  sock* listener = req->req.req.rsk_listener;
  sock* child = tcp_check_req(k, listener, skb, req);
  if (child == nullptr)
    kfree_skb(k, skb);
  else if (child == listener)
    tcp_v4_do_rcv(k, listener, skb);
  else
    tcp_child_process(k, listener, child, skb);
}

}  // namespace

u32 tcp_stamp_ms(const Kernel& k) { return static_cast<u32>(k.now_ns() / kNsPerMs) + 1; }

bool tcp_oow_rate_limited(Kernel& k, const sk_buff* skb, u32* last, const void* subject) {
  Call call(k, Fn::tcp_oow_rate_limited, subject);
  if (skb->seq != skb->end_seq && !has(skb, TCPHDR_SYN)) return call.result(false);
  return call.result(__tcp_oow_rate_limited(k, last, subject));
}

void tcp_v4_rcv(Kernel& k, sk_buff* skb) {
  Call call(k, skb->v6 ? Fn::tcp_v6_rcv : Fn::tcp_v4_rcv, skb);
  sock_common* found = __inet_lookup_established(k, flow_of(skb));
  if (found != nullptr && found->skc_state == TcpState::TIME_WAIT) {
    if (!tcp_timewait_rcv(k, reinterpret_cast<tcp_timewait_sock*>(found), skb)) return;
    found = nullptr;  // a new connection takes the place of the old one
  }
  if (found != nullptr && found->skc_state == TcpState::NEW_SYN_RECV) {
    rcv_request(k, reinterpret_cast<tcp_request_sock*>(found), skb);
    return;
  }
  sock* sk = found != nullptr ? reinterpret_cast<sock*>(found) : inet_lookup_listener(k, flow_of(skb));
  if (sk == nullptr) {
    tcp_v4_send_reset(k, skb);
    Call drop(k, Fn::sk_skb_reason_drop, skb);
    k.rule(Rule::tcp_no_socket, skb);
    k.skbs.free(skb);
    return;
  }
  rcv_full_sock(k, sk, skb);
}

void tcp_v4_do_rcv(Kernel& k, sock* sk, sk_buff* skb) {
  Call call(k, skb->v6 ? Fn::tcp_v6_do_rcv : Fn::tcp_v4_do_rcv, sk);
  if (tcp_state(sk) == TcpState::ESTABLISHED) {
    tcp_rcv_established(k, sk, skb);
    return;
  }
  if (tcp_state(sk) == TcpState::LISTEN && has(skb, TCPHDR_ACK) && !has(skb, TCPHDR_SYN)) {
    sock* child = cookie_v4_check(k, sk, skb);
    if (child == nullptr) {
      kfree_skb(k, skb);
      return;
    }
    if (child != sk) {
      tcp_child_process(k, sk, child, skb);
      return;
    }
  }
  if (tcp_rcv_state_process(k, sk, skb) != 0) {
    tcp_v4_send_reset(k, skb);
    kfree_skb(k, skb);
  }
}

void tcp_rcv_established(Kernel& k, sock* sk, sk_buff* skb) {
  Call call(k, Fn::tcp_rcv_established, sk);
  tcp_sock* tp = tcp_sk(sk);
  bool plain = (skb->flags & ~(TCPHDR_PSH)) == TCPHDR_ACK && skb->seq == tp->rcv_nxt &&
               !after(skb->ack_seq, tp->snd_nxt) && skb->window.get().value == tp->snd_wnd && skb->sacks.empty() &&
               tp->out_of_order_queue.empty() && tp->urg_data == TCP_URG_NONE;
  // The fast path: nothing special about the segment, and its memory fits into what the socket has set aside. The first
  // data of a connection that has nothing to send never fits (sk_forward_alloc is 0), so it takes the slow path.
  if (plain && tp->fast_path && skb->len > 0 && static_cast<int>(skb->truesize.get()) <= sk->sk_forward_alloc &&
      skb->len <= tcp_receive_window(sk)) {
    tcp_rcv_fast(k, sk, skb);
    return;
  }
  if (!has(skb, TCPHDR_ACK) && !has(skb, TCPHDR_RST) && !has(skb, TCPHDR_SYN)) {
    kfree_skb(k, skb);
    return;
  }
  if (!tcp_validate_incoming(k, sk, skb)) return;
  if (!tcp_ack(k, sk, skb)) {
    kfree_skb(k, skb);
    return;
  }
  tcp_urg(k, sk, skb);
  tcp_data_queue(k, sk, skb);
  tcp_data_snd_check(k, sk);
  tcp_ack_snd_check(k, sk);
}

namespace {

/// The states between ESTABLISHED and the end, when our FIN was acknowledged.
/// True: the socket is gone or going, the segment is done with.
bool our_fin_acked(Kernel& k, sock* sk, const sk_buff* skb) {
  tcp_sock* tp = tcp_sk(sk);
  switch (tcp_state(sk)) {
    case TcpState::FIN_WAIT1: {
      if (tp->snd_una != tp->write_seq) return false;
      tcp_set_state(k, sk, TcpState::FIN_WAIT2);
      sk->sk_shutdown |= SEND_SHUTDOWN;
      if (!sock_flag(sk, SOCK_DEAD_BIT)) {
        sk->sk_state_change(k, sk);
        return false;
      }
      u64 wait = tcp_fin_time_ns(k, sk);
      if (tp->linger2 < 0) {
        tcp_done(k, sk);
        return true;
      }
      // what is more than TIME_WAIT's minute the socket waits itself; all of it, if the peer's FIN is here too or a
      // system call still holds the orphan
      if (wait > k.config.timewait_ns || has(skb, TCPHDR_FIN) || sk->sk_lock_owned) {
        tcp_reset_keepalive_timer(k, sk, wait > k.config.timewait_ns ? wait - k.config.timewait_ns : wait);
        return false;
      }
      tcp_time_wait(k, sk, TcpState::FIN_WAIT2, wait);
      return true;
    }
    case TcpState::CLOSING:
      if (tp->snd_una != tp->write_seq) return false;
      tcp_time_wait(k, sk, TcpState::TIME_WAIT, 0);
      return true;
    case TcpState::LAST_ACK:
      if (tp->snd_una != tp->write_seq) return false;
      tcp_done(k, sk);
      return true;
    default:
      return false;
  }
}

/// Data that comes with the acknowledgement of an orphan's FIN, as tcp_rcv_state_process() looks for it in FIN_WAIT1.
bool data_for_orphan(Kernel& k, sock* sk, const sk_buff* skb) {
  const tcp_sock* tp = tcp_sk(sk);
  u32 fin = has(skb, TCPHDR_FIN) ? 1 : 0;
  if (tcp_state(sk) != TcpState::FIN_WAIT1 || !sock_flag(sk, SOCK_DEAD_BIT) || tp->snd_una != tp->write_seq ||
      skb->end_seq == skb->seq || !after(skb->end_seq - fin, tp->rcv_nxt))
    return false;
  k.rule(Rule::tcp_data_after_close, sk);
  tcp_set_state(k, sk, TcpState::FIN_WAIT2);
  tcp_done(k, sk);
  return true;
}

/// Data for a socket that nobody can read any more: RFC 9293, section 3.6.1. True: reset.
bool data_after_close(Kernel& k, sock* sk, const sk_buff* skb) {
  u32 fin = has(skb, TCPHDR_FIN) ? 1 : 0;
  return (sk->sk_shutdown & RCV_SHUTDOWN) != 0 && skb->end_seq != skb->seq &&
         after(skb->end_seq - fin, tcp_sk(sk)->rcv_nxt) && (k.rule(Rule::tcp_data_after_close, sk), true);
}

void syn_recv_established(Kernel& k, sock* sk, const sk_buff* skb) {
  tcp_sock* tp = tcp_sk(sk);
  tcp_set_state(k, sk, TcpState::ESTABLISHED);
  if (sk->sk_socket != nullptr) sk->sk_state_change(k, sk);
  tp->snd_una = skb->ack_seq;
  tp->snd_wnd = skb->window.get().value;
  tp->max_window = std::max(tp->max_window.get(), tp->snd_wnd.get());
  tp->snd_wl1 = skb->seq;
  tcp_init_transfer(k, sk);
  if ((sk->sk_shutdown & SEND_SHUTDOWN) != 0) tcp_shutdown(k, sk, SEND_SHUTDOWN);  // deferred to here since 6.9
}

}  // namespace

int tcp_rcv_state_process(Kernel& k, sock* sk, sk_buff* skb) {
  Call call(k, Fn::tcp_rcv_state_process, sk);
  switch (tcp_state(sk)) {
    case TcpState::CLOSE:
      kfree_skb(k, skb);
      return call.result(0);
    case TcpState::LISTEN:
      if (has(skb, TCPHDR_ACK)) return call.result(1);
      if (has(skb, TCPHDR_SYN) && !has(skb, TCPHDR_RST) && !has(skb, TCPHDR_FIN)) tcp_conn_request(k, sk, skb);
      {
        Call consume(k, Fn::consume_skb, skb);
        k.skbs.free(skb);
      }
      return call.result(0);
    case TcpState::SYN_SENT:
      return call.result(tcp_rcv_synsent_state_process(k, sk, skb));
    default:
      break;
  }
  if (!tcp_validate_incoming(k, sk, skb)) return call.result(0);
  if (!has(skb, TCPHDR_ACK)) {
    kfree_skb(k, skb);
    return call.result(0);
  }
  bool opening = tcp_state(sk) == TcpState::SYN_RECV;
  if (!tcp_ack(k, sk, skb)) {
    if (opening) return call.result(1);
    tcp_send_challenge_ack(k, sk);
    kfree_skb(k, skb);
    return call.result(0);
  }
  if (opening) syn_recv_established(k, sk, skb);
  if (data_for_orphan(k, sk, skb)) return call.result(1);
  bool abandons = tcp_state(sk) == TcpState::FIN_WAIT1 && tcp_sk(sk)->linger2 < 0;
  if (our_fin_acked(k, sk, skb)) {
    if (abandons) return call.result(1);  // TCP_LINGER2 below 0: the peer is told by a reset
    kfree_skb(k, skb);
    return call.result(0);
  }
  tcp_urg(k, sk, skb);  // also of data that nobody will read
  TcpState state = tcp_state(sk);
  if ((state == TcpState::FIN_WAIT1 || state == TcpState::FIN_WAIT2) && data_after_close(k, sk, skb)) {
    tcp_reset(k, sk);
    return call.result(1);
  }
  bool takes_data = state == TcpState::ESTABLISHED || state == TcpState::FIN_WAIT1 || state == TcpState::FIN_WAIT2;
  if (takes_data || state == TcpState::CLOSE_WAIT || state == TcpState::CLOSING || state == TcpState::LAST_ACK)
    tcp_data_queue(k, sk, skb);
  else
    kfree_skb(k, skb);
  if (tcp_state(sk) != TcpState::CLOSE) {
    tcp_data_snd_check(k, sk);
    tcp_ack_snd_check(k, sk);
  }
  return call.result(0);
}

void tcp_reset(Kernel& k, sock* sk) {
  Call call(k, Fn::tcp_reset, sk);
  k.rule(Rule::tcp_reset_came, sk);
  switch (tcp_state(sk)) {
    case TcpState::SYN_SENT:
      tcp_done_with_error(k, sk, ECONNREFUSED);
      break;
    case TcpState::CLOSE_WAIT:
      tcp_done_with_error(k, sk, EPIPE);
      break;
    case TcpState::CLOSE:
      break;
    default:
      tcp_done_with_error(k, sk, ECONNRESET);
      break;
  }
}

}  // namespace wakepath::kernel
