// Models: net/ipv6/af_inet6.c, ipv6_sockglue.c (IPV6_V6ONLY) and ipv6_addr_type() of Linux 6.18: the socket layer's way
// into TCP and UDP over IPv6.
// Left out: every address but ::1, "::" and the mapped ones of 127.0.0.0/8; multicast, devices, flow labels. struct
// ipv6_pinfo, whose saddr here always equals skc_v6_rcv_saddr.

#include <arpa/inet.h>

#include <algorithm>

#include "sim/kernel/af_inet.hh"
#include "sim/kernel/ipv6.hh"
#include "sim/kernel/kernel.hh"
#include "sim/kernel/tcp.hh"
#include "sim/kernel/udp.hh"

namespace wakepath::kernel {

In6 in6_make(Kernel& k, const std::array<u8, 16>& bytes) {
  if (std::all_of(bytes.begin(), bytes.end(), [](u8 byte) { return byte == 0; })) return {};
  char text[INET6_ADDRSTRLEN] = "";
  inet_ntop(AF_INET6, bytes.data(), text, sizeof text);
  bool mapped = std::all_of(bytes.begin(), bytes.begin() + 10, [](u8 byte) { return byte == 0; }) &&
                bytes[10] == 0xff && bytes[11] == 0xff;
  In6 address{static_cast<u32>(k.recorder.trace().intern(text)) | (mapped ? In6::kMapped : 0)};
  k.in6_table[address.value] = bytes;
  return address;
}

std::array<u8, 16> in6_bytes(const Kernel& k, In6 address) {
  return address.any() ? std::array<u8, 16>{} : k.in6_table.at(address.value);
}

In6 in6_mapped(Kernel& k, u32 ip) {
  std::array<u8, 16> bytes{};
  bytes[10] = bytes[11] = 0xff;
  for (u32 i = 0; i < 4; ++i) bytes[12 + i] = static_cast<u8>(ip >> (24 - 8 * i));
  return in6_make(k, bytes);
}

u32 in6_v4(const Kernel& k, In6 address) {
  std::array<u8, 16> bytes = in6_bytes(k, address);
  u32 ip = 0;
  for (std::size_t i = 12; i < 16; ++i) ip = ip << 8 | bytes[i];
  return ip;
}

In6 in6_loopback(Kernel& k) {
  std::array<u8, 16> bytes{};
  bytes[15] = 1;
  return in6_make(k, bytes);
}

bool in6_is_multicast(const Kernel& k, In6 address) { return in6_bytes(k, address)[0] == 0xff; }

bool in6_needs_scope(const Kernel& k, In6 address) {
  std::array<u8, 16> bytes = in6_bytes(k, address);
  bool multicast = bytes[0] == 0xff && ((bytes[1] & 15) == 1 || (bytes[1] & 15) == 2);
  return multicast || (bytes[0] == 0xfe && (bytes[1] & 0xc0) == 0x80);
}

void sk_rcv_saddr_set(Kernel& k, sock* sk, u32 ip) {
  sk->common.skc_rcv_saddr = record::Ipv4{ip};
  if (sk->common.skc_family == AF_INET6) sk->common.skc_v6_rcv_saddr = in6_mapped(k, ip);
}

void sk_daddr_set(Kernel& k, sock* sk, u32 ip) {
  sk->common.skc_daddr = record::Ipv4{ip};
  if (sk->common.skc_family == AF_INET6) sk->common.skc_v6_daddr = in6_mapped(k, ip);
}

Address inet_name(const Kernel& k, const sock_common& c, bool peer) {
  Address out;
  out.family = c.skc_family;
  out.port = peer ? c.skc_dport : c.skc_num;
  if (c.skc_family == AF_INET6)
    out.ip6 = in6_bytes(k, peer ? c.skc_v6_daddr : c.skc_v6_rcv_saddr);
  else
    out.ip = (peer ? c.skc_daddr : c.skc_rcv_saddr).get().value;
  return out;
}

namespace {

/// The IPv4 address that stands for an IPv6 one in bind(); or an error.
struct BindAddress {
  u32 v4 = 0;
  long error = 0;
};
BindAddress check_bind_address(Kernel& k, const sock* sk, In6 address) {
  if (address.any()) return {};
  if (address.v4mapped()) {
    if (sk->common.skc_ipv6only) return {0, k.error(Rule::bind_mapped_v6only, sk)};
    u32 ip = in6_v4(k, address);
    bool ours = inet_addr_type(ip) != RouteType::RTN_UNICAST;
    return {ip, ours ? 0 : k.error(Rule::bind_address_not_ours, sk)};
  }
  if (in6_needs_scope(k, address)) return {0, k.error(Rule::address_needs_device, sk)};
  bool ours = address == in6_loopback(k) || in6_is_multicast(k, address);
  return {LOOPBACK4_IPV6, ours ? 0 : k.error(Rule::bind_address_not_ours, sk)};
}

long __inet6_bind(Kernel& k, sock* sk, In6 address, u16 port) {
  if (tcp_state(sk) != TcpState::CLOSE || sk->common.skc_num != 0) return k.error(Rule::bind_twice, sk);
  BindAddress v4 = check_bind_address(k, sk, address);
  if (v4.error != 0) return v4.error;
  bool ipv6only = sk->common.skc_ipv6only;
  sk->common.skc_rcv_saddr = record::Ipv4{v4.v4};
  inet_sk(sk)->inet_saddr = record::Ipv4{v4.v4};
  sk->common.skc_v6_rcv_saddr = address;
  if (!address.any() && !address.v4mapped()) sk->common.skc_ipv6only = true;
  if (long error = sk->sk_prot->get_port(k, sk, port); error != 0) {
    sk->common.skc_ipv6only = ipv6only;
    inet_reset_saddr(sk);
    return error;
  }
  if (!address.any()) sk->sk_userlocks |= SOCK_BINDADDR_LOCK;
  if (port != 0) sk->sk_userlocks |= SOCK_BINDPORT_LOCK;
  inet_sk(sk)->inet_sport = sk->common.skc_num;
  return 0;
}

long inet6_bind(Kernel& k, struct socket* socket, const Address& address) {
  Call call(k, Fn::inet6_bind_sk, socket);
  Call inner(k, Fn::__inet6_bind, socket);
  sock* sk = socket->sk;
  if (sockaddr_size(address) < 24) return call.result(k.error(Rule::address_too_short, sk));  // SIN6_LEN_RFC2133
  if (address.family != AF_INET6) return call.result(k.error(Rule::address_of_another_family, sk));
  In6 in6 = in6_make(k, address.ip6);
  if (in6_is_multicast(k, in6) && socket->type == SOCK_STREAM)
    return call.result(k.error(Rule::bind_multicast_stream, sk));
  lock_sock(k, sk);
  long error = __inet6_bind(k, sk, in6, address.port);
  release_sock(k, sk);
  return call.result(error);
}

void inet6_release(Kernel& k, struct socket* socket) {
  Call call(k, Fn::inet6_release, socket);
  inet_release(k, socket);
}

long inet6_ioctl(Kernel& k, struct socket* socket, unsigned command, int* argument) {
  Call call(k, Fn::inet6_ioctl, socket);
  sock* sk = socket->sk;
  if (sk->sk_prot->ioctl == nullptr) return call.result(k.error(Rule::ioctl_unknown, sk));
  return call.result(sk->sk_prot->ioctl(k, sk, command, argument));
}

long inet6_setsockopt(Kernel& k, struct socket* socket, int level, int option, OptionValue value) {
  sock* sk = socket->sk;
  bool nowhere = level == IPPROTO_IPV6 && value.data() == outside_option().data();
  if (nowhere) return k.error(Rule::bad_address, sk);  // no value at NULL counts as 0
  if (level != IPPROTO_IPV6 || option != IPV6_V6ONLY) return sock_common_setsockopt(k, socket, level, option, value);
  Call call(k, Fn::ipv6_setsockopt, sk);
  if (value.empty()) return call.result(k.error(Rule::option_too_short, sk));
  if (sk->common.skc_num != 0) return call.result(k.error(Rule::v6only_too_late, sk));
  sk->common.skc_ipv6only = value[0] != 0;
  return call.result(0);
}

long inet6_getsockopt(Kernel& k, struct socket* socket, int level, int option, std::vector<int>* value) {
  sock* sk = socket->sk;
  if (level == sk->sk_prot->protocol) return sock_common_getsockopt(k, socket, level, option, value);
  Call call(k, Fn::ipv6_getsockopt, sk);
  if (level == IPPROTO_IPV6 && value == nullptr) return call.result(k.error(Rule::bad_address, sk));
  if (level != IPPROTO_IPV6 || option != IPV6_V6ONLY) return call.result(k.error(Rule::option_unknown, sk));
  *value = {sk->common.skc_ipv6only ? 1 : 0};
  return call.result(0);
}

}  // namespace

const proto_ops inet6_stream_ops = {inet6_bind,   inet_stream_connect, inet_accept,      inet_getname,     tcp_poll,
                                    inet_listen,  inet_shutdown,       inet6_setsockopt, inet6_getsockopt, inet_sendmsg,
                                    inet_recvmsg, inet6_release,       inet6_ioctl};

const proto_ops inet6_dgram_ops = {inet6_bind,     inet_dgram_connect, sock_no_accept,   inet_getname,     udp_poll,
                                   sock_no_listen, inet_shutdown,      inet6_setsockopt, inet6_getsockopt, inet_sendmsg,
                                   inet_recvmsg,   inet6_release,      inet6_ioctl};

namespace {

const inet_protosw inetsw6_array[] = {{SOCK_STREAM, IPPROTO_TCP, &tcpv6_prot, &inet6_stream_ops},
                                      {SOCK_DGRAM, IPPROTO_UDP, &udpv6_prot, &inet6_dgram_ops}};

long inet6_create(Kernel& k, struct socket* socket, int protocol) {
  Call call(k, Fn::inet6_create, socket);
  return call.result(inet_create_from(k, socket, AF_INET6, protocol, inetsw6_array));
}

}  // namespace

const net_proto_family inet6_family_ops = {AF_INET6, inet6_create};

}  // namespace wakepath::kernel
