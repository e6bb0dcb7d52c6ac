// Models: the out-of-order queue of net/ipv4/tcp_input.c, Linux 6.18 (there a red-black tree by sequence number, here a
// list in that order) and the SACK option that tells the sender of it.
// Left out: DSACK of what is out of order, pruning under memory pressure, joining of neighbours on the queue.

#include "sim/kernel/kernel.hh"
#include "sim/kernel/tcp.hh"

namespace wakepath::kernel {

namespace {

constexpr std::size_t kMostSackBlocks = 3;  // with timestamps

void drop_queued(Kernel& k, sock* sk, sk_buff* skb) {
  tcp_sk(sk)->out_of_order_queue.erase(skb);
  sock_rfree(k, sk, skb->truesize);
  kfree_skb(k, skb);
}

}  // namespace

void tcp_data_queue_ofo(Kernel& k, sock* sk, sk_buff* skb) {
  Call call(k, Fn::tcp_data_queue_ofo, sk);
  tcp_sock* tp = tcp_sk(sk);
  k.rule(Rule::tcp_out_of_order, sk);
  inet_csk_schedule_ack(sk);
  if (!tcp_try_rmem_schedule(k, sk, skb)) {  // before its place is looked for: others may be pruned
    kfree_skb(k, skb);
    return;
  }
  sk_buff* place = tp->out_of_order_queue.back();
  while (place != nullptr && after(place->seq, skb->seq)) place = tp->out_of_order_queue.prev(place);
  if (place != nullptr && !before(place->end_seq, skb->end_seq)) {  // it is there already
    kfree_skb(k, skb);
    return;
  }
  sk_buff* next = place != nullptr ? tp->out_of_order_queue.next(place) : tp->out_of_order_queue.front();
  while (next != nullptr && !after(next->end_seq, skb->end_seq)) {
    sk_buff* behind = next->node.next;
    drop_queued(k, sk, next);
    next = behind;
  }
  sk_rmem_schedule(sk, skb->truesize);
  skb->sk = sk;
  tp->out_of_order_queue.insert_behind(place, skb);
  sk_mem_charge(sk, skb->truesize);
}

void tcp_ofo_queue(Kernel& k, sock* sk) {
  Call call(k, Fn::tcp_ofo_queue, sk);
  tcp_sock* tp = tcp_sk(sk);
  while (sk_buff* skb = tp->out_of_order_queue.front()) {
    if (after(skb->seq, tp->rcv_nxt)) break;
    if (!after(skb->end_seq, tp->rcv_nxt)) {
      drop_queued(k, sk, skb);
      continue;
    }
    tp->out_of_order_queue.erase(skb);
    sock_rfree(k, sk, skb->truesize);  // tcp_queue_rcv() charges it again: Linux moves the charge along
    bool fin = (skb->flags & TCPHDR_FIN) != 0;
    if (tcp_queue_rcv(k, sk, skb)) k.skbs.free(skb);
    if (fin) {
      tcp_fin(k, sk);
      break;
    }
  }
}

void tcp_dsack_set(sock* sk, const sk_buff* skb) {
  tcp_sock* tp = tcp_sk(sk);
  const u32 end = after(skb->end_seq, tp->rcv_nxt) ? tp->rcv_nxt : skb->end_seq;
  tp->dsack_seq = skb->seq;
  tp->dsack_len = static_cast<u16>(std::min(end - skb->seq, 65535u));
}

std::vector<std::pair<u32, u32>> tcp_sack_option(sock* sk) {
  std::vector<std::pair<u32, u32>> blocks;
  if (const u32 length = tcp_sk(sk)->dsack_len; length != 0) {
    blocks.emplace_back(tcp_sk(sk)->dsack_seq, tcp_sk(sk)->dsack_seq + length);
    tcp_sk(sk)->dsack_len = 0;
  }
  const std::size_t duplicates = blocks.size();
  for (const sk_buff* skb : tcp_sk(sk)->out_of_order_queue) {
    if (blocks.size() > duplicates && !after(skb->seq, blocks.back().second)) {
      if (after(skb->end_seq, blocks.back().second)) blocks.back().second = skb->end_seq;
    } else if (blocks.size() < kMostSackBlocks) {
      blocks.emplace_back(skb->seq, skb->end_seq);
    }
  }
  return blocks;
}

}  // namespace wakepath::kernel
