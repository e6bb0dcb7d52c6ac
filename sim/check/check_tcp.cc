#include <fmt/format.h>

#include <map>

#include "sim/check/check.hh"
#include "sim/kernel/tcp.hh"

namespace wakepath::check {

using namespace kernel;  // NOLINT

namespace {

int truesize_of(const auto& list) {
  int sum = 0;
  for (const sk_buff* skb : list) sum += static_cast<int>(skb->truesize.get());
  return sum;
}

/// Collects complaints about one socket: `same(…)` says what differs.
class Socket {
 public:
  Socket(const tcp_sock& tp, Complaints& out) : tp_(tp), sk_(tp.inet_conn.icsk_inet.sk), out_(out) {}

  template <class A, class B>
  void same(const char* what, A is, B should) {
    if (static_cast<std::int64_t>(is) != static_cast<std::int64_t>(should))
      say(fmt::format("{} is {}, should be {}", what, is, should));
  }
  void say(const std::string& what) {
    out_.push_back(
        fmt::format("{} in state {}: {}", named("tcp_sock", &tp_), static_cast<int>(sk_.common.skc_state.get()), what));
  }

 protected:
  const tcp_sock& tp_;
  const sock& sk_;
  Complaints& out_;
};

class QuietSocket : public Socket {
 public:
  using Socket::Socket;

  /// `requests`: that hold it.
  void check(int half_open, int requests, bool on_accept_queue) {
    queues();
    listener(half_open);
    timers();
    numbers();
    owner(on_accept_queue);
    const inet_connection_sock& icsk = tp_.inet_conn;
    const int armed = (icsk.icsk_retransmit_timer.active() ? 1 : 0) + (icsk.icsk_delack_timer.active() ? 1 : 0) +
                      (icsk.sk_timer.active() ? 1 : 0);
    same("skc_refcnt", sk_.common.skc_refcnt.get(), 1 + requests + armed);
  }

 private:
  void queues() {
    same("sk_receive_queue.qlen", sk_.sk_receive_queue.qlen.get(), sk_.sk_receive_queue.list.size());
    same("sk_write_queue.qlen", sk_.sk_write_queue.qlen.get(), sk_.sk_write_queue.list.size());
    u32 segments = 0;
    for (const sk_buff* skb : sk_.tcp_rtx_queue) segments += tcp_skb_pcount(skb);
    same("packets_out", tp_.packets_out.get(), segments);
    same("sk_rmem_alloc", sk_.sk_rmem_alloc.get(),
         truesize_of(sk_.sk_receive_queue.list) + truesize_of(tp_.out_of_order_queue));
    same("sk_wmem_queued", sk_.sk_wmem_queued.get(),
         truesize_of(sk_.sk_write_queue.list) + truesize_of(sk_.tcp_rtx_queue));
    if (sk_.sk_forward_alloc < 0) say("sk_forward_alloc is negative");
    if (sk_.sk_lock_owned) say("owned by a system call, but none runs");
    if (!sk_.sk_backlog.empty()) say("segments are left on its backlog");
  }
  void listener(int half_open) {
    const request_sock_queue& queue = tp_.inet_conn.icsk_accept_queue;
    same("sk_ack_backlog", sk_.sk_ack_backlog.get(), queue.rskq_accept_head.size());
    same("icsk_accept_queue.qlen", queue.qlen.get(), half_open);
  }
  void timers() {
    const inet_connection_sock& icsk = tp_.inet_conn;
    if (icsk.icsk_pending && !icsk.icsk_retransmit_timer.active()) say("icsk_pending, but its timer is not armed");
    if ((icsk.icsk_ack_pending & ICSK_ACK_TIMER) != 0 && !icsk.icsk_delack_timer.active())
      say("an ACK is to be sent later, but no timer will send it");
    if (!sk_.tcp_rtx_queue.empty() && !icsk.icsk_pending)
      say("segments are unacknowledged, but no timer will send them again");
  }
  void numbers() {
    if (after(tp_.snd_una, tp_.snd_nxt)) say("snd_una is beyond snd_nxt");
    if (after(tp_.snd_nxt, tp_.write_seq)) say("snd_nxt is beyond write_seq");
    if (after(tp_.copied_seq, tp_.rcv_nxt)) say("copied_seq is beyond rcv_nxt");
  }
  /// A sock belongs to a socket, waits on an accept queue, or is an orphan that its peer or a timer will end.
  void owner(bool on_accept_queue) {
    TcpState state = sk_.common.skc_state;
    bool dead = sock_flag(&sk_, SOCK_DEAD_BIT);
    bool hashed = sk_.common.skc_node.linked();
    if (hashed != (state != TcpState::CLOSE)) say(hashed ? "closed, but in a hash table" : "in no hash table");
    if (sk_.sk_socket != nullptr || on_accept_queue) {
      if (dead) say("dead, but somebody has it");
      return;
    }
    if (!dead) say("nobody has it");
    if (state == TcpState::CLOSE || state == TcpState::LISTEN) say("an orphan that nothing will free");
  }
};

/// The other end that a connect() of AF_UNIX prepares before it sleeps, with the buffer that will stand for it.
bool is_embryo(const sock& sk) {
  return sk.sk_socket == nullptr && !sock_flag(&sk, SOCK_DEAD_BIT) && sk.common.skc_state == TcpState::CLOSE;
}

/// Those who wait for room in its queue: each holds the datagram that it wants to send.
std::size_t senders_waiting(const unix_sock& u) {
  std::size_t count = 0;
  if (u.sk.common.skc_state == TcpState::LISTEN) return count;  // who connects waits there, too, with an embryo
  for (const wait_queue_entry* entry : u.peer_wq.wait.head) count += entry->func.get() == autoremove_wake_function;
  return count;
}

void check_hash(const Kernel& k, std::size_t hashed, Complaints& out) {
  std::size_t found = 0;
  k.hash_buckets.for_each([&](const inet_ehash_bucket& bucket) { found += bucket.chain.size(); });
  if (found != hashed) out.push_back(fmt::format("the hash tables hold {} entries, but {} are hashed", found, hashed));
  k.bind_buckets.for_each([&](const inet_bind_bucket& bucket) {
    if (bucket.bhash2.empty()) out.push_back(named("inet_bind_bucket", &bucket) + " has no owner");
  });
  k.bind2_buckets.for_each([&](const inet_bind2_bucket& bucket) {
    if (bucket.owners.empty() && bucket.timewait_owners.empty())
      out.push_back(named("inet_bind2_bucket", &bucket) + " has no owner");
  });
}

}  // namespace

void check_sockets(const Kernel& k, Complaints& out) {
  std::size_t hashed = 0;
  std::map<trace::ObjectId, int> half_open;        // by listener
  std::map<trace::ObjectId, int> requests;         // by listener
  std::map<trace::ObjectId, bool> to_be_accepted;  // by child
  k.request_socks.for_each([&](const tcp_request_sock& req) {
    const request_sock& r = req.req.req;
    ++requests[record::object_of(r.rsk_listener.get())];
    if (r.common.skc_node.linked()) {
      ++hashed;
      ++half_open[record::object_of(r.rsk_listener.get())];
    } else if (r.sk == nullptr || !req.dl_next.linked()) {
      out.push_back(named("tcp_request_sock", &req) + " is neither half open nor on an accept queue");
    } else {
      to_be_accepted[record::object_of(r.sk.get())] = true;
    }
  });
  k.timewait_socks.for_each([&](const tcp_timewait_sock& tw) {
    hashed += tw.tw_sk.tw_common.skc_node.linked() ? 1 : 0;
    if (!tw.tw_timer.active()) out.push_back(named("tcp_timewait_sock", &tw) + " has no timer");
  });
  std::size_t queued = 0;
  for (const softnet_data* softnet : k.softnet_of_cpu) queued += softnet->input_pkt_queue.size();
  if (queued != 0) out.emplace_back("packets are left on a CPU's backlog");
  k.tcp_socks.for_each([&](const tcp_sock& tp) {
    trace::ObjectId id = record::object_of(&tp);
    QuietSocket(tp, out).check(half_open[id], requests[id], to_be_accepted[id]);
    const sock& sk = tp.inet_conn.icsk_inet.sk;
    hashed += sk.common.skc_node.linked() ? 1 : 0;
    queued += sk.sk_receive_queue.list.size() + sk.sk_write_queue.list.size() + sk.tcp_rtx_queue.size() +
              sk.sk_backlog.size() + tp.out_of_order_queue.size();
  });
  k.unix_socks.for_each([&](const unix_sock& u) {
    queued += u.sk.sk_receive_queue.list.size() + (is_embryo(u.sk) ? 1 : 0) + senders_waiting(u);
  });
  k.udp_socks.for_each([&](const udp_sock& up) {
    queued +=
        up.inet.sk.sk_receive_queue.list.size() + up.reader_queue.list.size() + up.inet.sk.sk_write_queue.list.size();
  });
  for (const wire_fault* fault : k.wire) queued += fault->in_flight.size();
  if (k.skbs.live() != queued)
    out.push_back(fmt::format("{} segments are alive, but {} are queued", k.skbs.live(), queued));
  check_hash(k, hashed, out);
}

}  // namespace wakepath::check
