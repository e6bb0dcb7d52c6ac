// Models: ports and look-up of net/ipv4/udp.c, Linux 6.18: the hash by port, the hash by port and address.
// Left out: the hash of connected sockets by four addresses (6.13), which finds the same socket faster; sockets bound
// to a device. Ephemeral ports go up one by one from the range's start, where Linux picks at random.

#include "sim/kernel/kernel.hh"
#include "sim/kernel/tcp.hh"
#include "sim/kernel/udp.hh"

namespace wakepath::kernel {

namespace {

u64 portaddr_key(u16 port, u32 address) { return static_cast<u64>(port) << 48 | address; }
u64 portaddr_key(const sock* sk) { return portaddr_key(sk->common.skc_num, sk->common.skc_rcv_saddr.get().value); }

udp_hslot2* hslot2_at(Kernel& k, u64 key) {
  udp_hslot2*& slot = k.udp_hash2[key];
  if (slot == nullptr) {
    slot = k.udp_hslots2.make();
    slot->key = key;
    slot->port = static_cast<u16>(key >> 48);
  }
  return slot;
}

void hash2_insert(Kernel& k, sock* sk) {
  udp_hslot2* slot = hslot2_at(k, portaddr_key(sk));
  slot->head.push_front(udp_sk(sk));
  ++slot->count;
}

void hash2_remove(Kernel& k, sock* sk) {
  using Chain = decltype(udp_hslot2::head);
  auto* chain = const_cast<Chain*>(static_cast<const Chain*>(udp_sk(sk)->udp_portaddr_node.list));
  udp_hslot2* slot = container_of(chain, &udp_hslot2::head);
  slot->head.erase(udp_sk(sk));
  --slot->count;
  if (!slot->head.empty()) return;
  k.udp_hash2.erase(slot->key);
  k.udp_hslots2.free(slot);
}

/// May `sk` have a port beside its owners?
bool udp_lib_lport_inuse(Kernel& k, const sock* sk, u16 port) {
  const udp_hslot* slot = udp_hashslot(k, port);
  if (slot == nullptr) return false;
  for (const sock_common* entry : slot->head) {
    const auto* other = reinterpret_cast<const sock*>(entry);
    if (other == sk || (other->common.skc_reuse && sk->common.skc_reuse)) continue;
    if (inet_rcv_saddr_equal(sk, other, true)) return true;
  }
  return false;
}

int compute_score(const sock* sk, u32 saddr, u16 sport, u32 daddr) {
  if (sk->common.skc_rcv_saddr.get().value != daddr) return -1;
  int score = sk->common.skc_family == AF_INET ? 2 : 1;
  if (u32 peer = sk->common.skc_daddr.get().value; peer != 0) {
    if (peer != saddr) return -1;
    score += 4;
  }
  if (sk->common.skc_dport != 0) {
    if (sk->common.skc_dport != sport) return -1;
    score += 4;
  }
  return score;
}

/// The socket of one chain that fits best; among equals the one that came last.
sock* udp4_lib_lookup2(Kernel& k, u32 saddr, u16 sport, u32 daddr, u16 dport) {
  auto found = k.udp_hash2.find(portaddr_key(dport, daddr));
  if (found == k.udp_hash2.end()) return nullptr;
  sock* best = nullptr;
  int badness = 0;
  for (udp_sock* up : found->second->head) {
    int score = compute_score(as_sock(up), saddr, sport, daddr);
    if (score <= badness) continue;
    badness = score;
    best = as_sock(up);
  }
  return best;
}

}  // namespace

udp_hslot* udp_hashslot(Kernel& k, u16 port) {
  auto found = k.udp_hash.find(port);
  return found != k.udp_hash.end() ? found->second : nullptr;
}

long udp_lib_get_port(Kernel& k, sock* sk, u16 port) {
  Call call(k, Fn::udp_lib_get_port, sk);
  if (port == 0) {
    u32 tries = k.config.port_high - k.config.port_low + 1u;
    for (; tries > 0 && port == 0; --tries) {
      u16 candidate = next_ephemeral(k);
      if (!udp_lib_lport_inuse(k, sk, candidate)) port = candidate;
    }
    if (port == 0) return call.result(k.error(Rule::ports_used_up, sk));
  } else if (udp_lib_lport_inuse(k, sk, port)) {
    return call.result(k.error(Rule::port_in_use, sk));
  }
  sk->common.skc_num = port;
  udp_hslot*& slot = k.udp_hash[port];
  if (slot == nullptr) {
    slot = k.udp_hslots.make();
    slot->port = port;
  }
  slot->head.push_front(&sk->common);
  ++slot->count;
  hash2_insert(k, sk);
  return call.result(0);
}

void udp_lib_unhash(Kernel& k, sock* sk) {
  if (!sk->common.skc_node.linked()) return;
  Call call(k, Fn::udp_lib_unhash, sk);
  udp_hslot* slot = udp_hashslot(k, sk->common.skc_num);
  slot->head.erase(&sk->common);
  --slot->count;
  if (slot->head.empty()) {
    k.udp_hash.erase(slot->port);
    k.udp_hslots.free(slot);
  }
  sk->common.skc_num = static_cast<u16>(0);
  hash2_remove(k, sk);
}

void udp_lib_rehash(Kernel& k, sock* sk) {
  if (!sk->common.skc_node.linked()) return;
  Call call(k, Fn::udp_lib_rehash, sk);
  hash2_remove(k, sk);
  hash2_insert(k, sk);
}

sock* __udp4_lib_lookup(Kernel& k, u32 saddr, u16 sport, u32 daddr, u16 dport) {
  Call call(k, Fn::__udp4_lib_lookup, nullptr);
  sock* sk = udp4_lib_lookup2(k, saddr, sport, daddr, dport);
  return sk != nullptr ? sk : udp4_lib_lookup2(k, saddr, sport, INADDR_ANY, dport);
}

}  // namespace wakepath::kernel
