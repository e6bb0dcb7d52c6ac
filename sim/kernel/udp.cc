// Models: the user's side of net/ipv4/udp.c and datagram.c (connect) of Linux 6.18.
// Corks: udp_cork.cc. Left out: segmentation and GRO, encapsulation, checksums, options of a datagram
// (ancillary data), the error queue (IP_RECVERR): without it the socket's error alone tells of an ICMP message.

#include "sim/kernel/udp.hh"

#include <algorithm>
#include <cstring>

#include "sim/kernel/datagram.hh"
#include "sim/kernel/ipv6.hh"
#include "sim/kernel/kernel.hh"
#include "sim/kernel/tcp.hh"
#include "sim/kernel/uaccess.hh"

namespace wakepath::kernel {

namespace {

constexpr int kPage = 4096;

int truesize(const sk_buff* skb) { return static_cast<int>(skb->truesize.get()); }

/// Where a datagram goes. 0 or an error.
struct Destination {
  u32 daddr = 0;
  u16 dport = 0;
  long error = 0;
};
Destination destination_of(Kernel& k, const sock* sk, const OutMessage& message) {
  if (message.to == nullptr) {
    if (tcp_state(sk) != TcpState::ESTABLISHED) return {0, 0, k.error(Rule::send_no_destination, sk)};
    return {sk->common.skc_daddr.get().value, sk->common.skc_dport, 0};
  }
  if (sockaddr_size(*message.to) < sizeof(sockaddr_in)) return {0, 0, k.error(Rule::address_too_short, sk)};
  if (message.to->family != AF_INET && message.to->family != AF_UNSPEC)
    return {0, 0, k.error(Rule::address_of_another_family, sk)};
  if (message.to->port == 0) return {0, 0, k.error(Rule::send_port_zero, sk)};
  return {message.to->ip, message.to->port, 0};
}

/// The way that a datagram takes. 0 or an error.
struct Route {
  rtable route;
  u16 dport = 0;
  long error = 0;
};
/// A connected socket looks its route up once; from then on what it sends without an address goes where inet->cork.fl
/// points, even when a corked datagram to somebody else, or a connect() that failed, was the last to fill it in.
Route route_of(Kernel& k, sock* sk, const OutMessage& message, const Destination& to) {
  udp_sock* up = udp_sk(sk);
  bool connected = message.to == nullptr && inet_addr_type(to.daddr) != RouteType::RTN_MULTICAST;
  if (connected && up->has_dst) {
    bool broadcast = inet_addr_type(to.daddr) == RouteType::RTN_BROADCAST;
    return {{true, up->fl4_saddr.get().value, up->fl4_daddr.get().value, broadcast}, up->fl4_dport, 0};
  }
  rtable route = ip_route_output(inet_sk(sk)->inet_saddr.get().value, to.daddr);
  if (!route.found) return {.error = k.error(Rule::connect_no_route, sk)};
  if (route.broadcast && !sock_flag(sk, SOCK_BROADCAST_BIT)) return {.error = k.error(Rule::broadcast_not_allowed, sk)};
  if (connected) up->has_dst = true;
  return {route, to.dport, 0};
}

void udp_send_skb(Kernel& k, sk_buff* skb, const rtable& route, u16 source, u16 dest) {
  Call call(k, Fn::udp_send_skb, skb);
  skb->protocol = IPPROTO_UDP;
  skb_dst_set(skb, route);
  skb->saddr = route.saddr;
  skb->daddr = route.daddr;
  skb->source = source;
  skb->dest = dest;
  ip_send_skb(k, skb);
}

}  // namespace

MaySleep<long> udp_sendmsg(Kernel& k, sock* sk, OutMessage& message) {
  Call call(k, Fn::udp_sendmsg, sk);
  if (message.size > 0xffff) co_return call.result(k.error(Rule::send_too_long, sk));
  if ((message.flags & MSG_OOB) != 0) co_return call.result(k.error(Rule::send_no_urgent, sk));
  if (udp_sk(sk)->pending != 0) co_return call.result(udp_append(k, sk, message, {.family = AF_INET}));
  Destination to = destination_of(k, sk, message);
  if (to.error != 0) co_return call.result(to.error);
  Route way = route_of(k, sk, message, to);
  if (way.error != 0) co_return call.result(way.error);
  if (udp_corks(sk, message)) {
    if (to.daddr != 0) way.route.daddr = to.daddr;
    co_return call.result(udp_append(k, sk, message, {.family = AF_INET, .route = way.route, .dport = to.dport}));
  }
  long error = 0;
  sk_buff* skb = ip_make_skb(k, sk, user_payload(k, message.data, message.size), &error);
  if (skb != nullptr && !user_has(k, message.data, message.size)) {
    kfree_skb(k, skb);
    co_return call.result(k.error(Rule::bad_address, sk));
  }
  if (skb == nullptr) co_return call.result(error);
  udp_send_skb(k, skb, way.route, inet_sk(sk)->inet_sport, way.dport);
  co_return call.result(static_cast<long>(message.size));
}

namespace {

/// The next datagram of the reader's queue; taken off unless peeked at.
sk_buff* take_from_reader_queue(Kernel& k, sock* sk, bool peek) {
  sk_buff_head& queue = udp_sk(sk)->reader_queue;
  if (peek || queue.list.empty()) return queue.list.front();
  sk_buff* skb = __skb_dequeue(queue);
  udp_rmem_release(k, sk, truesize(skb), true);
  return skb;
}

/// nullptr: nothing came, and `*error` is what recv() returns.
MaySleep<sk_buff*> __skb_recv_udp(Kernel& k, sock* sk, int flags, long* error) {
  Call call(k, Fn::__skb_recv_udp, sk);
  u64 timeout = sock_rcvtimeo(sk, (flags & MSG_DONTWAIT) != 0);
  bool peek = (flags & MSG_PEEK) != 0;
  for (;;) {
    *error = sock_error(k, sk);
    if (*error != 0) co_return nullptr;
    sk_buff* skb = take_from_reader_queue(k, sk, peek);
    if (skb == nullptr && !sk->sk_receive_queue.list.empty()) {
      skb_queue_splice_tail_init(sk->sk_receive_queue, udp_sk(sk)->reader_queue);
      skb = take_from_reader_queue(k, sk, peek);
    }
    if (skb != nullptr) co_return skb;
    if (timeout == 0) break;
    if (co_await __skb_wait_for_more_packets(k, sk, &sk->sk_receive_queue, nullptr, error, &timeout) != 0)
      co_return nullptr;
  }
  *error = k.error(Rule::recv_would_block, sk);
  co_return nullptr;
}

/// Who sent it, as an address of the reader's family.
Address sender_of(Kernel& k, const sock* sk, const sk_buff* skb) {
  if (sk->common.skc_family == AF_INET) return {skb->saddr, skb->source};
  Address from{.port = skb->source, .family = AF_INET6};
  from.ip6 = in6_bytes(k, skb->v6 ? skb->saddr6 : in6_mapped(k, skb->saddr));
  return from;
}

MaySleep<long> udp_recvmsg(Kernel& k, sock* sk, InMessage& message) {
  Call call(k, sk->common.skc_family == AF_INET6 ? Fn::udpv6_recvmsg : Fn::udp_recvmsg, sk);
  long error = 0;
  sk_buff* skb = co_await __skb_recv_udp(k, sk, message.flags, &error);
  if (skb == nullptr) co_return call.result(error);
  bool peek = (message.flags & MSG_PEEK) != 0;
  std::size_t copied = std::min<std::size_t>(message.size, skb->len);
  if (copied < skb->len) {
    message.out_flags |= MSG_TRUNC;
    k.rule(Rule::datagram_cut, sk);
  }
  bool whole = true;
  {
    Call copy(k, Fn::skb_copy_datagram_iter, skb);
    whole = copy_to_user(k, message.buffer, skb->payload.data(), copied);
  }
  if (!whole) {
    error = k.error(peek ? Rule::bad_address : Rule::bad_address_loses, sk);
    if (!peek) kfree_skb(k, skb);
    co_return call.result(error);
  }
  message.from = sender_of(k, sk, skb);
  long result = static_cast<long>((message.flags & MSG_TRUNC) != 0 ? skb->len.get() : copied);
  if (!peek) {
    Call consume(k, Fn::skb_consume_udp, skb);
    k.skbs.free(skb);
  }
  co_return call.result(result);
}

}  // namespace

/// A datagram socket is "connected" when it has one address to send to and to hear from.
long __ip4_datagram_connect(Kernel& k, sock* sk, const Address& to) {
  Call call(k, Fn::__ip4_datagram_connect, sk);
  if (sockaddr_size(to) < sizeof(sockaddr_in)) return call.result(k.error(Rule::address_too_short, sk));
  if (to.family != AF_INET) return call.result(k.error(Rule::address_of_another_family, sk));
  u32 own = inet_sk(sk)->inet_saddr.get().value;
  rtable route = ip_route_output(own, to.ip);
  udp_sk(sk)->has_dst = false;
  udp_set_flow(sk, route.found ? route.saddr : own, route.daddr, to.port);
  if (!route.found) return call.result(k.error(Rule::connect_no_route, sk));
  if (route.broadcast && !sock_flag(sk, SOCK_BROADCAST_BIT))
    return call.result(k.error(Rule::broadcast_not_allowed, sk));
  sk_daddr_set(k, sk, route.daddr);
  sk->common.skc_dport = to.port;
  if (inet_sk(sk)->inet_saddr.get().value == 0) inet_sk(sk)->inet_saddr = record::Ipv4{route.saddr};
  if (sk->common.skc_rcv_saddr.get().value == 0) {
    sk_rcv_saddr_set(k, sk, route.saddr);
    udp_lib_rehash(k, sk);
  }
  if (sk->sk_reuseport_cb != nullptr) sk->sk_reuseport_cb->has_conns = true;
  sk->common.skc_state = TcpState::ESTABLISHED;
  udp_sk(sk)->has_dst = true;
  udp_lib_hash4(k, sk);
  return call.result(0);
}

namespace {

long udp_connect(Kernel& k, sock* sk, const Address& to) {
  Call call(k, Fn::udp_connect, sk);
  lock_sock(k, sk);
  long error = __ip4_datagram_connect(k, sk, to);
  release_sock(k, sk);
  return call.result(error);
}

long udp_disconnect(Kernel& k, sock* sk) {
  Call call(k, Fn::udp_disconnect, sk);
  lock_sock(k, sk);
  sk->common.skc_state = TcpState::CLOSE;
  sk->common.skc_daddr = record::Ipv4{0};
  sk->common.skc_v6_daddr = In6{};
  sk->common.skc_dport = static_cast<u16>(0);
  if ((sk->sk_userlocks & SOCK_BINDADDR_LOCK) == 0) {
    inet_reset_saddr(sk);
    if ((sk->sk_userlocks & SOCK_BINDPORT_LOCK) != 0) udp_lib_rehash(k, sk);
  }
  if ((sk->sk_userlocks & SOCK_BINDPORT_LOCK) == 0) {
    udp_lib_unhash(k, sk);
    inet_sk(sk)->inet_sport = static_cast<u16>(0);
  }
  release_sock(k, sk);
  return call.result(0);
}

int udp_init_sock(Kernel& k, sock* sk) {
  Call call(k, Fn::udp_init_sock, sk);
  udp_sk(sk)->forward_threshold = sk->sk_rcvbuf / 4;
  return call.result(0);
}

void udp_lib_close(Kernel& k, sock* sk) {
  Call call(k, Fn::udp_lib_close, sk);
  Call common(k, Fn::sk_common_release, sk);
  udp_flush_pending_frames(k, sk);
  udp_lib_unhash(k, sk);
  sock_orphan(k, sk);
  sock_put(k, sk);
}

/// Datagrams that nobody will read.
void udp_destruct_common(Kernel& k, sock* sk) {
  Call call(k, Fn::udp_destruct_common, sk);
  udp_sock* up = udp_sk(sk);
  skb_queue_splice_tail_init(sk->sk_receive_queue, up->reader_queue);
  int total = 0;
  while (sk_buff* skb = __skb_dequeue(up->reader_queue)) {
    total += truesize(skb);
    kfree_skb(k, skb);
  }
  udp_rmem_release(k, sk, total, false);
}

void udp_set_rcvbuf(sock* sk) { udp_sk(sk)->forward_threshold = sk->sk_rcvbuf / 4; }

sock* udp_slab_alloc(Kernel& k) { return as_sock(k.udp_socks.make()); }
void udp_slab_free(Kernel& k, sock* sk) { k.udp_socks.free(udp_sk(sk)); }

}  // namespace

void udp_rmem_release(Kernel&, sock* sk, int size, bool partial) {
  udp_sock* up = udp_sk(sk);
  if (partial) {
    up->forward_deficit += size;
    size = up->forward_deficit;
    if (size < up->forward_threshold && !up->reader_queue.list.empty()) return;
  } else {
    size += up->forward_deficit;
  }
  up->forward_deficit = 0;
  int whole_pages = (size + sk->sk_forward_alloc - (partial ? 1 : 0)) & ~(kPage - 1);
  sk->sk_forward_alloc += size - whole_pages;
  sk->sk_rmem_alloc -= size;
  skb_queue_splice_tail_init(sk->sk_receive_queue, up->reader_queue);  // spares the next reader the other queue
}

int first_packet_length(Kernel& k, sock* sk) {
  Call call(k, Fn::first_packet_length, sk);
  sk_buff_head& queue = udp_sk(sk)->reader_queue;
  if (queue.list.empty()) skb_queue_splice_tail_init(sk->sk_receive_queue, queue);
  const sk_buff* first = queue.list.front();
  return call.result(first != nullptr ? static_cast<int>(first->len.get()) : -1);
}

poll_t udp_events(const sock* sk) {
  poll_t mask = datagram_events(sk, sk->sk_receive_queue);
  return udp_sk(sk)->reader_queue.list.empty() ? mask : mask | (EPOLLIN | EPOLLRDNORM);
}

poll_t udp_poll(Kernel& k, struct file* file, struct socket* socket, poll_table* table) {
  sock* sk = socket->sk;
  Call call(k, Fn::udp_poll, sk);
  poll_t mask = datagram_poll_queue(k, file, socket, table, sk->sk_receive_queue);
  if (!udp_sk(sk)->reader_queue.list.empty()) mask = mask | (EPOLLIN | EPOLLRDNORM);
  // a blocking reader must not be told of a datagram with a wrong checksum: Linux looks at the first one here
  bool look = (static_cast<u32>(mask) & EPOLLRDNORM) != 0 && (file->f_flags & O_NONBLOCK) == 0 &&
              (sk->sk_shutdown & RCV_SHUTDOWN) == 0;
  if (look) first_packet_length(k, sk);
  return call.result(mask);
}

const proto udp_prot = {.name = "UDP",
                        .slab_alloc = udp_slab_alloc,
                        .slab_free = udp_slab_free,
                        .init = udp_init_sock,
                        .close = udp_lib_close,
                        .connect = udp_connect,
                        .get_port = udp_lib_get_port,
                        .setsockopt = udp_setsockopt,
                        .getsockopt = udp_getsockopt,
                        .sendmsg = udp_sendmsg,
                        .recvmsg = udp_recvmsg,
                        .protocol = IPPROTO_UDP,
                        .disconnect = udp_disconnect,
                        .destruct = udp_destruct_common,
                        .rcvbuf_changed = udp_set_rcvbuf,
                        .ioctl = udp_ioctl};

}  // namespace wakepath::kernel
