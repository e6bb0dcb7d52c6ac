#pragma once

#include <optional>
#include <string>

#include "src/scenario/machine.hh"

namespace wakepath::scenario {

/// A call sleeps for ever, but a timerfd may end it: one that it reads, or that poll(), select() or an epoll, also one
/// that another epoll watches, waits to read. How long the first of them takes; nothing when none runs, or none that
/// runs out within 10 s: such a call counts as blocked.
std::optional<Duration> first_timerfd(Machine& machine, const std::string& process, const Request& request);

}  // namespace wakepath::scenario
