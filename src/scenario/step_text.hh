#pragma once

#include <string>

#include "src/scenario/ast.hh"

namespace wakepath::scenario {

/// A step in one line, as a trace and a list of steps show it: `server: c = accept4(lfd, SOCK_NONBLOCK)`.
std::string step_text(const Step& step);

/// What a `wire`, `signal` or `fault` does, in full: `signal SIGTERM to server`. Empty for other steps.
std::string disturbance_text(const Step& step);

}  // namespace wakepath::scenario
