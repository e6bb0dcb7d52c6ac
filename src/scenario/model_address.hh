#pragma once

#include "sim/kernel/socket.hh"
#include "src/scenario/ast.hh"

namespace wakepath::scenario {

/// Conversions between a scenario's addresses and the modelled kernel's.
kernel::Address to_model(const Address& address);
Address from_model(const kernel::Address& address);

}  // namespace wakepath::scenario
