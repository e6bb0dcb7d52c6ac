#pragma once

// net/core/dev.c and kernel/softirq.c, as far as a device's driver calls them. What is left out stands in net_dev.cc.

#include "sim/kernel/sock.hh"

namespace wakepath::kernel {

/// A packet from a device, on its way up. Context: softirq.
void netif_receive_skb(Kernel& k, sk_buff* skb);
/// NET_RX is to run on the way out of the interrupt, or when bottom halves are enabled again.
void raise_softirq_irqoff(Kernel& k);
/// Runs what is pending, with the card a bounded number of rounds: the rest is for ksoftirqd. Context: softirq.
void handle_softirqs(Kernel& k);

/// Gives a packet to the device.
void __dev_queue_xmit(Kernel& k, sk_buff* skb);

}  // namespace wakepath::kernel
