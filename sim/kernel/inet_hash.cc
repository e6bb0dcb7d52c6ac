// Models: net/ipv4/inet_hashtables.c and net/ipv6/inet6_hashtables.c of Linux 6.18: the tables of connections and of
// listeners, and the local port of a connecting socket.
// Left out: secret hash keys: chains are by number, so who shares a chain with whom differs from a running kernel;
// nothing that a call returns depends on it. Ephemeral ports go up two by two from the range's start, where Linux
// begins at random.

#include "sim/kernel/ephemeral.hh"
#include "sim/kernel/kernel.hh"
#include "sim/kernel/reuseport.hh"
#include "sim/kernel/tcp.hh"

namespace wakepath::kernel {

namespace {

/// The two ends of a connection, seen from here.
struct Ends {
  bool v6 = false;
  u32 local = 0, remote = 0;
  In6 local6, remote6;
  u16 local_port = 0, remote_port = 0;
};

Ends ends_of(const sock_common* c) {
  return {speaks_v6(c),
          c->skc_rcv_saddr.get().value,
          c->skc_daddr.get().value,
          c->skc_v6_rcv_saddr,
          c->skc_v6_daddr,
          c->skc_num,
          c->skc_dport};
}

/// The two ends of a connection stand side by side, and so do connections to one port from neighbouring ports: what is
/// looked at one after the other is near in memory.
u16 ehash_slot(const Ends& e) {
  bool is_upper = e.local_port > e.remote_port;
  u32 upper = is_upper ? e.local_port : e.remote_port;
  u32 lower = is_upper ? e.remote_port : e.local_port;
  u32 addresses = e.v6 ? e.local6.value * 7919u ^ e.remote6.value * 7919u : e.local * 7919u ^ e.remote * 7919u;
  u32 pair = upper + lower * 40503u + (addresses ^ addresses >> 15);
  return static_cast<u16>(pair << 1 | (is_upper ? 1u : 0u));
}

sock_common* find_connection(Kernel& k, const Ends& e) {
  const inet_ehash_bucket* bucket = k.ehash.at(ehash_slot(e));
  if (bucket == nullptr) return nullptr;
  for (sock_common* c : bucket->chain) {
    if (c->skc_num != e.local_port || c->skc_dport != e.remote_port || speaks_v6(c) != e.v6) continue;
    bool same = e.v6 ? c->skc_v6_rcv_saddr.get() == e.local6 && c->skc_v6_daddr.get() == e.remote6
                     : c->skc_rcv_saddr.get().value == e.local && c->skc_daddr.get().value == e.remote;
    if (same) return c;
  }
  return nullptr;
}

/// The chain at a place of a table, made at its first use.
inet_ehash_bucket* made(Kernel& k, inet_ehash_bucket*& bucket, u32 slot) {
  if (bucket == nullptr) {
    bucket = k.hash_buckets.make();
    bucket->slot = slot;
  }
  return bucket;
}

inet_ehash_bucket* bucket_of(Kernel& k, const sock_common* entry) {
  u16 slot = ehash_slot(ends_of(entry));
  return made(k, k.ehash[slot], slot);
}

inet_ehash_bucket* listeners_of(Kernel& k, const sock* sk) {
  return made(k, k.lhash2[portaddr_key(sk->common)], sk->common.skc_num);
}

/// As tcp_twsk_unique(): may a connection take the place of one that is over? With a port that bind() gave it, at once.
/// While a port is being chosen, only that of one that has been in TIME_WAIT for a second, with net.ipv4.tcp_tw_reuse
/// 1, and on loopback with 2.
bool tcp_twsk_unique(const Kernel& k, sock_common* other, bool bound) {
  if (other->skc_state != TcpState::TIME_WAIT) return false;
  const auto* tw = reinterpret_cast<const tcp_timewait_sock*>(other);
  bool reuse = k.config.tcp_tw_reuse != 0 && tw->tw_sk.tw_substate == TcpState::TIME_WAIT;
  return bound || (reuse && k.now_ns() - tw->since_ns >= 1000 * kNsPerMs);
}

/// Is a connection from `port` to the socket's peer new? Then what is left of an old one makes room. `bound`: the
/// socket has the port already.
bool check_established(Kernel& k, const sock* sk, u16 port, bool bound) {
  Ends ends = ends_of(&sk->common);
  ends.local_port = port;
  sock_common* other = find_connection(k, ends);
  if (other == nullptr) return true;
  if (!tcp_twsk_unique(k, other, bound)) return false;
  inet_twsk_kill(k, reinterpret_cast<tcp_timewait_sock*>(other));
  return true;
}

/// A port from which the connection is new; those of the parity of the range's begin first. 0: none.
u16 port_for_connect(Kernel& k, const sock* sk) {
  auto good = [&](u16 port) { return !inet_port_is_bound(k, port) && check_established(k, sk, port, false); };
  if (u16 port = wanted_port(k, good); port != 0) return port;
  const u32 low = k.config.port_low, high = k.config.port_high + 1u;
  const u32 remaining = high - low > 1 ? (high - low) & ~1u : 1;
  const u32 offset = k.connect_port_offset % remaining & ~1u;
  u16 port = find_ephemeral(low, high, offset, good);
  if (port != 0) k.connect_port_offset = port - low + 2;
  return port;
}

/// Listeners with SO_REUSEPORT share the connections of their port and address.
long inet_reuseport_add_sock(Kernel& k, sock* sk, const inet_ehash_bucket* listeners) {
  const sock_common& own = sk->common;
  for (sock_common* entry : listeners->chain) {
    auto* other = reinterpret_cast<sock*>(entry);
    if (entry->skc_family == own.skc_family && entry->skc_ipv6only == own.skc_ipv6only && entry->skc_reuseport &&
        inet_csk(other)->icsk_bind_hash == inet_csk(sk)->icsk_bind_hash && inet_rcv_saddr_equal(own, *entry, false))
      return reuseport_add_sock(k, sk, other);
  }
  return reuseport_add_sock(k, sk, nullptr);
}

int compute_score(const sock_common* c, const inet_flow& flow) {
  if (flow.v6) return c->skc_family == AF_INET6 ? 1 : -1;
  if (c->skc_ipv6only) return -1;
  return c->skc_family == AF_INET ? 2 : 1;
}

sock* inet_lhash2_lookup(Kernel& k, const inet_flow& flow, u64 key) {
  auto found = k.lhash2.find(key);
  if (found == k.lhash2.end()) return nullptr;
  sock* best = nullptr;
  int high = 0;
  for (sock_common* entry : found->second->chain) {
    int score = compute_score(entry, flow);
    if (score <= high) continue;
    auto* sk = reinterpret_cast<sock*>(entry);
    sock* member = entry->skc_reuseport ? reuseport_select_sock(k, sk, inet_ehashfn(flow)) : nullptr;
    if (member != nullptr) return member;
    best = sk;
    high = score;
  }
  return best;
}

}  // namespace

bool speaks_v6(const sock_common* c) { return c->skc_family == AF_INET6 && !c->skc_v6_daddr.get().v4mapped(); }

u64 portaddr_key(u16 port, u32 address) { return static_cast<u64>(port) << 48 | address; }
u64 portaddr_key(u16 port, In6 address) {
  constexpr u64 kV6 = u64{1} << 40;
  return static_cast<u64>(port) << 48 | (address.any() ? 0 : kV6 | address.value);
}
u64 portaddr_key(const sock_common& c) {
  bool v4 = c.skc_family == AF_INET || c.skc_v6_rcv_saddr.get().v4mapped();
  return v4 ? portaddr_key(c.skc_num, c.skc_rcv_saddr.get().value) : portaddr_key(c.skc_num, c.skc_v6_rcv_saddr);
}

long __inet_hash_connect(Kernel& k, sock* sk) {
  Call call(k, Fn::__inet_hash_connect, sk);
  if (inet_csk(sk)->icsk_bind_hash != nullptr) {
    if (!check_established(k, sk, sk->common.skc_num, true)) return call.result(k.error(Rule::connect_no_port, sk));
  } else {
    u16 port = port_for_connect(k, sk);
    if (port == 0) return call.result(k.error(Rule::connect_no_port, sk));
    // others that connect() gave the port may have it, too
    if (long error = inet_bind_hash(k, sk, port); error != 0) return call.result(error);
    sk->sk_userlocks |= SOCK_CONNECT_BIND;
  }
  ehash_insert(k, &sk->common);
  return call.result(0);
}

void ehash_insert(Kernel& k, sock_common* entry) { bucket_of(k, entry)->chain.push_front(entry); }

void ehash_remove(Kernel& k, sock_common* entry) {
  if (entry->skc_node.linked()) bucket_of(k, entry)->chain.erase(entry);
}

long inet_hash(Kernel& k, sock* sk) {
  if (tcp_state(sk) != TcpState::LISTEN) {
    ehash_insert(k, &sk->common);
    return 0;
  }
  inet_ehash_bucket* listeners = listeners_of(k, sk);
  if (sk->common.skc_reuseport)
    if (long error = inet_reuseport_add_sock(k, sk, listeners); error != 0) return error;
  if (sk->common.skc_reuseport && sk->common.skc_family == AF_INET6)
    listeners->chain.push_back(&sk->common);
  else
    listeners->chain.push_front(&sk->common);
  return 0;
}

void inet_unhash(Kernel& k, sock* sk) {
  if (!sk->common.skc_node.linked()) return;
  if (tcp_state(sk) != TcpState::LISTEN) {
    ehash_remove(k, &sk->common);
    return;
  }
  reuseport_detach_sock(k, sk);
  listeners_of(k, sk)->chain.erase(&sk->common);
}

sock_common* __inet_lookup_established(Kernel& k, const inet_flow& flow) {
  return find_connection(k, {flow.v6 != 0, flow.daddr, flow.saddr, flow.daddr6, flow.saddr6, flow.dest, flow.source});
}

sock* inet_lookup_listener(Kernel& k, const inet_flow& flow) {
  u64 key = flow.v6 ? portaddr_key(flow.dest, flow.daddr6) : portaddr_key(flow.dest, flow.daddr);
  sock* sk = inet_lhash2_lookup(k, flow, key);
  return sk != nullptr ? sk : inet_lhash2_lookup(k, flow, portaddr_key(flow.dest, u32{INADDR_ANY}));
}

}  // namespace wakepath::kernel
