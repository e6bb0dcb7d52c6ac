#pragma once

// Models: mm/shmem.c and mm/memfd.c of Linux 6.18: memfd_create(), the regular file beside sockets and pipes. It is
// always ready, has a position, and cannot be watched by an epoll. Left out: seals but F_SEAL_SEAL, huge pages, mmap(),
// swap, limits of the mount (the kernel's own has none).

#include <array>
#include <map>
#include <memory>

#include "sim/kernel/fs.hh"

namespace wakepath::kernel {

/// include/linux/shmem_fs.h: what tmpfs keeps of an inode, with the inode inside: container_of() leads from the one to
/// the other, as from a socket's inode to its socket.
struct shmem_inode_info {
  record::Field<u32> seals;
  record::Field<u64> alloced;  ///< Pages.
  struct inode vfs_inode;
  record::Field<long> i_size;  ///< Linux has it in the inode; of all inodes here only regular files use it.

  static constexpr long kPage = 4096;
  using Page = std::array<char, kPage>;
  std::map<long, std::unique_ptr<Page>> i_pages;  ///< Those that were written to; the others are holes.

  static void describe(record::KindBuilder<shmem_inode_info>& b);
};

extern const file_operations shmem_file_operations;
extern const super_operations shmem_ops;
inode* shmem_alloc_inode(Kernel& k);
void shmem_destroy_inode(Kernel& k, inode* inode);
void shmem_free_in_core_inode(Kernel& k, inode* inode);

void shmem_statfs(const dentry* dentry, kstatfs* out);
/// S_ISREG, and none of the anonymous inode.
bool is_regular(const file* file);
/// Of a regular file.
long i_size_read(inode* inode);
/// memfd_create(2): a descriptor. -EINVAL for unknown flags and long names, -EMFILE, -ENOSPC or -ENOMEM
/// without memory.
long do_memfd_create(Kernel& k, const std::string* name, unsigned flags);

}  // namespace wakepath::kernel
