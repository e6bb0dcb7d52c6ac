#pragma once

// Models: the objects of fs/super.c, fs/namespace.c, fs/inode.c, fs/dcache.c and fs/libfs.c of Linux 6.18 that files
// without a directory have: the file system (sockfs, pipefs, anon_inodefs, and the tmpfs of memfd_create()), its one
// mount, an inode and a dentry a file; made at boot (super.cc), and per file (inode.cc).
// Left out: look-up by path and the roots of these file systems, which nobody can reach; permissions; the lists and
// hashes of inodes and dentries; RCU: what Linux frees after a grace period goes at once here, where nobody looks at
// anything without a reference.

#include <string>

#include "sim/kernel/sched.hh"

namespace wakepath::kernel {

struct dentry;
struct inode;
struct super_block;

/// struct kstatfs: what fstatfs(2) tells of a file system.
struct kstatfs {
  u32 f_type = 0;  ///< SOCKFS_MAGIC and the like, include/uapi/linux/magic.h
  u32 f_bsize = 0;
  u32 f_namelen = 0;
};

/// How a file system makes and frees its inodes. Members may be nullptr.
struct super_operations {
  inode* (*alloc_inode)(Kernel&);  ///< nullptr: a plain inode. nullptr returned: no memory.
  void (*destroy_inode)(Kernel&, inode*);
  void (*free_inode)(Kernel&, inode*);
  void (*evict_inode)(Kernel&, inode*);
  void (*statfs)(const dentry*, kstatfs*);
};

/// How dentries of a file system are named.
struct dentry_operations {
  /// What a link in /proc/PID/fd shows.
  std::string (*d_dname)(const Kernel&, const dentry*);
};

struct file_system_type {
  const char* name;
  u32 magic;
  const super_operations* s_op;     ///< as fs_context sets them
  const dentry_operations* s_d_op;  ///< nullptr: d_alloc_pseudo() gives its own
};

/// A file system in use.
struct super_block {
  record::Field<const file_system_type*> s_type;
  record::Field<const super_operations*> s_op;
  record::Field<const dentry_operations*> __s_d_op;
  record::Field<record::Hex> s_magic;
  record::Field<u32> s_dev;  ///< of no device: numbered as they come
  // what stands behind s_op and __s_d_op, to be seen in a trace
  record::Field<inode* (*)(Kernel&)> alloc_inode;
  record::Field<void (*)(Kernel&, inode*)> destroy_inode;
  record::Field<void (*)(Kernel&, inode*)> free_inode;
  record::Field<void (*)(const dentry*, kstatfs*)> statfs;
  record::Field<std::string (*)(const Kernel&, const dentry*)> d_dname;

  static void describe(record::KindBuilder<super_block>& b);
};

/// What the rest of the kernel sees of a mount.
struct vfsmount {
  record::Ptr<super_block> mnt_sb;

  static void describe(record::KindBuilder<vfsmount>& b);
};

/// fs/mount.h: one mount of a file system.
struct mount {
  vfsmount mnt;
  record::Field<int> mnt_id;

  static void describe(record::KindBuilder<mount>& b);
};

/// The part of struct inode that these file systems use. Embedded in socket_alloc and in shmem_inode_info: the same
/// address is the one and, by container_of(), the other.
struct inode {
  record::Field<record::Hex> i_mode;
  record::Field<int> i_count;
  record::Field<u64> i_ino;
  record::Ptr<super_block> i_sb;

  static void describe(record::KindBuilder<inode>& b);
};

/// A file's name and the way to its inode. The two ends of a pipe share one; its mount is the only one of its d_sb.
struct dentry {
  record::Ptr<inode> d_inode;
  record::Field<const dentry_operations*> d_op;
  record::Ptr<super_block> d_sb;
  record::Field<record::Text> d_name;
  record::Field<int> d_lockref;  ///< d_lockref.count

  static void describe(record::KindBuilder<dentry>& b);
};

// --- boot: super.cc ---
extern const file_system_type sock_fs_type;
extern const file_system_type pipe_fs_type;
extern const file_system_type anon_inode_fs_type;
extern const file_system_type shmem_fs_type;
extern const super_operations pipefs_ops;
extern const super_operations simple_super_operations;
extern const dentry_operations pipefs_dentry_operations;
extern const dentry_operations anon_inodefs_dentry_operations;
extern const dentry_operations anon_ops;  ///< of dentries whose file system has none

std::string pipefs_dname(const Kernel& k, const dentry* dentry);
std::string anon_inodefs_dname(const Kernel& k, const dentry* dentry);
std::string simple_dname(const Kernel& k, const dentry* dentry);
void simple_statfs(const dentry* dentry, kstatfs* out);
void free_inode_nonrcu(Kernel& k, inode* inode);

/// The initcalls of the file systems that exist here, in the kernel's order.
void mount_file_systems(Kernel& k);
/// The one mount of a file system that only the kernel itself uses.
vfsmount* kern_mount(Kernel& k, const file_system_type* type);

// --- inodes and dentries: inode.cc ---
/// A new inode of the file system with one reference. nullptr: no memory.
inode* alloc_inode(Kernel& k, super_block* sb);
inode* ihold(inode* inode);
void iput(Kernel& k, inode* inode);
/// A dentry with one reference and without an inode. nullptr: no memory.
dentry* d_alloc_pseudo(Kernel& k, super_block* sb, const char* name);
/// The reference to the inode passes to the dentry.
void d_instantiate(dentry* dentry, inode* inode);
void dput(Kernel& k, dentry* dentry);

}  // namespace wakepath::kernel
