// Models: net/core/dev.c (the per-CPU backlog, NET_RX softirq), drivers/net/loopback.c, kernel/softirq.c and the way
// down through net/ipv4/ip_output.c, as of Linux 6.18.
// Left out: routing (everything is local), netfilter, queueing disciplines (lo has none), RPS, GRO. On loopback alone
// there is no ksoftirqd either: Linux hands over to it when a softirq runs for long; then the same functions run in
// another context. With the modelled card (nic.hh) it can be seen.

#include <algorithm>

#include "sim/kernel/datagram.hh"
#include "sim/kernel/ip.hh"
#include "sim/kernel/ipv6.hh"
#include "sim/kernel/kernel.hh"
#include "sim/kernel/net_dev.hh"
#include "sim/kernel/nic.hh"
#include "sim/kernel/tcp.hh"
#include "sim/kernel/udp.hh"

namespace wakepath::kernel {

void raise_softirq_irqoff(Kernel& k) {
  softnet_data* sd = k.softnet();
  Call call(k, Fn::raise_softirq_irqoff, sd);
  sd->net_rx_pending = true;
}

namespace {

void enqueue_to_backlog(Kernel& k, sk_buff* skb) {
  Call call(k, Fn::enqueue_to_backlog, skb);
  softnet_data* sd = k.softnet();
  sd->input_pkt_queue.push_back(skb);
  ++sd->qlen;
  if (sd->napi_scheduled) return;  // process_backlog() runs or will run, and takes the newcomer too
  sd->napi_scheduled = true;
  raise_softirq_irqoff(k);
}

void loopback_xmit(Kernel& k, sk_buff* skb) {
  Call call(k, Fn::loopback_xmit, skb);
  skb_orphan(k, skb);
  if (k.wire.empty() || !wire_takes(k, skb)) __netif_rx(k, skb);
}

void __netif_receive_skb_one_core(Kernel& k, sk_buff* skb) {
  Call call(k, Fn::__netif_receive_skb_one_core, skb);
  { Call core(k, Fn::__netif_receive_skb_core, skb); }
  if (skb->v6) {
    ipv6_rcv(k, skb);
    return;
  }
  Call local(k, Fn::ip_local_deliver_finish, skb);
  Call deliver(k, Fn::ip_protocol_deliver_rcu, skb);
  switch (skb->protocol) {
    case IPPROTO_UDP:
      udp_rcv(k, skb);
      break;
    case IPPROTO_ICMP:
      icmp_rcv(k, skb);
      break;
    default:
      tcp_v4_rcv(k, skb);
      break;
  }
}

void process_backlog(Kernel& k) {
  softnet_data* sd = k.softnet();
  Call call(k, Fn::process_backlog, sd);
  while (sk_buff* skb = sd->input_pkt_queue.pop_front()) {
    --sd->qlen;
    ++sd->processed;
    __netif_receive_skb_one_core(k, skb);
  }
  sd->napi_scheduled = false;
}

/// Every NAPI that has work, at most net.core.netdev_budget packets of the card.
void net_rx_action(Kernel& k) {
  softnet_data* sd = k.softnet();
  Call action(k, Fn::net_rx_action, sd);
  if (sd->napi_scheduled) {
    Call poll(k, Fn::__napi_poll, sd);
    process_backlog(k);
  }
  constexpr int kWeight = 64;  // NAPI_POLL_WEIGHT
  for (int budget = k.config.netdev_budget; k.nic != nullptr && k.nic->napi_scheduled;) {
    Call poll(k, Fn::__napi_poll, k.nic);
    budget -= nic_poll(k, std::min(budget, kWeight));
    if (budget > 0) continue;
    raise_softirq_irqoff(k);  // more to do, in the next round
    break;
  }
}

/// In rounds, while more is raised. With the card there is an end to it, and the rest is for ksoftirqd.
void run_net_rx(Kernel& k) {
  constexpr int kMaxRestart = 10;  // MAX_SOFTIRQ_RESTART
  for (int round = 0; k.softnet()->net_rx_pending; ++round) {
    if (k.nic != nullptr && round == kMaxRestart) {
      wakeup_softirqd(k);
      return;
    }
    k.softnet()->net_rx_pending = false;
    net_rx_action(k);
  }
}

void do_softirq(Kernel& k) {
  Call call(k, Fn::do_softirq, k.softnet());
  SoftirqScope softirq(k);
  handle_softirqs(k);
}

}  // namespace

void netif_receive_skb(Kernel& k, sk_buff* skb) {
  Call call(k, Fn::netif_receive_skb, skb);
  __netif_receive_skb_one_core(k, skb);
}

void handle_softirqs(Kernel& k) {
  Call handle(k, Fn::handle_softirqs, k.softnet());
  run_net_rx(k);
}

void __netif_rx(Kernel& k, sk_buff* skb) {
  Call call(k, Fn::__netif_rx, skb);
  Call internal(k, Fn::netif_rx_internal, skb);
  enqueue_to_backlog(k, skb);
}

namespace {

/// gso_features_check(): with its headers the packet is larger than the device takes.
bool is_too_large(const sk_buff* skb) {
  constexpr u32 kEthernet = 14, kTcp = 32;
  constexpr u32 kGsoMaxSize = 65536;
  if (skb->mss == 0 || skb->len <= skb->mss) return false;
  return kEthernet + (skb->v6 ? 40 : 20) + kTcp + skb->len >= kGsoMaxSize;
}

void dev_hard_start_xmit(Kernel& k, sk_buff* skb) {
  Call start(k, Fn::dev_hard_start_xmit, skb);
  if (k.tap) [[unlikely]]
    k.tap(*skb);
  if (k.nic != nullptr)
    nic_start_xmit(k, skb);
  else
    loopback_xmit(k, skb);
}

}  // namespace

void __dev_queue_xmit(Kernel& k, sk_buff* skb) {
  Call call(k, Fn::__dev_queue_xmit, skb);
  local_bh_disable(k);
  if (is_too_large(skb)) [[unlikely]] {
    for (sk_buff* segment : skb_segment(k, skb)) dev_hard_start_xmit(k, segment);
  } else {
    dev_hard_start_xmit(k, skb);
  }
  local_bh_enable(k);
}

void local_bh_disable(Kernel& k) { ++k.bh_disabled; }

void local_bh_enable(Kernel& k) {
  --k.bh_disabled;
  if (!k.softnet()->net_rx_pending || k.recorder.context() != trace::Context::kProcess || k.bh_disabled > 0) return;
  Call call(k, Fn::__local_bh_enable_ip, k.softnet());
  do_softirq(k);
}

void timer_softirq(Kernel& k, Fn timer, const void* subject, const std::function<void()>& body) {
  if (k.running_timers) {  // another one of the tick
    Call call(k, timer, subject);
    body();
    return;
  }
  TimerInterrupt interrupt(k);
  SoftirqScope softirq(k);
  Call exit(k, Fn::__irq_exit_rcu, nullptr);
  Call handle(k, Fn::handle_softirqs, k.softnet());
  {
    Call run(k, Fn::run_timer_softirq, nullptr);
    k.running_timers = true;
    {
      Call call(k, timer, subject);
      body();
    }
    while (k.scheduler.run_next_of_tick()) {
    }
    k.running_timers = false;
  }
  run_net_rx(k);
}

void ip_output(Kernel& k, sk_buff* skb) {
  Call call(k, Fn::ip_output, skb);
  Call finish(k, Fn::ip_finish_output2, skb);
  __dev_queue_xmit(k, skb);
}

void __ip_queue_xmit(Kernel& k, sk_buff* skb) {
  Call call(k, Fn::__ip_queue_xmit, skb);
  ip_output(k, skb);
}

void ip_send_unicast_reply(Kernel& k, const BareSegment& segment) {
  Call call(k, segment.v6 ? Fn::tcp_v6_send_response : Fn::ip_send_unicast_reply, nullptr);
  sk_buff* skb = nullptr;
  {
    Call append(k, segment.v6 ? Fn::__alloc_skb : Fn::__ip_append_data, nullptr);
    skb = make_bare_segment(k, segment);
  }
  if (skb == nullptr) return;
  if (skb->v6) {
    ip6_xmit(k, skb);
    return;
  }
  Call push(k, Fn::ip_push_pending_frames, skb);
  ip_output(k, skb);
}

}  // namespace wakepath::kernel
