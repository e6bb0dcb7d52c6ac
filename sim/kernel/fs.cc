#include "sim/kernel/fs.hh"

#include "sim/kernel/epoll.hh"
#include "sim/kernel/kernel.hh"

namespace wakepath::kernel {

void inode::describe(record::KindBuilder<inode>& b) { b.field(&inode::i_mode, "i_mode").field(&inode::i_ino, "i_ino"); }

void file::describe(record::KindBuilder<file>& b) {
  b.field(&file::f_op, "f_op")
      .field(&file::f_flags, "f_flags")
      .field(&file::f_ref, "f_ref")
      .field(&file::f_inode, "f_inode")
      .field(&file::private_data, "private_data")
      .field(&file::f_ep, "f_ep");
}

struct file* alloc_file_pseudo(Kernel& k, struct inode* inode, file_flags flags, const file_operations* fop) {
  Call call(k, Fn::alloc_file_pseudo, inode);
  Call empty(k, Fn::alloc_empty_file, nullptr);
  struct file* file = k.files.make();
  file->f_op = fop;
  file->f_flags = flags;
  file->f_inode = inode;
  file->f_ref = 1;
  return file;
}

/// Whoever watches it is told first, while it still can be polled.
void __fput(Kernel& k, struct file* file) {
  Call call(k, Fn::__fput, file);
  if (file->f_ep != nullptr) eventpoll_release_file(k, file);
  if (file->f_op->release != nullptr) file->f_op->release(k, file);
  k.files.free(file);
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

poll_t vfs_poll(Kernel& k, struct file* file, poll_table* table) {
  if (file->f_op->poll == nullptr) return POLL_NONE | (EPOLLIN | EPOLLOUT | EPOLLRDNORM | EPOLLWRNORM);
  return file->f_op->poll(k, file, table);
}

}  // namespace wakepath::kernel
