#pragma once

// A modelled network card, beside loopback (`kernel: {device: nic}`): what a packet does that comes over a wire, from
// the card's interrupt to the same tcp_v4_rcv(). No kernel that runs a scenario has this card, so nothing of it is
// checked against one; its order of events is that of a simple driver with NAPI (Documentation/networking/napi.rst,
// drivers/net/ethernet/realtek/8139cp.c of Linux 6.18).
// Left out: descriptors and DMA, interrupt coalescing, GRO, several queues, queueing disciplines, what transmission
// completion frees. The wire takes no time: a frame arrives as soon as the CPU may be interrupted, which is when the
// running task sleeps or its system call ends.

#include "sim/kernel/sock.hh"

namespace wakepath::kernel {

/// The driver's private part of the card's net_device.
struct nic_adapter {
  record::List<sk_buff, &sk_buff::node> rx_ring;  ///< Frames that came over the wire and nobody has fetched.
  record::Field<u32> rx_pending;                  ///< How many.
  record::Field<bool> irq_enabled;                ///< Off from the interrupt until NAPI has emptied the ring.
  record::Field<bool> napi_scheduled;             ///< napi.state: nic_poll() runs or is going to.
  record::Field<u32> interrupts;                  ///< Taken so far, as in /proc/interrupts.

  task_struct* ksoftirqd = nullptr;  ///< Made with the card; softirqs that go on for too long are left to it.
  static void describe(record::KindBuilder<nic_adapter>& b);
};

/// The card and ksoftirqd come into being; from here on every segment goes over the wire.
void nic_probe(Kernel& k);
/// The card interrupts CPU 0 when it has frames and is allowed to. Returns whether it did.
bool nic_interrupts(Kernel& k);
/// Softirqs have gone on for too long: ksoftirqd does the rest. Only where there is a card.
void wakeup_softirqd(Kernel& k);
/// ndo_start_xmit: the frame is on the wire, and at its end the same card receives it.
void nic_start_xmit(Kernel& k, sk_buff* skb);
/// NAPI's poll: fetches at most `budget` frames. When it has emptied the ring it switches the interrupt on again.
/// Returns how many it fetched. Context: softirq.
int nic_poll(Kernel& k, int budget);

}  // namespace wakepath::kernel
