#include "sim/kernel/fs.hh"

#include <algorithm>
#include <utility>

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

void fd_slot::describe(record::KindBuilder<fd_slot>& b) {
  b.field(&fd_slot::fd, "fd").field(&fd_slot::file, "file").field(&fd_slot::close_on_exec, "close_on_exec");
}

void files_struct::describe(record::KindBuilder<files_struct>& b) {
  b.field(&files_struct::count, "count").field(&files_struct::fd_array, "fd_array");
}

int get_unused_fd(Kernel& k, bool close_on_exec) {
  files_struct* files = k.current()->files;
  auto& table = files->by_number;
  std::size_t number = files->next_fd;
  while (number < table.size() && table[number] != nullptr) ++number;
  files->next_fd = number;
  if (number >= k.config.rlimit_nofile) return static_cast<int>(k.error(Rule::fd_none_left, files));
  if (number == table.size()) table.push_back(nullptr);
  fd_slot* slot = k.fd_slots.make();
  slot->fd = static_cast<int>(number);
  slot->close_on_exec = close_on_exec;
  fd_slot* behind = nullptr;  // the list stays in order of the numbers
  for (std::size_t below = number; below-- > 0 && behind == nullptr;) behind = table[below];
  files->fd_array.insert_behind(behind, slot);
  table[number] = slot;
  return static_cast<int>(number);
}

namespace {

void remove_slot(Kernel& k, files_struct* files, fd_slot* slot) {
  auto number = static_cast<std::size_t>(slot->fd);
  files->by_number[number] = nullptr;
  files->next_fd = std::min(files->next_fd, number);
  files->fd_array.erase(slot);
  k.fd_slots.free(slot);
}

}  // namespace

void put_unused_fd(Kernel& k, int fd) {
  files_struct* files = k.current()->files;
  remove_slot(k, files, files->by_number[static_cast<std::size_t>(fd)]);
}

void fd_install(Kernel& k, int fd, struct file* file) {
  k.current()->files->by_number[static_cast<std::size_t>(fd)]->file = file;
}

ReservedFd::ReservedFd(Kernel& k, bool close_on_exec)
    : k_(k), files_(k.current()->files), fd_(get_unused_fd(k, close_on_exec)) {}

ReservedFd::~ReservedFd() {
  if (fd_ >= 0) remove_slot(k_, files_, files_->by_number[static_cast<std::size_t>(fd_)]);
}

int ReservedFd::install(struct file* file) {
  fd_install(k_, fd_, file);
  return std::exchange(fd_, -1);
}

struct file* fd_file(Kernel& k, int fd) {
  const auto& table = k.current()->files->by_number;
  if (fd < 0 || static_cast<std::size_t>(fd) >= table.size() || table[static_cast<std::size_t>(fd)] == nullptr)
    return nullptr;
  return table[static_cast<std::size_t>(fd)]->file;
}

HeldFile::HeldFile(Kernel& k, int fd) : k_(k), file_(fd_file(k, fd)) {
  if (file_ != nullptr) ++file_->f_ref;
}

HeldFile::~HeldFile() {
  if (file_ != nullptr) fput(k_, file_);
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

long close_fd(Kernel& k, int fd) {
  struct file* file = fd_file(k, fd);
  if (file == nullptr) return k.error(Rule::fd_not_open, nullptr);
  files_struct* files = k.current()->files;
  remove_slot(k, files, files->by_number[static_cast<std::size_t>(fd)]);
  fput(k, file);
  return 0;
}

void put_files_struct(Kernel& k, files_struct* files) {
  --files->count;
  if (files->count > 0) return;
  while (fd_slot* slot = files->fd_array.front()) {
    struct file* file = slot->file;
    remove_slot(k, files, slot);
    if (file != nullptr) fput(k, file);
  }
  k.files_structs.free(files);
}

poll_t vfs_poll(Kernel& k, struct file* file, poll_table* table) {
  if (file->f_op->poll == nullptr) return POLL_NONE | (EPOLLIN | EPOLLOUT | EPOLLRDNORM | EPOLLWRNORM);
  return file->f_op->poll(k, file, table);
}

}  // namespace wakepath::kernel
