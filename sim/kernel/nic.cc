#include "sim/kernel/nic.hh"

#include "sim/kernel/datagram.hh"
#include "sim/kernel/kernel.hh"
#include "sim/kernel/net_dev.hh"

namespace wakepath::kernel {

namespace {

/// The handler proper: says that there is work, and no more. Context: hardirq.
void nic_interrupt(Kernel& k) {
  nic_adapter* nic = k.nic;
  Call call(k, Fn::nic_interrupt, nic);
  ++nic->interrupts;
  nic->irq_enabled = false;  // until the ring is empty: NAPI polls instead
  Call schedule(k, Fn::__napi_schedule, nic);
  nic->napi_scheduled = true;
  raise_softirq_irqoff(k);
}

}  // namespace

void wakeup_softirqd(Kernel& k) {
  Call call(k, Fn::wakeup_softirqd, k.nic->ksoftirqd);
  try_to_wake_up(k, k.nic->ksoftirqd);
}

bool nic_interrupts(Kernel& k) {
  nic_adapter* nic = k.nic;
  if (!nic->irq_enabled || nic->rx_pending == 0) return false;
  k.scheduler.go_to_cpu(0);
  {
    HardirqScope hardirq(k);
    Call common(k, Fn::common_interrupt, nic);
    Call event(k, Fn::handle_irq_event, nic);
    nic_interrupt(k);
  }
  // on the way out of the interrupt: the softirqs that it raised
  SoftirqScope softirq(k);
  Call exit(k, Fn::__irq_exit_rcu, nic);
  handle_softirqs(k);
  return true;
}

namespace {

void run_ksoftirqd(Kernel& k) {
  Call call(k, Fn::run_ksoftirqd, k.nic->ksoftirqd);
  SoftirqScope softirq(k);
  handle_softirqs(k);
}

/// The kernel thread that goes on where softirqs have taken too much of somebody else's time. It never ends.
MaySleep<long> smpboot_thread_fn(Kernel& k) {
  Call call(k, Fn::smpboot_thread_fn, k.nic->ksoftirqd);
  for (;;) {
    set_current_state(k, TaskState::TASK_INTERRUPTIBLE);
    if (!k.softnet()->net_rx_pending) {
      co_await schedule_timeout(k, kForever);
      continue;
    }
    set_current_state(k, TaskState::TASK_RUNNING);
    run_ksoftirqd(k);
  }
}

}  // namespace

void nic_adapter::describe(record::KindBuilder<nic_adapter>& b) {
  b.field(&nic_adapter::rx_ring, "rx_ring")
      .field(&nic_adapter::rx_pending, "rx_pending")
      .field(&nic_adapter::irq_enabled, "irq_enabled")
      .field(&nic_adapter::napi_scheduled, "napi.state")
      .field(&nic_adapter::interrupts, "interrupts");
}

void nic_probe(Kernel& k) {
  k.nic = k.nic_adapters.make();
  k.nic->irq_enabled = true;
  k.nic->ksoftirqd = k.spawn_kthread("ksoftirqd/0");
  k.start(k.nic->ksoftirqd, smpboot_thread_fn(k));
}

void nic_start_xmit(Kernel& k, sk_buff* skb) {
  Call call(k, Fn::nic_start_xmit, skb);
  skb_orphan(k, skb);
  k.nic->rx_ring.push_back(skb);
  ++k.nic->rx_pending;
}

int nic_poll(Kernel& k, int budget) {
  nic_adapter* nic = k.nic;
  Call call(k, Fn::nic_poll, nic);
  int done = 0;
  while (done < budget) {
    sk_buff* skb = nic->rx_ring.pop_front();
    if (skb == nullptr) {
      Call complete(k, Fn::napi_complete_done, nic);
      nic->napi_scheduled = false;
      nic->irq_enabled = true;
      break;
    }
    --nic->rx_pending;
    ++done;
    netif_receive_skb(k, skb);
  }
  return call.result(done);
}

}  // namespace wakepath::kernel
