// Models: inet_csk_get_port() and the bind conflicts of net/ipv4/inet_connection_sock.c, the bind buckets of
// inet_hashtables.c, Linux 6.18: who may have a local port beside whom.
// Left out: sockets bound to a device, other users (every process is of one user). Linux looks for conflicts in the
// second hash when it can, by address: the same sockets as here, fewer of them looked at. Ephemeral ports go up two by
// two from the range's start, where Linux begins at random.

#include "sim/kernel/ephemeral.hh"
#include "sim/kernel/kernel.hh"
#include "sim/kernel/tcp.hh"

namespace wakepath::kernel {

namespace {

constexpr std::int8_t kReusePortStrict = 2;  // FASTREUSEPORT_STRICT

RcvSaddr rcv_saddr_of(const sock_common& c) {
  return {c.skc_family, c.skc_rcv_saddr.get().value, c.skc_v6_rcv_saddr, c.skc_ipv6only};
}

bool ipv4_rcv_saddr_equal(u32 a, u32 b, bool b_ipv6only, bool wild_a, bool wild_b) {
  return !b_ipv6only && (a == b || (wild_a && a == 0) || (wild_b && b == 0));
}

bool is_mapped(const RcvSaddr& a) { return a.family == AF_INET || a.v6.v4mapped(); }
bool is_any6(const RcvSaddr& a) { return a.family == AF_INET6 && a.v6.any(); }

/// May the two be one address? `wild_a`: "any address" of `a` counts as every address.
bool rcv_saddr_equal(const RcvSaddr& a, const RcvSaddr& b, bool wild_a, bool wild_b) {
  if (a.family == AF_INET || (is_mapped(a) && is_mapped(b)))
    return ipv4_rcv_saddr_equal(a.v4, b.v4, b.ipv6only, wild_a, wild_b);
  if (is_any6(a) && is_any6(b)) return true;
  if (is_any6(b) && wild_b && !(b.ipv6only && is_mapped(a))) return true;
  if (is_any6(a) && wild_a && !(a.ipv6only && is_mapped(b))) return true;
  return b.family == AF_INET6 && a.v6 == b.v6;
}

bool same_address(const inet_bind2_bucket* bucket, const sock_common& c) {
  RcvSaddr own = rcv_saddr_of(c);
  RcvSaddr theirs{bucket->family, bucket->rcv_saddr.get().value, bucket->v6_rcv_saddr, false};
  if (is_any6(own) && is_any6(theirs)) return true;
  if (is_any6(own) || is_any6(theirs)) {  // "::" and 0.0.0.0 share a bucket
    const RcvSaddr& other = is_any6(own) ? theirs : own;
    return is_mapped(other) && other.v4 == 0;
  }
  return is_mapped(own) == is_mapped(theirs) && (is_mapped(own) ? own.v4 == theirs.v4 : own.v6 == theirs.v6);
}

/// Do two sockets with a common address and port clash? `relax`: bind() named the port; otherwise one is being chosen,
/// and only those that nobody has are good.
bool inet_bind_conflict(const sock* sk, const sock_common& other, bool relax, bool reuseport_ok) {
  const sock_common& own = sk->common;
  bool both_reuseport = own.skc_reuseport && other.skc_reuseport && sk->sk_reuseport_cb == nullptr;
  if (own.skc_reuse && other.skc_reuse && other.skc_state != TcpState::LISTEN)
    return !relax || (!reuseport_ok && both_reuseport);
  return !reuseport_ok || !both_reuseport;
}

/// With whom it clashes; nullptr: nobody.
const sock_common* inet_csk_bind_conflict(const sock* sk, const inet_bind_bucket* tb, bool relax, bool reuseport_ok) {
  for (const inet_bind2_bucket* tb2 : tb->bhash2) {
    for (const inet_connection_sock* owner : tb2->owners) {
      const sock_common& other = owner->icsk_inet.sk.common;
      if (&other != &sk->common && inet_bind_conflict(sk, other, relax, reuseport_ok) &&
          inet_rcv_saddr_equal(sk->common, other, true))
        return &other;
    }
    for (const tcp_timewait_sock* owner : tb2->timewait_owners) {
      const sock_common& other = owner->tw_sk.tw_common;
      if (inet_bind_conflict(sk, other, relax, reuseport_ok) && inet_rcv_saddr_equal(sk->common, other, true))
        return &other;
    }
  }
  return nullptr;
}

/// Everybody had SO_REUSEPORT when they came to the port, and so has this one, for an address that fast_saddr stands
/// for.
bool sk_reuseport_match(const inet_bind_bucket* tb, const sock* sk) {
  if (tb->fastreuseport <= 0 || !sk->common.skc_reuseport || sk->sk_reuseport_cb != nullptr) return false;
  return rcv_saddr_equal(tb->fast_saddr, rcv_saddr_of(sk->common), true, false);
}

/// What those who have the port by bind() agree on, so that the next one need not ask each of them. The socket's own
/// bucket by address is on the port's list before this looks whether it is the first one (6.18): it never seems to be,
/// and SO_REUSEADDR is never agreed on.
void inet_csk_update_fastreuse(const sock* sk, inet_bind_bucket* tb) {
  bool reuse = sk->common.skc_reuse && tcp_state(sk) != TcpState::LISTEN;
  bool reuseport = sk->common.skc_reuseport;
  if (!reuse) tb->fastreuse = std::int8_t{0};
  if (!reuseport) {
    tb->fastreuseport = std::int8_t{0};
  } else if (!sk_reuseport_match(tb, sk)) {
    tb->fastreuseport = kReusePortStrict;
    tb->fast_saddr = rcv_saddr_of(sk->common);
  }
}

inet_bind_bucket* inet_bind_bucket_create(Kernel& k, u16 port) {
  Call call(k, Fn::inet_bind_bucket_create, nullptr);
  inet_bind_bucket* tb = k.alloc(k.bind_buckets);
  if (tb == nullptr) return nullptr;
  tb->port = port;
  k.bind_hash[port] = tb;
  return tb;
}

inet_bind2_bucket* inet_bind2_bucket_create(Kernel& k, inet_bind_bucket* tb, const sock_common& c) {
  Call call(k, Fn::inet_bind2_bucket_create, nullptr);
  inet_bind2_bucket* tb2 = k.bind2_buckets.make();
  tb2->port = tb->port;
  tb2->family = c.skc_family;
  tb2->rcv_saddr = c.skc_rcv_saddr;
  tb2->v6_rcv_saddr = c.skc_v6_rcv_saddr;
  tb->bhash2.push_back(tb2);
  return tb2;
}

inet_bind2_bucket* inet_bind2_bucket_find(const inet_bind_bucket* tb, const sock_common& c) {
  inet_bind2_bucket* found = nullptr;
  for (inet_bind2_bucket* tb2 : tb->bhash2)
    if (same_address(tb2, c)) found = tb2;
  return found;
}

/// Whether the bucket that a new owner needs cannot be had. Then `tb` goes again if it was made for it.
bool no_memory_for_owner(Kernel& k, sock* sk, inet_bind_bucket* tb) {
  if (tb == nullptr) return true;
  if (inet_bind2_bucket_find(tb, sk->common) != nullptr || !k.allocation_fails()) return false;
  if (tb->bhash2.empty()) {
    k.bind_hash[tb->port] = nullptr;
    k.bind_buckets.free(tb);
  }
  return true;
}

void add_owner(Kernel& k, sock* sk, inet_bind_bucket* tb) {
  inet_bind2_bucket* place = inet_bind2_bucket_find(tb, sk->common);
  if (place == nullptr) place = inet_bind2_bucket_create(k, tb, sk->common);
  place->owners.push_back(inet_csk(sk));
  inet_csk(sk)->icsk_bind_hash = tb;
  inet_csk(sk)->icsk_bind2_hash = place;
}

bool chosen_by_connect(const inet_bind_bucket* tb) {
  for (const inet_bind2_bucket* tb2 : tb->bhash2) {
    for (const inet_connection_sock* owner : tb2->owners)
      if ((owner->icsk_inet.sk.sk_userlocks & SOCK_CONNECT_BIND) == 0) return false;
    for (const tcp_timewait_sock* owner : tb2->timewait_owners)
      if (!owner->connect_bind) return false;
  }
  return true;
}

void release_buckets(Kernel& k, inet_bind_bucket* tb, inet_bind2_bucket* tb2) {
  if (tb2->owners.empty() && tb2->timewait_owners.empty()) {
    tb->bhash2.erase(tb2);
    k.bind2_buckets.free(tb2);
  }
  if (tb->bhash2.empty()) {
    k.bind_hash[tb->port] = nullptr;
    k.bind_buckets.free(tb);
  } else if ((tb->fastreuse != -1 || tb->fastreuseport != -1) && chosen_by_connect(tb)) {
    tb->fastreuse = std::int8_t{-1};  // the last one that had asked for it is gone
    tb->fastreuseport = std::int8_t{-1};
  }
}

/// As find_ephemeral(), beginning at an odd distance.
template <class Good>
u16 find_from(u32 low, u32 high, u32 offset, const Good& good) {
  const u32 remaining = high - low > 1 ? (high - low) & ~1u : 1;
  return find_ephemeral(low, high, offset % remaining | 1u, good);
}

/// 0: none is left. Odd distances from the range's begin come first, as connect() takes the even ones; a socket with
/// SO_REUSEADDR looks in the lower half before it looks in the upper one.
u16 inet_csk_find_open_port(Kernel& k, const sock* sk) {
  auto good = [&](u16 port) {
    const inet_bind_bucket* tb = k.bind_hash.at(port);
    return tb == nullptr || inet_csk_bind_conflict(sk, tb, false, false) == nullptr;
  };
  if (u16 port = wanted_port(k, good); port != 0) return port;
  const u32 low = k.config.port_low, high = k.config.port_high + 1u;
  const bool halves = sk->common.skc_reuse && high - low >= 4;
  const u32 half = halves ? low + ((high - low) >> 2 << 1) : high;
  u16 port = find_from(low, half, k.bind_port_offset, good);
  if (port == 0 && halves) port = find_from(half, high, k.bind_port_offset, good);
  k.bind_port_offset += 2;
  return port;
}

}  // namespace

bool inet_rcv_saddr_equal(const sock_common& a, const sock_common& b, bool match_wildcard) {
  return rcv_saddr_equal(rcv_saddr_of(a), rcv_saddr_of(b), match_wildcard, match_wildcard);
}

long inet_csk_get_port(Kernel& k, sock* sk, u16 port) {
  Call call(k, Fn::inet_csk_get_port, sk);
  bool named = port != 0;
  if (!named) port = inet_csk_find_open_port(k, sk);
  if (port == 0) return call.result(k.error(Rule::ports_used_up, sk));
  inet_bind_bucket* tb = k.bind_hash.at(port);
  if (tb == nullptr) tb = inet_bind_bucket_create(k, port);
  if (tb == nullptr) return call.result(k.error(Rule::no_memory_for_port, sk));
  if (named && !tb->bhash2.empty()) {
    bool agreed = sk_reuseport_match(tb, sk);  // listen() asks again for what it has
    const sock_common* other = agreed ? nullptr : inet_csk_bind_conflict(sk, tb, true, true);
    if (other != nullptr)
      return call.result(
          k.error(other->skc_state == TcpState::TIME_WAIT ? Rule::port_in_time_wait : Rule::port_in_use, sk));
  }
  bool joins = inet_csk(sk)->icsk_bind_hash == nullptr;
  if (joins && no_memory_for_owner(k, sk, tb)) return call.result(k.error(Rule::no_memory_for_port, sk));
  inet_csk_update_fastreuse(sk, tb);
  if (joins) {
    sk->common.skc_num = port;
    inet_sk(sk)->inet_sport = port;
    add_owner(k, sk, tb);
  }
  return call.result(0);
}

long inet_bind_hash(Kernel& k, sock* sk, u16 port) {
  inet_bind_bucket* tb = k.bind_hash.at(port);
  bool made = tb == nullptr;
  if (made) tb = inet_bind_bucket_create(k, port);
  if (no_memory_for_owner(k, sk, tb)) return k.error(Rule::no_memory, sk);
  if (made) {
    tb->fastreuse = std::int8_t{-1};
    tb->fastreuseport = std::int8_t{-1};
  }
  sk->common.skc_num = port;
  inet_sk(sk)->inet_sport = port;
  add_owner(k, sk, tb);
  return 0;
}

bool inet_port_is_bound(const Kernel& k, u16 port) {
  const inet_bind_bucket* tb = k.bind_hash.at(port);
  return tb != nullptr && (tb->fastreuse >= 0 || tb->fastreuseport >= 0);
}

void inet_bhash2_update_saddr(Kernel& k, sock* sk) {
  inet_connection_sock* icsk = inet_csk(sk);
  inet_bind2_bucket* old = icsk->icsk_bind2_hash;
  if (old == nullptr || same_address(old, sk->common)) return;
  Call call(k, Fn::inet_bhash2_update_saddr, sk);
  old->owners.erase(icsk);
  inet_bind_bucket* tb = icsk->icsk_bind_hash;
  add_owner(k, sk, tb);
  release_buckets(k, tb, old);
}

void inet_put_port(Kernel& k, sock* sk) {
  inet_connection_sock* icsk = inet_csk(sk);
  inet_bind_bucket* tb = icsk->icsk_bind_hash;
  if (tb == nullptr) return;
  Call call(k, Fn::inet_put_port, sk);
  inet_bind2_bucket* tb2 = icsk->icsk_bind2_hash;
  tb2->owners.erase(icsk);
  icsk->icsk_bind2_hash = nullptr;
  icsk->icsk_bind_hash = nullptr;
  sk->common.skc_num = static_cast<u16>(0);
  sk->sk_userlocks &= static_cast<u8>(~SOCK_CONNECT_BIND);
  release_buckets(k, tb, tb2);
}

void inet_twsk_bind_node_add(tcp_timewait_sock* tw, sock* sk) {
  const inet_connection_sock* icsk = inet_csk(sk);
  tw->tw_sk.tw_tb = icsk->icsk_bind_hash;
  tw->tw_sk.tw_tb2 = icsk->icsk_bind2_hash;
  tw->connect_bind = (sk->sk_userlocks & SOCK_CONNECT_BIND) != 0;
  tw->tw_sk.tw_tb2->timewait_owners.push_back(tw);
}

void inet_twsk_bind_unhash(Kernel& k, tcp_timewait_sock* tw) {
  tw->tw_sk.tw_tb2->timewait_owners.erase(tw);
  release_buckets(k, tw->tw_sk.tw_tb, tw->tw_sk.tw_tb2);
}

}  // namespace wakepath::kernel
