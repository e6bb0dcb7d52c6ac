#pragma once

#include <string>
#include <vector>

#include "sim/kernel/kernel.hh"

namespace wakepath::kernel {

/// fs/read_write.c vfs_writev(): `pieces` as one write where the kind of file has write_iter; else each piece is a
/// write of its own, and the first that fails ends the call: with what went before it, or with its error when nothing
/// did.
MaySleep<long> vfs_writev(Kernel& k, struct file* file, const std::vector<std::string>& pieces);

}  // namespace wakepath::kernel
