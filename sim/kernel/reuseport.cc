// Models: net/core/sock_reuseport.c of Linux 6.18.
// Left out: programs that choose (SO_ATTACH_REUSEPORT_CBPF), migration of requests from a closed listener
// (net.ipv4.tcp_migrate_req is off), per-CPU preference (SO_INCOMING_CPU). Linux mixes a secret into the hash: which
// member of a group gets a packet is its free choice, and nobody may rely on it.

#include "sim/kernel/reuseport.hh"

#include <algorithm>

#include "sim/kernel/kernel.hh"
#include "sim/kernel/tcp.hh"

namespace wakepath::kernel {

namespace {

long reuseport_alloc(Kernel& k, sock* sk) {
  if (sk->sk_reuseport_cb != nullptr) return 0;
  Call call(k, Fn::reuseport_alloc, sk);
  sock_reuseport* group = k.alloc(k.reuseports);
  if (group == nullptr) return call.result(k.error(Rule::no_memory, sk));
  group->socks.push_back(sk);
  group->num_socks = static_cast<u16>(1);
  sk->sk_reuseport_cb = group;
  return call.result(0);
}

}  // namespace

long reuseport_add_sock(Kernel& k, sock* sk, sock* other) {
  if (other == nullptr) return reuseport_alloc(k, sk);
  Call call(k, Fn::reuseport_add_sock, sk);
  if (long error = reuseport_alloc(k, other); error != 0) return call.result(error);
  if (sk->sk_reuseport_cb != nullptr) reuseport_detach_sock(k, sk);
  sock_reuseport* group = other->sk_reuseport_cb;
  group->socks.push_back(sk);
  ++group->num_socks;
  sk->sk_reuseport_cb = group;
  return call.result(0);
}

void reuseport_detach_sock(Kernel& k, sock* sk) {
  sock_reuseport* group = sk->sk_reuseport_cb;
  if (group == nullptr) return;
  Call call(k, Fn::reuseport_detach_sock, sk);
  auto place = std::find(group->socks.begin(), group->socks.end(), sk);
  *place = group->socks.back();
  group->socks.pop_back();
  --group->num_socks;
  sk->sk_reuseport_cb = nullptr;
  if (group->socks.empty()) k.reuseports.free(group);
}

sock* reuseport_select_sock(Kernel& k, sock* sk, u32 hash) {
  Call call(k, Fn::reuseport_select_sock, sk);
  const sock_reuseport* group = sk->sk_reuseport_cb;
  if (group == nullptr) return nullptr;
  std::size_t count = group->socks.size();
  std::size_t first = static_cast<u64>(hash) * count >> 32;
  for (std::size_t i = 0; i < count; ++i) {
    sock* member = group->socks[(first + i) % count];
    if (tcp_state(member) != TcpState::ESTABLISHED) return member;
  }
  return nullptr;
}

u32 inet_ehashfn(const inet_flow& flow) {
  u32 mixed = flow.v6 ? flow.daddr6.value * 31 + flow.saddr6.value : flow.daddr * 31 + flow.saddr;
  mixed = (mixed ^ flow.dest) * 0x9E3779B1u;
  return (mixed ^ flow.source) * 0x85EBCA6Bu;
}

}  // namespace wakepath::kernel
