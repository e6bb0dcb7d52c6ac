// Models: net/core/sock.c and net/core/stream.c (the parts every TCP socket uses) of Linux 6.18.
// Left out: memory limits of the whole protocol, cgroups, timestamps, busy polling, asynchronous I/O signals.

#include <algorithm>

#include "sim/kernel/datagram.hh"
#include "sim/kernel/kernel.hh"
#include "sim/kernel/tcp.hh"

namespace wakepath::kernel {

namespace {

constexpr u32 kSkbOverhead = 832;  // what Linux charges for a segment beside its data: sk_buff 256, its small head 576
constexpr int kPage = 4096;

record::Text preview(Kernel& k, const Payload& payload) {
  if (!k.recorder.enabled() || payload.empty()) return {};
  std::string text(payload.view().substr(0, 24));
  for (char& c : text)
    if (c < ' ' || c > '~') c = '.';
  if (payload.size() > 24) text += "...";
  return {k.recorder.trace().intern(text)};
}

}  // namespace

sock* sk_alloc(Kernel& k, int family, const proto* prot) {
  Call call(k, Fn::sk_alloc, nullptr);
  Call inner(k, Fn::sk_prot_alloc, nullptr);
  if (k.allocation_fails()) return nullptr;
  sock* sk = prot->slab_alloc(k);
  sk->common.skc_family = static_cast<u16>(family);
  sk->common.skc_state = TcpState::CLOSE;
  sk->common.skc_refcnt = 1;
  sk->sk_prot = prot;
  return sk;
}

void sock_init_data(Kernel&, struct socket* socket, sock* sk) {
  sk->sk_rcvbuf = 212992;  // net.core.rmem_default
  sk->sk_sndbuf = 212992;  // net.core.wmem_default
  sk->sk_rcvlowat = 1;
  sk->sk_data_ready = sock_def_readable;
  sk->sk_state_change = sock_def_wakeup;
  sk->sk_write_space = sock_def_write_space;
  sk->sk_error_report = sock_def_error_report;
  if (socket != nullptr) {
    sk->sk_socket = socket;
    sk->sk_wq = &socket->wq();
    socket->sk = sk;
  }
}

void lock_sock(Kernel& k, sock* sk) {
  // whoever sleeps has released the socket first, so it is free here
  WP_BUG_ON(&k.recorder, sk->sk_lock_owned);
  sk->sk_lock_owned = true;
}

void __release_sock(Kernel& k, sock* sk) {
  Call call(k, Fn::__release_sock, sk);
  while (sk_buff* skb = sk->sk_backlog.pop_front()) sk->sk_prot->backlog_rcv(k, sk, skb);
  tcp_sk(sk)->sk_backlog_len = 0;  // of all of them, only now; no other protocol's segments wait here
}

void release_sock(Kernel& k, sock* sk) {
  Call call(k, Fn::release_sock, sk);
  if (!sk->sk_backlog.empty()) __release_sock(k, sk);
  sk->sk_lock_owned = false;
}

void sock_hold(sock* sk) { ++sk->common.skc_refcnt; }

void sock_put(Kernel& k, sock* sk) {
  --sk->common.skc_refcnt;
  if (sk->common.skc_refcnt > 0) return;
  Call call(k, Fn::sk_free, sk);
  if (sk->sk_wmem_alloc == 0) __sk_free(k, sk);  // else the last buffer that it has sent frees it
}

void __sk_free(Kernel& k, sock* sk) {
  if (sk->sk_prot->destruct != nullptr) sk->sk_prot->destruct(k, sk);
  for (auto* queue : {&sk->sk_receive_queue, &sk->sk_write_queue})
    while (sk_buff* skb = queue->list.pop_front()) kfree_skb(k, skb);
  while (sk_buff* skb = sk->tcp_rtx_queue.pop_front()) kfree_skb(k, skb);
  while (sk_buff* skb = sk->sk_backlog.pop_front()) kfree_skb(k, skb);
  sk->sk_prot->slab_free(k, sk);
}

void sock_orphan(Kernel& k, sock* sk) {
  Call call(k, Fn::sock_orphan, sk);
  sk->sk_flags |= SOCK_DEAD_BIT;
  sk->sk_socket = nullptr;
  sk->sk_wq = nullptr;
}

long sock_error(Kernel& k, sock* sk) {
  int error = sk->sk_err;
  if (error == 0) return 0;
  if (!k.mutant(Mutant::error_reported_twice)) sk->sk_err = 0;
  k.rule(Rule::sock_error_taken, sk);
  return -error;
}

bool sock_flag(const sock* sk, sock_flags flag) { return (sk->sk_flags & flag) != 0; }

void sock_def_readable(Kernel& k, sock* sk) {
  Call call(k, Fn::sock_def_readable, sk);
  if (sk->sk_wq != nullptr && !sk->sk_wq->wait.head.empty())
    __wake_up_sync_key(k, sk->sk_wq->wait, POLL_NONE | (EPOLLIN | EPOLLPRI | EPOLLRDNORM | EPOLLRDBAND));
}

void sock_def_wakeup(Kernel& k, sock* sk) {
  Call call(k, Fn::sock_def_wakeup, sk);
  if (sk->sk_wq == nullptr || sk->sk_wq->wait.head.empty()) return;
  Call wake(k, Fn::__wake_up, sk);
  __wake_up_common(k, sk->sk_wq->wait, 0, false, POLL_NONE);  // wake_up_interruptible_all()
}

void sk_error_report(Kernel& k, sock* sk) {
  Call call(k, Fn::sk_error_report, sk);
  sk->sk_error_report(k, sk);
}

void sock_def_error_report(Kernel& k, sock* sk) {
  Call call(k, Fn::sock_def_error_report, sk);
  if (sk->sk_wq != nullptr && !sk->sk_wq->wait.head.empty()) __wake_up(k, sk->sk_wq->wait, POLL_NONE | EPOLLERR);
}

bool sk_stream_memory_free(const sock* sk) {
  return sk->sk_wmem_queued < sk->sk_sndbuf && tcp_stream_memory_free(sk, false);
}

bool sk_stream_is_writeable(const sock* sk) {
  int space = sk->sk_sndbuf - sk->sk_wmem_queued;
  return space >= sk->sk_wmem_queued / 2 && sk->sk_wmem_queued < sk->sk_sndbuf && tcp_stream_memory_free(sk, true);
}

void sk_stream_write_space(Kernel& k, sock* sk) {
  Call call(k, Fn::sk_stream_write_space, sk);
  if (!sk_stream_is_writeable(sk) || sk->sk_socket == nullptr) return;
  sk->nospace = false;
  if (!sk->sk_wq->wait.head.empty()) __wake_up(k, sk->sk_wq->wait, POLL_NONE | (EPOLLOUT | EPOLLWRNORM | EPOLLWRBAND));
}

void sock_def_write_space(Kernel& k, sock* sk) {
  Call call(k, Fn::sock_def_write_space, sk);
  if (sk->sk_wmem_alloc * 2 > sk->sk_sndbuf || sk->sk_wq == nullptr || sk->sk_wq->wait.head.empty()) return;
  __wake_up_sync_key(k, sk->sk_wq->wait, POLL_NONE | (EPOLLOUT | EPOLLWRNORM | EPOLLWRBAND));
}

sk_buff* alloc_skb(Kernel& k, sock* sk, Payload payload, u32 truesize) {
  return k.allocation_fails() ? nullptr : alloc_skb_nofail(k, sk, std::move(payload), truesize);
}

sk_buff* alloc_skb_nofail(Kernel& k, sock* sk, Payload payload, u32 truesize) {
  Call call(k, Fn::__alloc_skb, nullptr);
  sk_buff* skb = k.skbs.make();
  skb->payload = std::move(payload);
  skb->len = static_cast<u32>(skb->payload.size());
  skb->truesize = truesize != 0 ? truesize : kSkbOverhead + skb->len;
  skb->data = preview(k, skb->payload);
  skb->sk = sk;
  return skb;
}

namespace {

void copy_addresses(sk_buff* to, const sk_buff* from) {
  to->saddr = from->saddr;
  to->daddr = from->daddr;
  to->v6 = from->v6;
  to->saddr6 = from->saddr6;
  to->daddr6 = from->daddr6;
  to->source = from->source;
  to->dest = from->dest;
}

}  // namespace

sk_buff* skb_clone(Kernel& k, const sk_buff* skb) {
  Call call(k, Fn::skb_clone, skb);
  sk_buff* clone = k.skbs.make();
  clone->payload = skb->payload;
  clone->len = skb->len;
  clone->seq = skb->seq;
  clone->end_seq = skb->end_seq;
  clone->flags = skb->flags;
  clone->truesize = skb->truesize;
  clone->data = skb->data;
  clone->mss = skb->mss;
  clone->page_off = skb->page_off;
  clone->nr_frags = skb_frags(skb);
  clone->cloned = true;
  clone->protocol = skb->protocol;
  copy_addresses(clone, skb);
  return clone;
}

std::vector<sk_buff*> skb_segment(Kernel& k, sk_buff* skb) {
  Call call(k, Fn::skb_segment, skb);
  std::vector<sk_buff*> out;
  for (u32 at = 0; at < skb->len; at += skb->mss) {
    sk_buff* piece = alloc_skb_nofail(k, nullptr, skb->payload.view().substr(at, skb->mss));
    const bool last = at + piece->len == skb->len;
    copy_addresses(piece, skb);
    piece->protocol = skb->protocol;
    piece->seq = skb->seq + at;
    piece->end_seq = last ? skb->end_seq.get() : piece->seq + piece->len;
    const u32 not_inside = TCPHDR_FIN | TCPHDR_PSH;
    piece->flags = last ? skb->flags.get() : static_cast<tcp_flags>(static_cast<u32>(skb->flags.get()) & ~not_inside);
    piece->ack_seq = skb->ack_seq;
    piece->window = skb->window.get();
    piece->wscale = skb->wscale;
    piece->urg_ptr = skb->urg_ptr;
    piece->sacks = skb->sacks;
    piece->page_off = static_cast<u16>((skb->page_off + at) % kPageFrag);
    piece->nr_frags = skb_frags(piece);
    out.push_back(piece);
  }
  kfree_skb(k, skb);
  return out;
}

sk_buff* tcp_stream_alloc_skb(Kernel& k, sock* sk, Payload payload) {
  Call call(k, Fn::tcp_stream_alloc_skb, sk);
  return alloc_skb(k, sk, std::move(payload));
}

void kfree_skb(Kernel& k, sk_buff* skb) {
  Call call(k, Fn::__kfree_skb, skb);
  skb_orphan(k, skb);
  k.skbs.free(skb);
}

void skb_store_bits(Kernel& k, sk_buff* skb, std::size_t offset, std::string_view from) {
  std::string bytes(skb->payload.view());
  bytes.replace(offset, from.size(), from);
  skb->payload = bytes;
  skb->data = preview(k, skb->payload);
}

void skb_append(Kernel& k, sk_buff* skb, std::string_view more) {
  skb->payload.append(more);
  skb->len += static_cast<u32>(more.size());
  skb->end_seq += static_cast<u32>(more.size());
  skb->truesize += static_cast<u32>(more.size());
  skb->data = preview(k, skb->payload);
}

namespace {

void take_pages(sock* sk, u32 size) {
  int needed = static_cast<int>(size) - sk->sk_forward_alloc;
  if (needed > 0) sk->sk_forward_alloc += (needed + kPage - 1) / kPage * kPage;
}

void sk_mem_uncharge(sock* sk, u32 size) {
  int free = sk->sk_forward_alloc + static_cast<int>(size);
  sk->sk_forward_alloc = free >= kPage ? free % kPage : free;  // whole pages go back
}

}  // namespace

bool sk_rmem_schedule(sock* sk, u32 size) {
  take_pages(sk, size);
  return true;
}

void sk_wmem_charge(sock* sk, u32 size) {
  take_pages(sk, size);
  sk->sk_wmem_queued += static_cast<int>(size);
  sk->sk_forward_alloc -= static_cast<int>(size);
}

void sk_wmem_uncharge(sock* sk, u32 size) {
  sk->sk_wmem_queued -= static_cast<int>(size);
  sk_mem_uncharge(sk, size);
}

void sk_mem_charge(sock* sk, u32 size) {
  sk->sk_rmem_alloc += static_cast<int>(size);
  sk->sk_forward_alloc -= static_cast<int>(size);
}

void sock_rfree(Kernel& k, sock* sk, u32 size) {
  Call call(k, Fn::sock_rfree, sk);
  sk->sk_rmem_alloc -= static_cast<int>(size);
  sk_mem_uncharge(sk, size);
}

}  // namespace wakepath::kernel
