#pragma once

#include <string>
#include <vector>

#include "sim/kernel/kernel.hh"

/// What must hold in the modelled kernel whenever it is quiet: nothing runs, no softirq is pending. A sentence for each
/// thing that does not, naming the object; empty when all is well. Changes nothing and records nothing.

namespace wakepath::check {

using Complaints = std::vector<std::string>;

/// Every invariant below. Costs a walk over all living objects.
[[nodiscard]] Complaints check_invariants(const kernel::Kernel& k);

/// What is still there although every process has exited and every timer has run out. Task structures, the hash chains
/// and the CPU's own object live as long as the machine.
[[nodiscard]] Complaints check_all_freed(const kernel::Kernel& k);

// The parts, each adding to `out`.
void check_files(const kernel::Kernel& k, Complaints& out);       ///< Descriptors, references, sockets.
void check_epolls(const kernel::Kernel& k, Complaints& out);      ///< Ready lists, wait queues, lost events.
void check_sockets(const kernel::Kernel& k, Complaints& out);     ///< Queues, memory, timers, hash tables.
void check_shares(const kernel::Kernel& k, Complaints& out);      ///< Who shares a table or a pipe; its bytes.
void check_run_queues(const kernel::Kernel& k, Complaints& out);  ///< Each runnable task is on its CPU's queue.
void check_sleepers(const kernel::Kernel& k, Complaints& out);    ///< Nobody sleeps for what is there already.

void check_datagrams(const kernel::Kernel& k, Complaints& out);  ///< The same of UDP.

/// The events that a file has now, as far as they come with a wake-up: of signalfds and files in memory 0.
[[nodiscard]] kernel::u32 events_of(const kernel::file& f);
/// "tcp_sock 17": a kind's name with the object's id in the trace.
[[nodiscard]] std::string named(const char* kind, const void* object);

}  // namespace wakepath::check
