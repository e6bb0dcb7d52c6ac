#pragma once

#include <string>
#include <vector>

#include "sim/kernel/uaccess.hh"

namespace wakepath::kernel {

/// The buffers of writev(), one behind the other in `whole` (that of import_iovec()).
struct UserBuffers {
  const char* whole = nullptr;
  std::size_t size = 0;
  std::vector<UserPiece> pieces;
};

/// fs/read_write.c vfs_writev(): the buffers as one write where the kind of file has write_iter; else each is a write
/// of its own, and the first that fails ends the call: with what went before it, or with its error when nothing did.
MaySleep<long> vfs_writev(Kernel& k, struct file* file, const UserBuffers& buffers);

}  // namespace wakepath::kernel
