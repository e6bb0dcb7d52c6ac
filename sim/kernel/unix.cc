// Models: of net/unix/af_unix.c (Linux 6.18) what stream, dgram and seqpacket share: making, naming, listening, poll,
// shutdown, the end. What is left out stands at the top of unix_sock.hh.
// Locks are left out as everywhere: nothing preempts between two sleeps.

#include <linux/sockios.h>
#include <sys/ioctl.h>

#include "sim/kernel/kernel.hh"
#include "sim/kernel/unix_sock.hh"

namespace wakepath::kernel {

void unix_address::describe(record::KindBuilder<unix_address>& b) {
  b.field(&unix_address::refcnt, "refcnt").field(&unix_address::name, "name");
}

void unix_sock::describe(record::KindBuilder<unix_sock>& b) {
  b.embed(&unix_sock::sk, "sk", "sock", 0, 784)
      .field(&unix_sock::addr, "addr")
      .field(&unix_sock::peer, "peer")
      .field(&unix_sock::listener, "listener")
      .field(&unix_sock::inflight, "vertex.out_degree")
      .embed(&unix_sock::peer_wq, "peer_wq", "socket_wq", 960, 64)
      .embed(&unix_sock::peer_wake, "peer_wake", "wait_queue_entry", 1024, 40)
      .field(&unix_sock::peer_wake_private, "peer_wake.private")
      .field(&unix_sock::inq_len, "inq_len")
      .field(&unix_sock::oob_skb, "oob_skb");
}

namespace {

/// Names of different types do not meet: the type goes into the hash.
std::string table_key(int type, const std::string& path) { return static_cast<char>(type) + path; }

bool connection_based(const sock* sk) { return sk->sk_type == SOCK_STREAM || sk->sk_type == SOCK_SEQPACKET; }

void unix_release_addr(Kernel& k, unix_address* addr) {
  --addr->refcnt;
  if (addr->refcnt == 0) k.unix_addresses.free(addr);
}

void unix_sock_destructor(Kernel& k, sock* sk) {
  if (unix_address* addr = unix_sk(sk)->addr; addr != nullptr) unix_release_addr(k, addr);
}

}  // namespace

void unix_write_space(Kernel& k, sock* sk) {
  Call call(k, Fn::unix_write_space, sk);
  if (unix_writable(sk) && sk->sk_wq != nullptr && !sk->sk_wq->wait.head.empty())
    __wake_up_sync_key(k, sk->sk_wq->wait, POLL_NONE | (EPOLLOUT | EPOLLWRNORM | EPOLLWRBAND));
}

bool unix_recvq_full(const sock* sk) { return sk->sk_receive_queue.qlen > sk->sk_max_ack_backlog; }

/// sk_wmem_alloc of Linux counts one more than what is charged.
bool unix_writable(const sock* sk) {
  return sk->common.skc_state != TcpState::LISTEN && (sk->sk_wmem_alloc + 1) * 4 <= sk->sk_sndbuf;
}

sock* unix_create1(Kernel& k, struct socket* socket, int type) {
  Call call(k, Fn::unix_create1, nullptr);
  sock* sk = sk_alloc(k, AF_UNIX, type == SOCK_STREAM ? &unix_stream_proto : &unix_dgram_proto);
  if (sk == nullptr) return nullptr;
  sock_init_data(k, socket, sk);
  sk->sk_type = static_cast<short>(type);
  sk->sk_write_space = unix_write_space;
  sk->sk_max_ack_backlog = k.config.max_dgram_qlen;
  unix_sk(sk)->peer_wake.func = unix_dgram_peer_wake_relay;
  return sk;
}

namespace {

long unix_create(Kernel& k, struct socket* socket, int protocol) {
  Call call(k, Fn::unix_create, nullptr);
  if (protocol != 0 && protocol != PF_UNIX) return call.result(k.error(Rule::socket_protocol_not_in_type, nullptr));
  switch (socket->type) {
    case SOCK_STREAM:
      socket->ops = &unix_stream_ops;
      break;
    case SOCK_RAW:  // an old name for datagrams
      socket->type = static_cast<short>(SOCK_DGRAM);
      [[fallthrough]];
    case SOCK_DGRAM:
      socket->ops = &unix_dgram_ops;
      break;
    case SOCK_SEQPACKET:
      socket->ops = &unix_seqpacket_ops;
      break;
    default:
      return call.result(k.error(Rule::socket_type_not_in_family, nullptr));
  }
  return call.result(unix_create1(k, socket, socket->type) != nullptr ? 0 : k.error(Rule::no_memory, nullptr));
}

void unix_release(Kernel& k, struct socket* socket) {
  Call call(k, Fn::unix_release, socket);
  sock* sk = socket->sk;
  if (sk == nullptr) return;
  unix_release_sock(k, sk, false);
  socket->sk = nullptr;
}

void unix_remove_socket(Kernel& k, sock* sk) {
  const unix_sock* u = unix_sk(sk);
  if (u->addr == nullptr) return;
  auto found = k.unix_table.find(table_key(sk->sk_type, u->addr->path));
  if (found != k.unix_table.end() && found->second == sk) k.unix_table.erase(found);
}

}  // namespace

void unix_wake_peers(Kernel& k, sock* sk) {
  wait_queue_head& queue = unix_sk(sk)->peer_wq.wait;
  if (queue.head.empty()) return;
  Call call(k, Fn::__wake_up, &queue);
  __wake_up_common(k, queue, 0, false, POLL_NONE);
}

void unix_release_sock(Kernel& k, sock* sk, bool embrion) {
  Call call(k, Fn::unix_release_sock, sk);
  unix_remove_socket(k, sk);
  sock_orphan(k, sk);
  sk->sk_shutdown = SHUTDOWN_MASK;
  TcpState state = sk->common.skc_state;
  sk->common.skc_state = TcpState::CLOSE;
  sock* skpair = unix_peer(sk);
  unix_sk(sk)->peer = nullptr;
  unix_wake_peers(k, sk);
  if (skpair != nullptr) {
    if (connection_based(sk)) {
      skpair->sk_shutdown = SHUTDOWN_MASK;
      // the mark that an urgent byte left behind is nothing unread
      const sk_buff* unread = sk->sk_receive_queue.list.front();
      if (unread != nullptr && unix_skb_spent(unread)) unread = sk->sk_receive_queue.list.next(unread);
      if (unread != nullptr || embrion) {
        k.rule(Rule::unix_unread_data_resets, sk);
        skpair->sk_err = ECONNRESET;
      }
      skpair->sk_state_change(k, skpair);
    }
    unix_dgram_peer_wake_disconnect(k, sk, skpair);
    sock_put(k, skpair);
  }
  unix_sk(sk)->oob_skb = nullptr;
  while (sk_buff* skb = __skb_dequeue(sk->sk_receive_queue)) {
    if (state == TcpState::LISTEN) unix_release_sock(k, skb->sk, true);
    kfree_skb(k, skb);
  }
  sock_put(k, sk);
  unix_schedule_gc(k);
}

long unix_validate_addr(Kernel& k, const Address& address) {
  return address.family != AF_UNIX || address.path.empty() ? k.error(Rule::unix_no_address, nullptr) : 0;
}

sock* unix_find_other(Kernel& k, const Address& address, int type, long* error) {
  Call call(k, Fn::unix_find_other, nullptr);
  auto found = k.unix_table.find(table_key(type, address.path));
  if (found != k.unix_table.end()) return found->second;
  *error = k.error(Rule::unix_nobody_there, nullptr);
  return nullptr;
}

void unix_set_addr(Kernel& k, unix_sock* u, unix_address* addr) {
  u->addr = addr;
  ++addr->refcnt;
  if (u->listener == nullptr) k.unix_table[table_key(u->sk.sk_type, addr->path)] = as_sock(u);
}

Address unix_address_of(const sock* sk) {
  Address out;
  out.family = AF_UNIX;
  if (const unix_address* addr = unix_sk(sk)->addr; addr != nullptr) out.path = addr->path;
  return out;
}

bool unix_may_send(sock* sk, sock* other) { return unix_peer(other) == nullptr || unix_peer(other) == sk; }

namespace {

/// unix_autobind(): five hexadecimal digits that nobody has.
void unix_autobind(Kernel& k, sock* sk, unix_address* addr) {
  static const char* const kDigits = "0123456789abcdef";
  do {
    k.unix_autobind_number = (k.unix_autobind_number + 1) & 0xFFFFF;
    addr->path.assign(1, '\0');
    for (int shift = 16; shift >= 0; shift -= 4) addr->path += kDigits[(k.unix_autobind_number >> shift) & 15];
  } while (k.unix_table.contains(table_key(sk->sk_type, addr->path)));
}

long unix_bind(Kernel& k, struct socket* socket, const Address& address) {
  Call call(k, Fn::unix_bind, socket);
  sock* sk = socket->sk;
  bool any = address.family == AF_UNIX && address.path.empty();
  if (!any)
    if (long error = unix_validate_addr(k, address); error != 0) return call.result(error);
  if (unix_sk(sk)->addr != nullptr) return call.result(any ? 0 : k.error(Rule::bind_twice, sk));
  if (!any && k.unix_table.contains(table_key(sk->sk_type, address.path)))
    return call.result(k.error(Rule::unix_name_in_use, sk));
  unix_address* addr = k.alloc(k.unix_addresses);
  if (addr == nullptr) return call.result(k.error(Rule::no_memory, sk));
  addr->path = address.path;
  if (any) unix_autobind(k, sk, addr);
  if (k.recorder.enabled())
    addr->name = record::Text{k.recorder.trace().intern(std::string("@").append(addr->path, 1))};
  unix_set_addr(k, unix_sk(sk), addr);
  return call.result(0);
}

long unix_listen(Kernel& k, struct socket* socket, int backlog) {
  Call call(k, Fn::unix_listen, socket);
  sock* sk = socket->sk;
  if (!connection_based(sk)) return call.result(k.error(Rule::listen_not_for_datagrams, sk));
  if (unix_sk(sk)->addr == nullptr) return call.result(k.error(Rule::unix_listen_without_name, sk));
  TcpState state = sk->common.skc_state;
  if (state != TcpState::CLOSE && state != TcpState::LISTEN) return call.result(k.error(Rule::listen_wrong_state, sk));
  if (static_cast<u32>(backlog) > sk->sk_max_ack_backlog) unix_wake_peers(k, sk);
  sk->sk_max_ack_backlog = static_cast<u32>(backlog);
  sk->common.skc_state = TcpState::LISTEN;
  return call.result(0);
}

long unix_getname(Kernel& k, struct socket* socket, Address* out, NameOf whose) {
  sock* sk = whose == NameOf::kOwn ? socket->sk.get() : unix_peer(socket->sk);
  if (sk == nullptr) return k.error(Rule::getname_not_connected, socket->sk);
  *out = unix_address_of(sk);
  return 0;
}

long unix_shutdown(Kernel& k, struct socket* socket, int how) {
  Call call(k, Fn::unix_shutdown, socket);
  if (how < SHUT_RD || how > SHUT_RDWR) return call.result(k.error(Rule::shutdown_unknown, socket));
  sock* sk = socket->sk;
  auto mode = static_cast<shutdown_mask>(how + 1);
  sk->sk_shutdown |= mode;
  HeldSock other(k, unix_peer(sk));
  sk->sk_state_change(k, sk);
  if (other.get() != nullptr && connection_based(sk)) {
    u32 peer_mode = ((mode & RCV_SHUTDOWN) != 0 ? SEND_SHUTDOWN : SHUTDOWN_NONE) |
                    ((mode & SEND_SHUTDOWN) != 0 ? RCV_SHUTDOWN : SHUTDOWN_NONE);
    other.get()->sk_shutdown |= static_cast<shutdown_mask>(peer_mode);
    other.get()->sk_state_change(k, other.get());
  }
  return call.result(0);
}

poll_t unix_poll(Kernel& k, struct file* file, struct socket* socket, poll_table* table) {
  Call call(k, Fn::unix_poll, socket->sk);
  poll_wait(k, file, &socket->wq().wait, table);
  return call.result(unix_events(socket->sk));
}

constexpr u32 kWritable = EPOLLOUT | EPOLLWRNORM | EPOLLWRBAND;

/// Also of seqpacket sockets. Looking for room in the peer's queue leaves an entry there.
poll_t unix_dgram_poll(Kernel& k, struct file* file, struct socket* socket, poll_table* table) {
  sock* sk = socket->sk;
  Call call(k, Fn::unix_dgram_poll, sk);
  poll_wait(k, file, &socket->wq().wait, table);
  poll_t mask = unix_events(sk);
  bool wanted = table == nullptr || (static_cast<u32>(table->_key) & kWritable) != 0;
  sock* other = unix_peer(sk);
  if (!wanted) return call.result(static_cast<poll_t>(mask & ~kWritable));
  if ((static_cast<u32>(mask) & EPOLLOUT) != 0 && other != nullptr && unix_peer(other) != sk &&
      unix_recvq_full(other) && unix_dgram_peer_wake_me(k, sk, other))
    mask = static_cast<poll_t>(mask & ~kWritable);
  return call.result(mask);
}

long unix_ioctl(Kernel& k, struct socket* socket, unsigned command, int* argument) {
  Call call(k, Fn::unix_ioctl, socket);
  sock* sk = socket->sk;
  if (command == SIOCOUTQ) {
    *argument = sk->sk_wmem_alloc;
  } else if (command == SIOCATMARK) {
    if (sk->sk_type != SOCK_STREAM) return call.result(k.error(Rule::send_no_urgent, sk));
    *argument = unix_at_mark(sk) ? 1 : 0;
  } else if (command == SIOCINQ) {
    if (sk->common.skc_state == TcpState::LISTEN) return call.result(k.error(Rule::ioctl_while_listening, sk));
    const sk_buff* first = sk->sk_receive_queue.list.front();
    *argument = sk->sk_type != SOCK_DGRAM ? unix_sk(sk)->inq_len.get()
                : first != nullptr        ? static_cast<int>(first->len)
                                          : 0;
  } else {
    return call.result(k.error(Rule::ioctl_unknown, sk));
  }
  return call.result(0);
}

long unix_setsockopt(Kernel& k, struct socket* socket, int, int, OptionValue) {
  return k.error(Rule::option_level_unknown, socket->sk);
}
long sock_no_getsockopt(Kernel& k, struct socket* socket, int, int, std::vector<int>*) {
  return k.error(Rule::option_level_unknown, socket->sk);
}

MaySleep<long> sock_no_accept(Kernel& k, struct socket* socket, struct socket*, int) {
  co_return k.error(Rule::accept_not_for_datagrams, socket->sk);
}

sock* unix_slab_alloc(Kernel& k) { return as_sock(k.unix_socks.make()); }
void unix_slab_free(Kernel& k, sock* sk) { k.unix_socks.free(unix_sk(sk)); }

}  // namespace

poll_t unix_events(const sock* sk) {
  poll_t mask = POLL_NONE;
  if (sk->sk_err != 0) mask = mask | EPOLLERR;
  if (unix_sk(sk)->oob_skb != nullptr) mask = mask | EPOLLPRI;
  if (sk->sk_shutdown == SHUTDOWN_MASK) mask = mask | EPOLLHUP;
  if ((sk->sk_shutdown & RCV_SHUTDOWN) != 0) mask = mask | (EPOLLRDHUP | EPOLLIN | EPOLLRDNORM);
  if (!sk->sk_receive_queue.list.empty()) mask = mask | (EPOLLIN | EPOLLRDNORM);
  if (connection_based(sk) && sk->common.skc_state == TcpState::CLOSE) mask = mask | EPOLLHUP;
  if (unix_writable(sk)) mask = mask | kWritable;
  return mask;
}

const proto unix_stream_proto = {.name = "UNIX-STREAM",
                                 .slab_alloc = unix_slab_alloc,
                                 .slab_free = unix_slab_free,
                                 .destruct = unix_sock_destructor};
const proto unix_dgram_proto = {
    .name = "UNIX", .slab_alloc = unix_slab_alloc, .slab_free = unix_slab_free, .destruct = unix_sock_destructor};

const proto_ops unix_stream_ops = {unix_bind,          unix_stream_connect, unix_accept,         unix_getname,
                                   unix_poll,          unix_listen,         unix_shutdown,       unix_setsockopt,
                                   sock_no_getsockopt, unix_stream_sendmsg, unix_stream_recvmsg, unix_release,
                                   unix_ioctl,         unix_socketpair};
const proto_ops unix_dgram_ops = {unix_bind,          unix_dgram_connect, sock_no_accept,     unix_getname,
                                  unix_dgram_poll,    unix_listen,        unix_shutdown,      unix_setsockopt,
                                  sock_no_getsockopt, unix_dgram_sendmsg, unix_dgram_recvmsg, unix_release,
                                  unix_ioctl,         unix_socketpair};
const proto_ops unix_seqpacket_ops = {unix_bind,
                                      unix_stream_connect,
                                      unix_accept,
                                      unix_getname,
                                      unix_dgram_poll,
                                      unix_listen,
                                      unix_shutdown,
                                      unix_setsockopt,
                                      sock_no_getsockopt,
                                      unix_seqpacket_sendmsg,
                                      unix_seqpacket_recvmsg,
                                      unix_release,
                                      unix_ioctl,
                                      unix_socketpair};

const net_proto_family unix_family_ops = {AF_UNIX, unix_create};

}  // namespace wakepath::kernel
