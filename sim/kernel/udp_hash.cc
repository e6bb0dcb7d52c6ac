// Models: ports and look-up of net/ipv4/udp.c, Linux 6.18: the hash by port, the hash by port and address.
// Left out: sockets bound to a device. The hash of connected sockets by both ends (6.13) has no chains of its own here:
// each socket knows which chain it would be in and since when. Ephemeral ports go up one by one from the middle of the
// range, where Linux picks at random.

#include "sim/kernel/ephemeral.hh"
#include "sim/kernel/kernel.hh"
#include "sim/kernel/reuseport.hh"
#include "sim/kernel/tcp.hh"
#include "sim/kernel/udp.hh"

namespace wakepath::kernel {

namespace {

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
  udp_hslot2* slot = hslot2_at(k, portaddr_key(sk->common));
  if (sk->common.skc_reuseport && sk->common.skc_family == AF_INET6)
    slot->head.push_back(udp_sk(sk));
  else
    slot->head.push_front(udp_sk(sk));
  ++slot->count;
}

void hash2_remove(Kernel& k, sock* sk) {
  using Chain = decltype(udp_hslot2::head);
  auto* chain = const_cast<Chain*>(static_cast<const Chain*>(udp_sk(sk)->udp_portaddr_node.list.get()));
  udp_hslot2* slot = container_of(chain, &udp_hslot2::head);
  slot->head.erase(udp_sk(sk));
  --slot->count;
  if (!slot->head.empty()) return;
  k.udp_hash2.erase(slot->key);
  k.udp_hslots2.free(slot);
}

/// May `sk` not have a port beside its owners? `choosing`: bind() has not named the port.
bool udp_lib_lport_inuse(Kernel& k, const sock* sk, u16 port, bool choosing) {
  const udp_hslot* slot = udp_hashslot(k, port);
  if (slot == nullptr) return false;
  for (const sock_common* entry : slot->head) {
    const auto* other = reinterpret_cast<const sock*>(entry);
    if (other == sk || (other->common.skc_reuse && sk->common.skc_reuse)) continue;
    if (!inet_rcv_saddr_equal(sk->common, other->common, true)) continue;
    bool shared = other->common.skc_reuseport && sk->common.skc_reuseport && sk->sk_reuseport_cb == nullptr;
    if (!shared) return true;
    if (!choosing) return false;
  }
  return false;
}

void free_if_empty(Kernel& k, udp_hslot* slot) {
  if (!slot->head.empty()) return;
  k.udp_hash[slot->port] = nullptr;
  k.udp_hslots.free(slot);
}

/// Sockets with SO_REUSEPORT share the datagrams of their port and address.
long udp_reuseport_add_sock(Kernel& k, sock* sk, const udp_hslot* slot) {
  const sock_common& own = sk->common;
  for (sock_common* entry : slot->head) {
    if (entry != &own && entry->skc_family == own.skc_family && entry->skc_ipv6only == own.skc_ipv6only &&
        entry->skc_reuseport && inet_rcv_saddr_equal(own, *entry, false))
      return reuseport_add_sock(k, sk, reinterpret_cast<sock*>(entry));
  }
  return reuseport_add_sock(k, sk, nullptr);
}

/// `daddr`: the packet's, or INADDR_ANY to look at those that are bound to no address.
int compute_score(const sock* sk, const inet_flow& flow, u32 daddr) {
  const sock_common& c = sk->common;
  if (c.skc_ipv6only || c.skc_rcv_saddr.get().value != daddr) return -1;
  int score = c.skc_family == AF_INET ? 2 : 1;
  if (u32 peer = c.skc_daddr.get().value; peer != 0) {
    if (peer != flow.saddr) return -1;
    score += 4;
  }
  if (c.skc_dport != 0) {
    if (c.skc_dport != flow.source) return -1;
    score += 4;
  }
  return score;
}

int udp6_compute_score(const sock* sk, const inet_flow& flow, In6 daddr) {
  const sock_common& c = sk->common;
  if (c.skc_family != AF_INET6 || c.skc_v6_rcv_saddr.get() != daddr) return -1;
  int score = 1;
  if (c.skc_dport != 0) {
    if (c.skc_dport != flow.source) return -1;
    ++score;
  }
  if (!c.skc_v6_daddr.get().any()) {
    if (c.skc_v6_daddr.get() != flow.saddr6) return -1;
    ++score;
  }
  return score;
}

void udp_rehash4(Kernel& k, sock* sk) {
  udp_sock* up = udp_sk(sk);
  const sock_common& c = sk->common;
  up->udp_lrpa_serial = ++k.udp_lrpa_serial;
  up->udp_lrpa_daddr = c.skc_daddr.get().value;
  up->udp_lrpa_daddr6 = c.skc_v6_daddr;
  up->udp_lrpa_dport = c.skc_dport;
}

/// As udp4_lib_lookup4() and udp6_lib_lookup4(): a socket that is connected to just this peer comes before any group;
/// among several the one that came last.
sock* udp_lib_lookup4(Kernel& k, const inet_flow& flow) {
  auto found = k.udp_hash2.find(flow.v6 ? portaddr_key(flow.dest, flow.daddr6) : portaddr_key(flow.dest, flow.daddr));
  if (found == k.udp_hash2.end()) return nullptr;
  udp_sock* last = nullptr;
  for (udp_sock* up : found->second->head) {
    if (up->udp_lrpa_serial <= (last != nullptr ? last->udp_lrpa_serial : 0)) continue;
    const sock_common& c = as_sock(up)->common;
    if (c.skc_state != TcpState::ESTABLISHED || c.skc_dport != flow.source || speaks_v6(&c) != flow.v6) continue;
    bool same = flow.v6 ? c.skc_v6_rcv_saddr.get() == flow.daddr6 && c.skc_v6_daddr.get() == flow.saddr6
                        : c.skc_rcv_saddr.get().value == flow.daddr && c.skc_daddr.get().value == flow.saddr;
    bool in_chain = up->udp_lrpa_dport == flow.source &&
                    (flow.v6 ? up->udp_lrpa_daddr6 == flow.saddr6 : up->udp_lrpa_daddr == flow.saddr);
    if (same && in_chain) last = up;
  }
  return last != nullptr ? as_sock(last) : nullptr;
}

/// The socket of one chain that fits best; among equals the one that came last, or a member of their group.
template <class Score>
sock* udp_lib_lookup2(Kernel& k, const inet_flow& flow, u64 key, Score score_of) {
  auto found = k.udp_hash2.find(key);
  if (found == k.udp_hash2.end()) return nullptr;
  sock* best = nullptr;
  int badness = 0;
  for (udp_sock* up : found->second->head) {
    sock* sk = as_sock(up);
    int score = score_of(sk);
    if (score <= badness) continue;
    badness = score;
    best = sk;
    if (tcp_state(sk) == TcpState::ESTABLISHED || !sk->common.skc_reuseport) continue;
    sock* member = reuseport_select_sock(k, sk, inet_ehashfn(flow));
    if (member == nullptr) continue;
    best = member;
    if (!sk->sk_reuseport_cb->has_conns) return best;
  }
  return best;
}

}  // namespace

udp_hslot* udp_hashslot(Kernel& k, u16 port) { return k.udp_hash.at(port); }

long udp_lib_get_port(Kernel& k, sock* sk, u16 port) {
  Call call(k, Fn::udp_lib_get_port, sk);
  if (port == 0) {
    auto good = [&](u16 candidate) { return !udp_lib_lport_inuse(k, sk, candidate, true); };
    port = wanted_port(k, good);
    // from the middle on: what Linux picks at random is hardly ever a port that TCP has picked, too
    const u32 size = k.config.port_high - k.config.port_low + 1u;
    for (u32 tries = size; tries > 0 && port == 0; --tries) {
      auto candidate = static_cast<u16>(k.config.port_low + (size / 2 + k.datagram_port_offset++) % size);
      if (good(candidate)) port = candidate;
    }
    if (port == 0) return call.result(k.error(Rule::ports_used_up, sk));
  } else if (udp_lib_lport_inuse(k, sk, port, false)) {
    return call.result(k.error(Rule::port_in_use, sk));
  }
  sk->common.skc_num = port;
  udp_hslot*& slot = k.udp_hash[port];
  if (slot == nullptr) {
    slot = k.udp_hslots.make();
    slot->port = port;
  }
  if (sk->common.skc_reuseport && udp_reuseport_add_sock(k, sk, slot) != 0) {
    sk->common.skc_num = static_cast<u16>(0);
    free_if_empty(k, slot);
    return call.result(k.error(Rule::no_memory_for_port, sk));
  }
  slot->head.push_front(&sk->common);
  ++slot->count;
  sock_hold(sk);  // the table's
  hash2_insert(k, sk);
  return call.result(0);
}

void udp_lib_unhash(Kernel& k, sock* sk) {
  if (!sk->common.skc_node.linked()) return;
  Call call(k, Fn::udp_lib_unhash, sk);
  reuseport_detach_sock(k, sk);
  udp_hslot* slot = udp_hashslot(k, sk->common.skc_num);
  slot->head.erase(&sk->common);
  --slot->count;
  free_if_empty(k, slot);
  sk->common.skc_num = static_cast<u16>(0);
  udp_sk(sk)->udp_lrpa_serial = 0;
  hash2_remove(k, sk);
  sock_put(k, sk);
}

void udp_lib_hash4(Kernel& k, sock* sk) {
  bool any =
      speaks_v6(&sk->common) ? sk->common.skc_v6_rcv_saddr.get().any() : sk->common.skc_rcv_saddr.get().value == 0;
  if (!any && sk->common.skc_node.linked() && udp_sk(sk)->udp_lrpa_serial == 0) udp_rehash4(k, sk);
}

void udp_lib_rehash(Kernel& k, sock* sk) {
  if (!sk->common.skc_node.linked()) return;
  Call call(k, Fn::udp_lib_rehash, sk);
  if (udp_sk(sk)->udp_lrpa_serial != 0) udp_rehash4(k, sk);
  reuseport_detach_sock(k, sk);
  hash2_remove(k, sk);
  hash2_insert(k, sk);
}

sock* __udp4_lib_lookup(Kernel& k, const inet_flow& flow) {
  Call call(k, Fn::__udp4_lib_lookup, nullptr);
  if (sock* sk = udp_lib_lookup4(k, flow)) return sk;
  for (u32 daddr : {flow.daddr, u32{INADDR_ANY}})
    if (sock* sk = udp_lib_lookup2(k, flow, portaddr_key(flow.dest, daddr),
                                   [&](const sock* candidate) { return compute_score(candidate, flow, daddr); }))
      return sk;
  return nullptr;
}

sock* __udp6_lib_lookup(Kernel& k, const inet_flow& flow) {
  Call call(k, Fn::__udp6_lib_lookup, nullptr);
  if (sock* sk = udp_lib_lookup4(k, flow)) return sk;
  for (In6 daddr : {flow.daddr6, In6{}})
    if (sock* sk = udp_lib_lookup2(k, flow, portaddr_key(flow.dest, daddr),
                                   [&](const sock* candidate) { return udp6_compute_score(candidate, flow, daddr); }))
      return sk;
  return nullptr;
}

}  // namespace wakepath::kernel
