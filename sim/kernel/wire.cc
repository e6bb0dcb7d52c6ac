// Loss, delay and reordering on the way from loopback_xmit() to netif_rx(). No part of Linux: see wire.hh.

#include "sim/kernel/wire.hh"

#include <algorithm>

#include "sim/kernel/kernel.hh"
#include "sim/kernel/tcp.hh"

namespace wakepath::kernel {

namespace {

void arm_arrival(Kernel& k, wire_fault* fault);

/// Everything that is due arrives, in one softirq.
void arrive(Kernel& k, wire_fault* fault) {
  for (;;) {
    sk_buff* skb = fault->in_flight.front();
    if (skb == nullptr || skb->arrives_at_ns > k.now_ns()) break;
    fault->in_flight.erase(skb);
    __netif_rx(k, skb);
  }
  arm_arrival(k, fault);
}

void wire_arrival(Kernel& k, wire_fault* fault) {
  timer_softirq(k, Fn::wire_arrival, fault, [&k, fault] { arrive(k, fault); });
}

void arm_arrival(Kernel& k, wire_fault* fault) {
  const sk_buff* next = fault->in_flight.front();
  if (next == nullptr || next->arrives_at_ns == kForever) return;
  fault->arrival.function = timer_of<&wire_fault::arrival, wire_arrival>;
  k.scheduler.arm(fault->arrival, next->arrives_at_ns, engine::TimerGrain::kCoarse);
}

/// Segments that wait to be overtaken stand in front with no time of arrival; the one that overtakes them sets it.
void overtake(wire_fault* fault, sk_buff* skb) {
  sk_buff* held = fault->in_flight.back();
  sk_buff* before = held;
  while (before != nullptr && before->arrives_at_ns == kForever) before = fault->in_flight.prev(before);
  // a shorter delay than before does not make a segment overtake
  if (before != nullptr) skb->arrives_at_ns = std::max(skb->arrives_at_ns, before->arrives_at_ns);
  for (sk_buff* late = held; late != nullptr && late != before; late = fault->in_flight.prev(late))
    late->arrives_at_ns = skb->arrives_at_ns;
  fault->in_flight.insert_behind(before, skb);
}

}  // namespace

void wire_fault::describe(record::KindBuilder<wire_fault>& b) {
  b.field(&wire_fault::source, "source")
      .field(&wire_fault::drop, "drop")
      .field(&wire_fault::reorder, "reorder")
      .field(&wire_fault::delay, "delay")
      .field(&wire_fault::in_flight, "in_flight");
}

void set_wire_fault(Kernel& k, u32 address, u16 port, u32 drop, u32 reorder, u64 delay_ns) {
  wire_fault* fault = nullptr;
  for (wire_fault* known : k.wire)
    if (known->source == port && known->address.value == address) fault = known;
  if (fault == nullptr) {
    fault = k.wire_faults.make();
    fault->source = port;
    fault->address = record::Ipv4{address};
    k.wire.push_back(fault);
  }
  fault->drop = drop;
  fault->reorder = reorder;
  fault->delay = record::Time{delay_ns};
}

bool wire_takes(Kernel& k, sk_buff* skb) {
  wire_fault* fault = nullptr;
  for (wire_fault* known : k.wire)
    if (known->source == 0 || (known->source == skb->source && known->address.value == skb->saddr)) fault = known;
  if (fault == nullptr) return false;
  if (fault->drop > 0) {
    --fault->drop;
    k.rule(Rule::wire_drops, skb);
    k.skbs.free(skb);
    return true;
  }
  if (fault->delay.get().ns == 0 && fault->reorder == 0 && fault->in_flight.empty()) return false;
  skb->arrives_at_ns = k.now_ns() + fault->delay.get().ns;
  if (fault->reorder > 0) {
    --fault->reorder;
    k.rule(Rule::wire_reorders, skb);
    skb->arrives_at_ns = kForever;
    fault->in_flight.push_back(skb);
    return true;
  }
  overtake(fault, skb);
  arm_arrival(k, fault);
  return true;
}

}  // namespace wakepath::kernel
