// Models: net/ipv4/af_inet.c of Linux 6.18: the socket layer's way into TCP and UDP over IPv4 (inet_stream_ops,
// inet_dgram_ops).
// Left out: raw sockets, transparent binds; addresses other than 127.0.0.0/8 are nobody's here.

#include <algorithm>

#include "sim/kernel/af_inet.hh"
#include "sim/kernel/ip.hh"
#include "sim/kernel/kernel.hh"
#include "sim/kernel/tcp.hh"
#include "sim/kernel/udp.hh"

namespace wakepath::kernel {

namespace {

long inet_bind(Kernel& k, struct socket* socket, const Address& address) {
  Call call(k, Fn::inet_bind_sk, socket);
  Call inner(k, Fn::__inet_bind, socket);
  sock* sk = socket->sk;
  if (sockaddr_size(address) < sizeof(sockaddr_in)) return call.result(k.error(Rule::address_too_short, sk));
  // old programs bind INADDR_ANY with the family left at 0
  if (address.family != AF_INET && (address.family != AF_UNSPEC || address.ip != 0))
    return call.result(k.error(Rule::address_of_another_family, sk));
  RouteType type = inet_addr_type(address.ip);
  if (type == RouteType::RTN_UNICAST) return call.result(k.error(Rule::bind_address_not_ours, sk));
  lock_sock(k, sk);
  long error = 0;
  if (tcp_state(sk) != TcpState::CLOSE || sk->common.skc_num != 0) error = k.error(Rule::bind_twice, sk);
  if (error == 0) {
    sk->common.skc_rcv_saddr = record::Ipv4{address.ip};
    inet_sk(sk)->inet_saddr = record::Ipv4{type == RouteType::RTN_LOCAL ? address.ip : 0};
    error = sk->sk_prot->get_port(k, sk, address.port);
    if (error == 0) {
      if (address.ip != 0) sk->sk_userlocks |= SOCK_BINDADDR_LOCK;
      if (address.port != 0) sk->sk_userlocks |= SOCK_BINDPORT_LOCK;
      inet_sk(sk)->inet_sport = sk->common.skc_num;
    } else {
      sk->common.skc_rcv_saddr = record::Ipv4{0};
      inet_sk(sk)->inet_saddr = record::Ipv4{0};
    }
  }
  release_sock(k, sk);
  return call.result(error);
}

}  // namespace

long inet_listen(Kernel& k, struct socket* socket, int backlog) {
  Call call(k, Fn::inet_listen, socket);
  sock* sk = socket->sk;
  lock_sock(k, sk);
  long error = 0;
  TcpState state = tcp_state(sk);
  if (socket->state != SocketState::SS_UNCONNECTED || (state != TcpState::CLOSE && state != TcpState::LISTEN)) {
    error = k.error(Rule::listen_wrong_state, sk);
  } else {
    Call inner(k, Fn::__inet_listen_sk, sk);
    sk->sk_max_ack_backlog = static_cast<u32>(backlog);
    if (state != TcpState::LISTEN) error = inet_csk_listen_start(k, sk);
  }
  release_sock(k, sk);
  return call.result(error);
}

namespace {

bool connecting(const sock* sk) { return tcp_state(sk) == TcpState::SYN_SENT || tcp_state(sk) == TcpState::SYN_RECV; }

/// Until the handshake is over, one way or the other. What is left of the timeout.
MaySleep<u64> inet_wait_for_connect(Kernel& k, sock* sk, u64 timeout) {
  Call call(k, Fn::inet_wait_for_connect, sk);
  StackWaitEntry wait(k, woken_wake_function);
  add_wait_queue(k, sk->sk_wq->wait, wait);
  while (connecting(sk)) {
    release_sock(k, sk);  // the SYN-ACK may be waiting on the socket's backlog: then nobody sleeps
    timeout = co_await wait_woken(k, wait, timeout);
    lock_sock(k, sk);
    if (signal_pending(k) || timeout == 0) break;
  }
  remove_wait_queue(k, wait);
  co_return timeout;
}

MaySleep<long> __inet_stream_connect(Kernel& k, struct socket* socket, const Address& address, int flags) {
  Call call(k, Fn::__inet_stream_connect, socket);
  sock* sk = socket->sk;
  if (address.family == AF_UNSPEC) {
    ++sk->sk_disconnects;
    long error = sk->sk_prot->disconnect(k, sk);
    socket->state = error != 0 ? SocketState::SS_DISCONNECTING : SocketState::SS_UNCONNECTED;
    co_return call.result(error);
  }
  u32 disconnects = sk->sk_disconnects;
  Rule why = Rule::connect_in_progress;  // why the call returns before the handshake is over
  switch (socket->state) {
    case SocketState::SS_CONNECTED:
      co_return call.result(k.error(Rule::connect_again, sk));
    case SocketState::SS_CONNECTING:
      why = Rule::connect_already;
      break;
    case SocketState::SS_UNCONNECTED:
      if (tcp_state(sk) != TcpState::CLOSE) co_return call.result(k.error(Rule::connect_again, sk));
      if (long error = sk->sk_prot->connect(k, sk, address); error < 0) co_return call.result(error);
      socket->state = SocketState::SS_CONNECTING;
      break;
    default:
      co_return call.result(k.error(Rule::connect_wrong_state, sk));
  }
  if (connecting(sk)) {
    u64 timeout = sock_sndtimeo(sk, (flags & O_NONBLOCK) != 0);
    if (timeout == 0 || co_await inet_wait_for_connect(k, sk, timeout) == 0) co_return call.result(k.error(why, sk));
    if (signal_pending(k)) co_return call.result(sock_intr_errno(k, timeout));
    if (disconnects != sk->sk_disconnects) co_return call.result(k.error(Rule::disconnected_meanwhile, sk));
  }
  if (tcp_state(sk) == TcpState::CLOSE) {
    long pending = sock_error(k, sk);
    socket->state = SocketState::SS_UNCONNECTED;
    ++sk->sk_disconnects;  // whoever else sleeps in it finds no error left
    tcp_disconnect(k, sk);
    co_return call.result(pending != 0 ? pending : k.error(Rule::connect_aborted, sk));
  }
  socket->state = SocketState::SS_CONNECTED;
  co_return call.result(0);
}

}  // namespace

MaySleep<long> inet_stream_connect(Kernel& k, struct socket* socket, const Address& address, int flags) {
  Call call(k, Fn::inet_stream_connect, socket);
  sock* sk = socket->sk;
  lock_sock(k, sk);
  long error = co_await __inet_stream_connect(k, socket, address, flags);
  release_sock(k, sk);
  co_return call.result(error);
}

MaySleep<long> inet_accept(Kernel& k, struct socket* socket, struct socket* newsock, int flags) {
  Call call(k, Fn::inet_accept, socket);
  long error = 0;
  sock* child = co_await inet_csk_accept(k, socket->sk, flags, &error);
  if (child == nullptr) co_return call.result(error);
  lock_sock(k, child);
  {
    Call graft(k, Fn::sock_graft, child);
    child->sk_wq = &newsock->wq();
    newsock->sk = child;
    child->sk_socket = newsock;
  }
  newsock->state = SocketState::SS_CONNECTED;
  release_sock(k, child);
  co_return call.result(0);
}

long inet_getname(Kernel& k, struct socket* socket, Address* out, NameOf whose) {
  const sock* sk = socket->sk;
  const sock_common& c = sk->common;
  *out = inet_name(k, c, whose != NameOf::kOwn);
  if (whose == NameOf::kOwn) {
    out->port = inet_sk(sk)->inet_sport;
    return 0;
  }
  bool unconnected = tcp_state(sk) == TcpState::CLOSE || tcp_state(sk) == TcpState::SYN_SENT;
  if (c.skc_dport == 0 || (unconnected && whose == NameOf::kPeer)) return k.error(Rule::getname_not_connected, sk);
  return 0;
}

long inet_shutdown(Kernel& k, struct socket* socket, int how) {
  Call call(k, Fn::inet_shutdown, socket);
  if (how < SHUT_RD || how > SHUT_RDWR) return call.result(k.error(Rule::shutdown_unknown, socket));
  auto mask = static_cast<shutdown_mask>(how + 1);
  sock* sk = socket->sk;
  lock_sock(k, sk);
  if (socket->state == SocketState::SS_CONNECTING)
    socket->state =
        connecting(sk) || tcp_state(sk) == TcpState::CLOSE ? SocketState::SS_DISCONNECTING : SocketState::SS_CONNECTED;
  long error = 0;
  TcpState state = tcp_state(sk);
  if (state == TcpState::SYN_SENT || (state == TcpState::LISTEN && (mask & RCV_SHUTDOWN) != 0)) {
    error = sk->sk_prot->disconnect(k, sk);
    socket->state = SocketState::SS_UNCONNECTED;
  } else if (state != TcpState::LISTEN) {
    if (state == TcpState::CLOSE)
      error = k.error(Rule::shutdown_not_connected, sk);  // but whoever polls it learns of the end
    sk->sk_shutdown |= mask;
    if (sk->sk_prot->shutdown != nullptr) sk->sk_prot->shutdown(k, sk, mask);
  }
  sk->sk_state_change(k, sk);
  release_sock(k, sk);
  return call.result(error);
}

void inet_release(Kernel& k, struct socket* socket) {
  Call call(k, Fn::inet_release, socket);
  sock* sk = socket->sk;
  if (sk == nullptr) return;
  socket->sk = nullptr;  // Linux does it behind close(), when the sock may be gone: here nothing points to what is not
  sk->sk_prot->close(k, sk);
}

long sock_common_setsockopt(Kernel& k, struct socket* socket, int level, int option, OptionValue value) {
  sock* sk = socket->sk;
  return level == sk->sk_prot->protocol && sk->sk_prot->setsockopt != nullptr
             ? sk->sk_prot->setsockopt(k, sk, option, value)
             : k.error(Rule::option_unknown, sk);
}

long sock_common_getsockopt(Kernel& k, struct socket* socket, int level, int option, std::vector<int>* value) {
  sock* sk = socket->sk;
  return level == sk->sk_prot->protocol && sk->sk_prot->getsockopt != nullptr
             ? sk->sk_prot->getsockopt(k, sk, option, value)
             : k.error(level == IPPROTO_IP ? Rule::option_unknown : Rule::option_of_another_level, sk);
}

namespace {

/// A port for a socket that sends before it has one. False: none is left.
bool inet_autobind(Kernel& k, sock* sk) {
  Call call(k, Fn::inet_autobind, sk);
  lock_sock(k, sk);
  long error = sk->common.skc_num == 0 ? sk->sk_prot->get_port(k, sk, 0) : 0;
  if (error == 0) inet_sk(sk)->inet_sport = sk->common.skc_num;
  release_sock(k, sk);
  return call.result(error == 0);
}

}  // namespace

MaySleep<long> inet_dgram_connect(Kernel& k, struct socket* socket, const Address& address, int) {
  Call call(k, Fn::inet_dgram_connect, socket);
  sock* sk = socket->sk;
  if (address.family == AF_UNSPEC) co_return call.result(sk->sk_prot->disconnect(k, sk));
  if (sk->common.skc_num == 0 && !inet_autobind(k, sk)) co_return call.result(k.error(Rule::autobind_no_port, sk));
  co_return call.result(sk->sk_prot->connect(k, sk, address));
}

long sock_no_listen(Kernel& k, struct socket* socket, int) {
  return k.error(Rule::listen_not_for_datagrams, socket->sk.get());
}

MaySleep<long> sock_no_accept(Kernel& k, struct socket* socket, struct socket*, int) {
  co_return k.error(Rule::accept_not_for_datagrams, socket->sk.get());
}

namespace {
MaySleep<long> no_port_to_send_from(Kernel& k, const sock* sk) { co_return k.error(Rule::autobind_no_port, sk); }

}  // namespace

MaySleep<long> inet_sendmsg(Kernel& k, struct socket* socket, OutMessage& message) {
  sock* sk = socket->sk;
  if (sk->common.skc_num == 0 && !sk->sk_prot->no_autobind && !inet_autobind(k, sk)) return no_port_to_send_from(k, sk);
  return sk->sk_prot->sendmsg(k, sk, message);
}

MaySleep<long> inet_recvmsg(Kernel& k, struct socket* socket, InMessage& message) {
  sock* sk = socket->sk;
  return sk->sk_prot->recvmsg(k, sk, message);
}

long inet_ioctl(Kernel& k, struct socket* socket, unsigned command, int* argument) {
  Call call(k, Fn::inet_ioctl, socket);
  sock* sk = socket->sk;
  if (sk->sk_prot->ioctl == nullptr) return call.result(k.error(Rule::ioctl_unknown, sk));
  return call.result(sk->sk_prot->ioctl(k, sk, command, argument));
}

long inet_create_from(Kernel& k, struct socket* socket, int family, int protocol,
                      std::span<const inet_protosw> protocols) {
  if (protocol < 0 || protocol >= IPPROTO_MAX) return k.error(Rule::socket_protocol_not_a_number, nullptr);
  Rule why = Rule::socket_type_not_in_family;
  for (const inet_protosw& answer : protocols) {
    if (answer.type != socket->type) continue;
    why = Rule::socket_protocol_not_in_type;
    if (protocol != 0 && protocol != answer.protocol) continue;
    socket->ops = answer.ops;
    sock* sk = sk_alloc(k, family, answer.prot);
    if (sk == nullptr) return k.error(Rule::no_sock, nullptr);
    sock_init_data(k, socket, sk);
    return answer.prot->init != nullptr ? answer.prot->init(k, sk) : 0;
  }
  return k.error(why, nullptr);
}

const proto_ops inet_stream_ops = {inet_bind,
                                   inet_stream_connect,
                                   inet_accept,
                                   inet_getname,
                                   tcp_poll,
                                   inet_listen,
                                   inet_shutdown,
                                   sock_common_setsockopt,
                                   sock_common_getsockopt,
                                   inet_sendmsg,
                                   inet_recvmsg,
                                   inet_release,
                                   inet_ioctl};

const proto_ops inet_dgram_ops = {
    inet_bind,     inet_dgram_connect,     sock_no_accept,         inet_getname, udp_poll,     sock_no_listen,
    inet_shutdown, sock_common_setsockopt, sock_common_getsockopt, inet_sendmsg, inet_recvmsg, inet_release,
    inet_ioctl};

namespace {

const inet_protosw inetsw_array[] = {{SOCK_STREAM, IPPROTO_TCP, &tcp_prot, &inet_stream_ops},
                                     {SOCK_DGRAM, IPPROTO_UDP, &udp_prot, &inet_dgram_ops}};

long inet_create(Kernel& k, struct socket* socket, int protocol) {
  Call call(k, Fn::inet_create, socket);
  return call.result(inet_create_from(k, socket, AF_INET, protocol, inetsw_array));
}

}  // namespace

const net_proto_family inet_family_ops = {AF_INET, inet_create};

}  // namespace wakepath::kernel
