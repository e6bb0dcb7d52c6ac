#pragma once

#include "src/scenario/ast.hh"

namespace wakepath::scenario {

/// What the calling process could make of itself for a run.
struct Place {
  bool own_network = false;    ///< a private network namespace, with lo up
  std::string why_not;         ///< when not: what was refused
  int cpu = -1;                ///< every thread runs on this one; -1: affinity was refused
  bool fifo = false;           ///< actors may be SCHED_FIFO
  bool without_admin = false;  ///< actors do without CAP_SYS_ADMIN
};

/// Enters namespaces, sets the sysctls of the file, checks what it needs. Called in a process of its own that has one
/// thread. Throws Unavailable or Skip.
Place enter_place(const Scenario& scenario);

}  // namespace wakepath::scenario
