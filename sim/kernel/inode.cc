// Models: fs/inode.c and fs/dcache.c of Linux 6.18 for files without a directory: an inode of its file system's own
// making, a dentry in front of it, and their end when the last file has gone.
// Left out: see inode.hh.

#include "sim/kernel/inode.hh"

#include "sim/kernel/kernel.hh"

namespace wakepath::kernel {

void inode::describe(record::KindBuilder<inode>& b) {
  b.field(&inode::i_mode, "i_mode")
      .field(&inode::i_count, "i_count")
      .field(&inode::i_ino, "i_ino")
      .field(&inode::i_sb, "i_sb");
}

void dentry::describe(record::KindBuilder<dentry>& b) {
  b.field(&dentry::d_inode, "d_inode")
      .field(&dentry::d_name, "d_name")
      .field(&dentry::d_op, "d_op")
      .field(&dentry::d_sb, "d_sb")
      .field(&dentry::d_lockref, "d_lockref.count");
}

struct inode* alloc_inode(Kernel& k, super_block* sb) {
  Call call(k, Fn::alloc_inode, sb);
  struct inode* inode = sb->s_op->alloc_inode != nullptr ? sb->s_op->alloc_inode(k) : k.alloc(k.inodes);
  if (inode == nullptr) return nullptr;
  inode->i_sb = sb;
  inode->i_count = 1;
  return inode;
}

struct inode* ihold(struct inode* inode) {
  ++inode->i_count;
  return inode;
}

namespace {

void destroy_inode(Kernel& k, struct inode* inode) {
  Call call(k, Fn::destroy_inode, inode);
  const super_operations* ops = inode->i_sb->s_op;
  if (ops->destroy_inode != nullptr) ops->destroy_inode(k, inode);
  if (ops->free_inode != nullptr) ops->free_inode(k, inode);
}

void evict(Kernel& k, struct inode* inode) {
  Call call(k, Fn::evict, inode);
  if (inode->i_sb->s_op->evict_inode != nullptr) inode->i_sb->s_op->evict_inode(k, inode);
  destroy_inode(k, inode);
}

void dentry_unlink_inode(Kernel& k, struct dentry* dentry) {
  Call call(k, Fn::dentry_unlink_inode, dentry);
  struct inode* inode = dentry->d_inode;
  dentry->d_inode = nullptr;
  iput(k, inode);
}

void __dentry_kill(Kernel& k, struct dentry* dentry) {
  Call call(k, Fn::__dentry_kill, dentry);
  if (dentry->d_inode != nullptr) dentry_unlink_inode(k, dentry);
  k.dentries.free(dentry);
}

}  // namespace

void iput(Kernel& k, struct inode* inode) {
  Call call(k, Fn::iput, inode);
  --inode->i_count;
  if (inode->i_count == 0) evict(k, inode);
}

struct dentry* d_alloc_pseudo(Kernel& k, super_block* sb, const char* name) {
  Call call(k, Fn::d_alloc_pseudo, sb);
  Call inner(k, Fn::__d_alloc, sb);
  struct dentry* dentry = k.alloc(k.dentries);
  if (dentry == nullptr) return nullptr;
  if (k.recorder.enabled()) dentry->d_name = record::Text{k.recorder.trace().intern(name)};
  dentry->d_lockref = 1;
  dentry->d_sb = sb;
  dentry->d_op = sb->__s_d_op != nullptr ? sb->__s_d_op.get() : &anon_ops;
  return dentry;
}

void d_instantiate(struct dentry* dentry, struct inode* inode) { dentry->d_inode = inode; }

void dput(Kernel& k, struct dentry* dentry) {
  Call call(k, Fn::dput, dentry);
  --dentry->d_lockref;
  if (dentry->d_lockref == 0) __dentry_kill(k, dentry);
}

}  // namespace wakepath::kernel
