#include "sim/kernel/fs.hh"

#include "sim/kernel/epoll.hh"
#include "sim/kernel/final_put.hh"
#include "sim/kernel/kernel.hh"

namespace wakepath::kernel {

void file::describe(record::KindBuilder<file>& b) {
  b.field(&file::f_op, "f_op")
      .field(&file::f_flags, "f_flags")
      .field(&file::f_ref, "f_ref")
      .field(&file::f_inode, "f_inode")
      .field(&file::f_dentry, "f_path.dentry")
      .field(&file::private_data, "private_data")
      .field(&file::f_pos, "f_pos")
      .field(&file::f_ep, "f_ep");
}

namespace {

/// Whoever has CAP_SYS_ADMIN may have more; nobody has it here. Linux counts roughly (nr_files is a counter of each
/// CPU).
/// The descriptors that a process is born with were there before.
bool too_many_files(const Kernel& k) { return k.current() != nullptr && k.files.live() >= k.config.file_max; }

}  // namespace

Rule why_no_file(const Kernel& k) { return too_many_files(k) ? Rule::files_used_up : Rule::no_memory; }

struct file* alloc_empty_file(Kernel& k, file_flags flags, const file_operations* fop) {
  Call call(k, Fn::alloc_empty_file, nullptr);
  if (too_many_files(k)) return nullptr;
  struct file* file = k.alloc(k.files);
  if (file == nullptr) return nullptr;
  file->f_op = fop;
  file->f_flags = flags;
  file->f_ref = 1;
  return file;
}

struct file* alloc_file_pseudo(Kernel& k, struct inode* inode, vfsmount* mnt, const char* name, file_flags flags,
                               const file_operations* fop) {
  Call call(k, Fn::alloc_file_pseudo, inode);
  struct dentry* dentry = d_alloc_pseudo(k, mnt->mnt_sb, name);
  if (dentry == nullptr) return nullptr;
  d_instantiate(dentry, inode);
  struct file* file = alloc_empty_file(k, flags, fop);
  if (file == nullptr) {
    ihold(inode);
    dput(k, dentry);
    return nullptr;
  }
  file->f_inode = inode;
  file->f_dentry = dentry;
  return file;
}

struct file* alloc_file_clone(Kernel& k, struct file* base, file_flags flags, const file_operations* fop) {
  Call call(k, Fn::alloc_file_clone, base);
  struct file* file = alloc_empty_file(k, flags, fop);
  if (file == nullptr) return nullptr;
  ++base->f_dentry->d_lockref;
  file->f_inode = base->f_inode;
  file->f_dentry = base->f_dentry;
  return file;
}

struct file* __anon_inode_getfile(Kernel& k, const char* name, const file_operations* fop, file_flags flags) {
  struct file* file = alloc_file_pseudo(k, ihold(k.anon_inode_inode), k.anon_inode_mnt, name, flags, fop);
  if (file == nullptr) iput(k, k.anon_inode_inode);
  return file;
}

std::string d_path(const Kernel& k, const struct file* file) {
  return file->f_dentry->d_op->d_dname(k, file->f_dentry);
}

void vfs_statfs(const struct file* file, kstatfs* out) { file->f_dentry->d_sb->s_op->statfs(file->f_dentry, out); }

FinalPut::FinalPut(Kernel& k, struct file* file) : k_(k), file_(file), call_(k, Fn::__fput, file) {
  bool late = k.mutant(Mutant::release_before_epoll);
  if (file->f_ep != nullptr && !late) eventpoll_release_file(k, file);
}

FinalPut::~FinalPut() {
  if (file_->f_ep != nullptr) eventpoll_release_file(k_, file_);
  if (file_->f_dentry != nullptr) dput(k_, file_->f_dentry);
  k_.files.free(file_);
}

void __fput(Kernel& k, struct file* file) {
  FinalPut put(k, file);
  if (file->f_op->release != nullptr) file->f_op->release(k, file);
}

void fput(Kernel& k, struct file* file) {
  --file->f_ref;
  if (file->f_ref != 0) return;
  if (k.linux_4_19())
    fput_by_task_work(k, file);
  else
    __fput(k, file);
}

void fput_deferred(Kernel& k, struct file* file) {
  --file->f_ref;
  if (file->f_ref == 0) fput_by_task_work(k, file);
}

long setfl(Kernel& k, struct file* file, int flags) {
  Call call(k, Fn::setfl, file);
  bool is_pipe = file->f_op.get() == &pipefifo_fops;
  if ((flags & O_DIRECT) != 0 && !is_pipe) return call.result(k.error(Rule::setfl_not_direct, file));
  bool sends_signals = is_pipe || file->f_op.get() == &socket_file_ops;  // has a fasync()
  u32 settable = O_APPEND | O_NONBLOCK | O_DIRECT | O_NOATIME | (sends_signals ? O_ASYNC : 0);
  u32 kept = static_cast<u32>(file->f_flags) & ~settable;
  file->f_flags = static_cast<file_flags>(kept | (static_cast<u32>(flags) & settable));
  return call.result(0);
}

poll_t vfs_poll(Kernel& k, struct file* file, poll_table* table) {
  if (file->f_op->poll == nullptr) return POLL_NONE | (EPOLLIN | EPOLLOUT | EPOLLRDNORM | EPOLLWRNORM);
  return file->f_op->poll(k, file, table);
}

}  // namespace wakepath::kernel
