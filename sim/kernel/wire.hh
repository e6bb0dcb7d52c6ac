#pragma once

// The modelled wire: what may befall segments between two ends of loopback. Linux has no such thing on lo (a queueing
// discipline, netem, would do it); this is for scenarios that want to see loss, delay and reordering.

#include "sim/kernel/sock.hh"

namespace wakepath::kernel {

/// What befalls the segments of one sender, or of everybody.
struct wire_fault {
  record::Field<u16> source;                        ///< The sender's port; 0: everybody's.
  record::Field<u32> drop;                          ///< So many of the next segments are lost.
  record::Field<u32> reorder;                       ///< So many of the next segments are overtaken by the one behind.
  record::Field<record::Time> delay;                ///< How long each segment takes.
  record::List<sk_buff, &sk_buff::node> in_flight;  ///< On their way, in the order in which they will arrive.

  record::Ipv4 address{};  ///< The sender's address; of no meaning when source is 0.
  engine::Timer arrival;
  static void describe(record::KindBuilder<wire_fault>& b);
};

/// Sets what befalls the segments that come from `address`:`port` from now on (port 0: all segments), in place of what
/// was set for them before. Segments on their way arrive as they would have.
void set_wire_fault(Kernel& k, u32 address, u16 port, u32 drop, u32 reorder, u64 delay_ns);
/// Takes a segment that has something in its way. False: nothing has; the caller delivers it.
bool wire_takes(Kernel& k, sk_buff* skb);

}  // namespace wakepath::kernel
