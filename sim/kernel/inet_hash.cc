// Models: net/ipv4/inet_hashtables.c, inet_connection_sock.c (get_port) of Linux 6.18.
// Left out: the second bind hash by address, SO_REUSEPORT groups, secret hash keys: chains are by number, so who shares
// a chain with whom differs from a running kernel; nothing that a call returns depends on it. Ephemeral ports go up one
// by one from the range's start, where Linux picks at random.

#include "sim/kernel/kernel.hh"
#include "sim/kernel/tcp.hh"

namespace wakepath::kernel {

namespace {

constexpr u32 kEhashSlots = 65536;

u32 ehash_slot(u32 local, u16 local_port, u32 remote, u16 remote_port) {
  u32 mixed = local * 31 + remote * 17 + (static_cast<u32>(local_port) << 16) + remote_port * 7u;
  return (mixed ^ (mixed >> 16)) % kEhashSlots;
}

inet_ehash_bucket* bucket_at(Kernel& k, std::unordered_map<u32, inet_ehash_bucket*>& table, u32 slot) {
  inet_ehash_bucket*& bucket = table[slot];
  if (bucket == nullptr) {
    bucket = k.hash_buckets.make();
    bucket->slot = slot;
  }
  return bucket;
}

inet_ehash_bucket* bucket_of(Kernel& k, const sock_common* entry) {
  return bucket_at(
      k, k.ehash,
      ehash_slot(entry->skc_rcv_saddr.get().value, entry->skc_num, entry->skc_daddr.get().value, entry->skc_dport));
}

inet_bind_bucket* bind_bucket(Kernel& k, u16 port) {
  inet_bind_bucket*& bucket = k.bind_hash[port];
  if (bucket == nullptr) {
    Call call(k, Fn::inet_bind_bucket_create, nullptr);
    bucket = k.bind_buckets.make();
    bucket->port = port;
  }
  return bucket;
}

/// May `sk` bind this port beside its owners? As inet_csk_bind_conflict().
bool bind_conflict(const sock* sk, const inet_bind_bucket* bucket) {
  u32 mine = sk->common.skc_rcv_saddr.get().value;
  auto overlap = [&](u32 theirs) { return mine == 0 || theirs == 0 || mine == theirs; };
  for (inet_connection_sock* owner : bucket->owners) {
    const sock* other = as_sock(owner);
    if (other == sk || !overlap(other->common.skc_rcv_saddr.get().value)) continue;
    if (sk->common.skc_reuse && other->common.skc_reuse && tcp_state(other) != TcpState::LISTEN) continue;
    return true;
  }
  for (tcp_timewait_sock* owner : bucket->timewait_owners) {
    const sock_common& other = owner->tw_sk.tw_common;
    if (!overlap(other.skc_rcv_saddr.get().value)) continue;
    if (sk->common.skc_reuse && other.skc_reuse) continue;
    return true;
  }
  return false;
}

/// As tcp_twsk_unique(): with net.ipv4.tcp_tw_reuse 1, and on loopback with 2, a connection may take the place of one
/// that has been in TIME_WAIT for a second.
bool tcp_twsk_unique(const Kernel& k, sock_common* other) {
  if (other->skc_state != TcpState::TIME_WAIT || k.config.tcp_tw_reuse == 0) return false;
  const auto* tw = reinterpret_cast<const tcp_timewait_sock*>(other);
  return tw->tw_sk.tw_substate == TcpState::TIME_WAIT && k.now_ns() - tw->since_ns >= 1000 * kNsPerMs;
}

}  // namespace

u16 next_ephemeral(Kernel& k) {
  u16 port = k.next_port;
  k.next_port = port >= k.config.port_high ? k.config.port_low : static_cast<u16>(port + 1);
  return port;
}

bool inet_rcv_saddr_equal(const sock* a, const sock* b, bool match_wildcard) {
  u32 mine = a->common.skc_rcv_saddr.get().value;
  u32 theirs = b->common.skc_rcv_saddr.get().value;
  return mine == theirs || (match_wildcard && (mine == 0 || theirs == 0));
}

void inet_bind_hash(Kernel& k, sock* sk, u16 port) {
  inet_bind_bucket* bucket = bind_bucket(k, port);
  sk->common.skc_num = port;
  inet_sk(sk)->inet_sport = port;
  bucket->owners.push_back(inet_csk(sk));
  inet_csk(sk)->icsk_bind_hash = bucket;
}

long inet_csk_get_port(Kernel& k, sock* sk, u16 port) {
  Call call(k, Fn::inet_csk_get_port, sk);
  if (inet_csk(sk)->icsk_bind_hash != nullptr) {  // listen() asks again for the port that it has
    return call.result(bind_conflict(sk, inet_csk(sk)->icsk_bind_hash) ? k.error(Rule::port_in_use, sk) : 0);
  }
  if (port != 0) {
    auto found = k.bind_hash.find(port);
    if (found != k.bind_hash.end() && bind_conflict(sk, found->second))
      return call.result(k.error(Rule::port_in_use, sk));
    inet_bind_hash(k, sk, port);
    return call.result(0);
  }
  for (u32 tries = k.config.port_high - k.config.port_low + 1u; tries > 0; --tries) {
    u16 candidate = next_ephemeral(k);
    if (k.bind_hash.contains(candidate)) continue;
    inet_bind_hash(k, sk, candidate);
    return call.result(0);
  }
  return call.result(k.error(Rule::ports_used_up, sk));
}

void inet_bind_bucket_release(Kernel& k, inet_bind_bucket* bucket) {
  if (!bucket->owners.empty() || !bucket->timewait_owners.empty()) return;
  k.bind_hash.erase(bucket->port);
  k.bind_buckets.free(bucket);
}

void inet_put_port(Kernel& k, sock* sk) {
  inet_connection_sock* icsk = inet_csk(sk);
  inet_bind_bucket* bucket = icsk->icsk_bind_hash;
  if (bucket == nullptr) return;
  Call call(k, Fn::inet_put_port, sk);
  bucket->owners.erase(icsk);
  icsk->icsk_bind_hash = nullptr;
  sk->common.skc_num = 0;
  inet_bind_bucket_release(k, bucket);
}

long __inet_hash_connect(Kernel& k, sock* sk) {
  Call call(k, Fn::__inet_hash_connect, sk);
  if (inet_csk(sk)->icsk_bind_hash == nullptr) {
    u32 tries = k.config.port_high - k.config.port_low + 1u;
    for (;; --tries) {
      if (tries == 0) return call.result(k.error(Rule::connect_no_port, sk));
      u16 candidate = next_ephemeral(k);
      if (k.bind_hash.contains(candidate)) continue;
      inet_bind_hash(k, sk, candidate);
      break;
    }
  } else {
    const sock_common& c = sk->common;
    sock_common* other = __inet_lookup(k, c.skc_daddr.get().value, c.skc_dport, c.skc_rcv_saddr.get().value, c.skc_num);
    if (other != nullptr && !tcp_twsk_unique(k, other)) return call.result(k.error(Rule::connect_no_port, sk));
    if (other != nullptr) inet_twsk_kill(k, reinterpret_cast<tcp_timewait_sock*>(other));
  }
  ehash_insert(k, &sk->common);
  return call.result(0);
}

void ehash_insert(Kernel& k, sock_common* entry) { bucket_of(k, entry)->chain.push_front(entry); }

void ehash_remove(Kernel& k, sock_common* entry) {
  if (entry->skc_node.linked()) bucket_of(k, entry)->chain.erase(entry);
}

void inet_hash(Kernel& k, sock* sk) {
  if (tcp_state(sk) == TcpState::LISTEN)
    bucket_at(k, k.lhash2, sk->common.skc_num)->chain.push_front(&sk->common);
  else
    ehash_insert(k, &sk->common);
}

void inet_unhash(Kernel& k, sock* sk) {
  if (!sk->common.skc_node.linked()) return;
  if (tcp_state(sk) == TcpState::LISTEN)
    bucket_at(k, k.lhash2, sk->common.skc_num)->chain.erase(&sk->common);
  else
    ehash_remove(k, &sk->common);
}

sock_common* __inet_lookup(Kernel& k, u32 saddr, u16 sport, u32 daddr, u16 dport) {
  auto found = k.ehash.find(ehash_slot(daddr, dport, saddr, sport));
  if (found == k.ehash.end()) return nullptr;
  for (sock_common* entry : found->second->chain)
    if (entry->skc_num == dport && entry->skc_dport == sport && entry->skc_rcv_saddr.get().value == daddr &&
        entry->skc_daddr.get().value == saddr)
      return entry;
  return nullptr;
}

sock* inet_lookup_listener(Kernel& k, u32 daddr, u16 dport) {
  auto found = k.lhash2.find(dport);
  if (found == k.lhash2.end()) return nullptr;
  sock* any = nullptr;
  for (sock_common* entry : found->second->chain) {
    auto* sk = reinterpret_cast<sock*>(entry);
    if (entry->skc_rcv_saddr.get().value == daddr) return sk;  // the address itself before INADDR_ANY
    if (entry->skc_rcv_saddr.get().value == 0) any = sk;
  }
  return any;
}

}  // namespace wakepath::kernel
