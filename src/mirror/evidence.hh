#pragma once

#include <cstdint>
#include <string>

/// What the running machine tells of itself. None of these goes through Os: they are the instrument's own.

namespace wakepath::mirror::evidence {

/// net.ipv4.ip_local_port_range
struct PortRange {
  uint16_t low, high;
};
PortRange port_range();
/// RLIMIT_NOFILE
std::size_t descriptor_limit();
/// uname(2): "Linux 6.18.44"
std::string kernel_name();
/// CLOCK_MONOTONIC
int64_t now_ns();

}  // namespace wakepath::mirror::evidence
