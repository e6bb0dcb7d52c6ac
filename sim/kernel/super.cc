// Models: fs/super.c, fs/libfs.c (init_pseudo() and what it leads to), fs/filesystems.c and the initcalls of the file
// systems without a directory, Linux 6.18: sock_init() of net/socket.c, init_pipe_fs(), anon_inode_init(),
// shmem_init(). Left out: see inode.hh; that file systems can be unregistered, and unmounted.

#include <fmt/format.h>
#include <linux/magic.h>
#include <sys/stat.h>

#include "sim/kernel/kernel.hh"

namespace wakepath::kernel {

void super_block::describe(record::KindBuilder<super_block>& b) {
  b.field(&super_block::s_type, "s_type")
      .field(&super_block::s_op, "s_op")
      .field(&super_block::alloc_inode, "s_op->alloc_inode")
      .field(&super_block::destroy_inode, "s_op->destroy_inode")
      .field(&super_block::free_inode, "s_op->free_inode")
      .field(&super_block::statfs, "s_op->statfs")
      .field(&super_block::__s_d_op, "__s_d_op")
      .field(&super_block::d_dname, "__s_d_op->d_dname")
      .field(&super_block::s_magic, "s_magic")
      .field(&super_block::s_dev, "s_dev");
}

void vfsmount::describe(record::KindBuilder<vfsmount>& b) { b.field(&vfsmount::mnt_sb, "mnt_sb"); }

void mount::describe(record::KindBuilder<mount>& b) {
  b.embed(&mount::mnt, "mnt", "vfsmount", 32, 32).field(&mount::mnt_id, "mnt_id");
}

// --- the file systems but sockfs (socket.cc) and tmpfs (shmem.cc) ---

const super_operations pipefs_ops = {nullptr, free_inode_nonrcu, nullptr, nullptr, simple_statfs};
const dentry_operations pipefs_dentry_operations = {pipefs_dname};
const file_system_type pipe_fs_type = {"pipefs", PIPEFS_MAGIC, &pipefs_ops, &pipefs_dentry_operations};

const super_operations simple_super_operations = {nullptr, nullptr, nullptr, nullptr, simple_statfs};
const dentry_operations anon_inodefs_dentry_operations = {anon_inodefs_dname};
const file_system_type anon_inode_fs_type = {"anon_inodefs", ANON_INODE_FS_MAGIC, &simple_super_operations,
                                             &anon_inodefs_dentry_operations};

const dentry_operations anon_ops = {simple_dname};

std::string pipefs_dname(const Kernel&, const dentry* dentry) {
  return fmt::format("pipe:[{}]", dentry->d_inode->i_ino.get());
}

std::string anon_inodefs_dname(const Kernel& k, const dentry* dentry) {
  return fmt::format("anon_inode:{}", k.trace()->string(dentry->d_name.get().id));
}

std::string simple_dname(const Kernel& k, const dentry* dentry) {
  return fmt::format("/{} (deleted)", k.trace()->string(dentry->d_name.get().id));
}

void simple_statfs(const dentry* dentry, kstatfs* out) {
  constexpr u32 kPageSize = 4096;
  constexpr u32 kNameMax = 255;
  *out = {dentry->d_sb->s_magic.get().value, kPageSize, kNameMax};
}

void free_inode_nonrcu(Kernel& k, inode* inode) { k.inodes.free(inode); }

namespace {

/// The list that /proc/filesystems shows.
void register_filesystem(Kernel& k, const file_system_type* type) {
  Call call(k, Fn::register_filesystem, nullptr);
  k.file_systems.push_back(type);
}

void pseudo_fs_fill_super(Kernel& k, super_block* sb, const file_system_type* type) {
  Call call(k, Fn::pseudo_fs_fill_super, sb);
  sb->s_type = type;
  sb->s_magic = record::Hex{type->magic};
  sb->s_op = type->s_op;
  sb->alloc_inode = type->s_op->alloc_inode;
  sb->destroy_inode = type->s_op->destroy_inode;
  sb->free_inode = type->s_op->free_inode;
  sb->statfs = type->s_op->statfs;
  sb->__s_d_op = type->s_d_op;
  if (type->s_d_op != nullptr) sb->d_dname = type->s_d_op->d_dname;
}

vfsmount* register_and_mount(Kernel& k, Fn initcall, const file_system_type* type) {
  Call call(k, initcall, nullptr);
  register_filesystem(k, type);
  return kern_mount(k, type);
}

/// Nobody can ask for this one by its name: it is not registered.
void anon_inode_init(Kernel& k) {
  Call call(k, Fn::anon_inode_init, nullptr);
  k.anon_inode_mnt = kern_mount(k, &anon_inode_fs_type);
  k.anon_inode_inode = alloc_inode(k, k.anon_inode_mnt->mnt_sb);
  k.anon_inode_inode->i_ino = k.next_ino++;
  k.anon_inode_inode->i_mode = record::Hex{S_IFREG | S_IRUSR | S_IWUSR};
}

}  // namespace

vfsmount* kern_mount(Kernel& k, const file_system_type* type) {
  Call call(k, Fn::kern_mount, nullptr);
  super_block* sb = k.super_blocks.make();
  sb->s_dev = static_cast<u32>(k.super_blocks.live());
  pseudo_fs_fill_super(k, sb, type);
  struct mount* mount = k.mounts.make();
  mount->mnt.mnt_sb = sb;
  mount->mnt_id = static_cast<int>(k.mounts.live());
  return &mount->mnt;
}

void mount_file_systems(Kernel& k) {
  k.shm_mnt = register_and_mount(k, Fn::shmem_init, &shmem_fs_type);
  k.sock_mnt = register_and_mount(k, Fn::sock_init, k.linux_4_19() ? &sock_fs_type_4_19 : &sock_fs_type);
  k.pipe_mnt = register_and_mount(k, Fn::init_pipe_fs, &pipe_fs_type);
  anon_inode_init(k);
}

}  // namespace wakepath::kernel
