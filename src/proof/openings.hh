#pragma once

#include <vector>

#include "src/proof/focus.hh"
#include "src/proof/world.hh"

namespace wakepath::proof {

/// How a program may begin: a few steps that make a situation in which things happen (connected pairs, several sleepers
/// of one epoll, epolls in epolls, a listener whose queue is full, …), varied at random. The steps are made beforehand:
/// one whose actor turns out to be blocked, or whose address does not exist, is left out.
/// With a `focus` always the one that it names, if it does.
/// Of a World that `floods`, often a connection with small buffers that much is sent over.
std::vector<ProgramStep> random_opening(World& world, const Focus* focus);

}  // namespace wakepath::proof
