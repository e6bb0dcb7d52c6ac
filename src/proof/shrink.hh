#pragma once

#include <functional>

#include "src/proof/program.hh"

namespace wakepath::proof {

/// Makes a program smaller as long as `still_shows` holds: first by whole steps (delta debugging, with what depends on
/// them), then by arguments. Asks at most `most_tries` times. The result still shows it.
Program shrink(Program program, const std::function<bool(const Program&)>& still_shows, int most_tries);

}  // namespace wakepath::proof
