// Models: urgent data of net/ipv4/tcp_input.c and tcp.c, Linux 6.18 (RFC 6093: one byte, the last of what was sent with
// MSG_OOB). Left out: SIGURG, which goes to an owner that no call of the model sets; net.ipv4.tcp_stdurg.

#include "sim/kernel/kernel.hh"
#include "sim/kernel/tcp.hh"
#include "sim/kernel/uaccess.hh"

namespace wakepath::kernel {

namespace {

/// The byte that was to be read next, and was urgent, is skipped: a new one takes its place.
void skip_old_urgent_byte(Kernel& k, sock* sk) {
  tcp_sock* tp = tcp_sk(sk);
  sk_buff* skb = sk->sk_receive_queue.list.front();
  ++tp->copied_seq;
  if (skb == nullptr) return;
  ++skb->consumed;
  if (before(tp->copied_seq, skb->end_seq)) return;
  sk->sk_receive_queue.list.erase(skb);
  --sk->sk_receive_queue.qlen;
  sock_rfree(k, sk, skb->truesize);
  kfree_skb(k, skb);
}

void tcp_check_urg(Kernel& k, sock* sk, const sk_buff* skb) {
  Call call(k, Fn::tcp_check_urg, sk);
  tcp_sock* tp = tcp_sk(sk);
  u32 place = skb->seq + skb->urg_ptr - (skb->urg_ptr != 0 ? 1 : 0);
  if (after(tp->copied_seq, place) || before(place, tp->rcv_nxt)) return;  // was read, or was here, before
  if (tp->urg_data != TCP_URG_NONE && !after(place, tp->urg_seq)) return;
  if (tcp_at_mark(sk) && !sock_flag(sk, SOCK_URGINLINE_BIT) && tp->copied_seq != tp->rcv_nxt)
    skip_old_urgent_byte(k, sk);
  k.rule(Rule::tcp_urgent_announced, sk);
  tp->urg_data = TCP_URG_NOTYET;
  tp->urg_seq = place;
}

}  // namespace

void tcp_urg(Kernel& k, sock* sk, const sk_buff* skb) {
  tcp_sock* tp = tcp_sk(sk);
  bool urgent = (skb->flags & TCPHDR_URG) != 0;
  if (!urgent && tp->urg_data != TCP_URG_NOTYET) return;
  Call call(k, Fn::tcp_urg, sk);
  if (urgent) tcp_check_urg(k, sk, skb);
  u32 offset = tp->urg_seq - skb->seq;
  if (tp->urg_data != TCP_URG_NOTYET || offset >= skb->len) return;
  u32 byte = static_cast<unsigned char>(skb->payload[offset]);
  tp->urg_data = static_cast<urgent_data>(TCP_URG_VALID | byte);
  if (!sock_flag(sk, SOCK_DEAD_BIT)) sk->sk_data_ready(k, sk);
}

long tcp_recv_urg(Kernel& k, sock* sk, InMessage& message) {
  tcp_sock* tp = tcp_sk(sk);
  if (sock_flag(sk, SOCK_URGINLINE_BIT) || tp->urg_data == TCP_URG_NONE || tp->urg_data == TCP_URG_READ)
    return k.error(Rule::recv_no_urgent, sk);
  if (tcp_state(sk) == TcpState::CLOSE && !sock_flag(sk, SOCK_DONE_BIT)) return k.error(Rule::recv_not_connected, sk);
  if ((tp->urg_data & TCP_URG_VALID) != 0) {
    char byte = static_cast<char>(tp->urg_data & 0xff);
    if ((message.flags & MSG_PEEK) == 0) tp->urg_data = TCP_URG_READ;
    message.out_flags |= MSG_OOB;
    if (message.size == 0) {
      message.out_flags |= MSG_TRUNC;
      return 0;
    }
    bool copies = (message.flags & MSG_TRUNC) == 0;
    return copies && !copy_to_user(k, message.buffer, &byte, 1) ? k.error(Rule::bad_address_loses, sk) : 1;
  }
  if (tcp_state(sk) == TcpState::CLOSE || (sk->sk_shutdown & RCV_SHUTDOWN) != 0) return 0;
  return k.error(Rule::recv_urgent_not_here, sk);
}

}  // namespace wakepath::kernel
