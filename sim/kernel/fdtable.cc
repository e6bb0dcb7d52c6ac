// Models: fs/file.c of Linux 6.18: a process's descriptor table, dup and its like; of kernel/sys.c the limit of
// descriptors; of fs/exec.c what a new program finds of the old one's descriptors and handlers.
// Left out: of exec the end of the other threads (there are none), memory and credentials; the growth of the table (a
// number up to the limit always fits) and its locks. The index `by_number` stands for fdtable.fd[]; `fd_array` holds
// its used places in order.

#include <algorithm>
#include <utility>

#include "sim/kernel/kernel.hh"
#include "sim/kernel/tcp_close.hh"

namespace wakepath::kernel {

void fd_slot::describe(record::KindBuilder<fd_slot>& b) {
  b.field(&fd_slot::fd, "fd").field(&fd_slot::file, "file").field(&fd_slot::close_on_exec, "close_on_exec");
}

void files_struct::describe(record::KindBuilder<files_struct>& b) {
  b.field(&files_struct::count, "count")
      .field(&files_struct::next_fd, "next_fd")
      .field(&files_struct::fd_array, "fd_array");
}

namespace {

fd_slot* slot_of(const files_struct* files, int fd) {
  bool inside = fd >= 0 && static_cast<std::size_t>(fd) < files->by_number.size();
  return inside ? files->by_number[static_cast<std::size_t>(fd)] : nullptr;
}

/// A place for this number, which is free.
fd_slot* make_slot(Kernel& k, files_struct* files, std::size_t number) {
  auto& table = files->by_number;
  if (number >= table.size()) table.resize(number + 1, nullptr);
  fd_slot* slot = k.fd_slots.make();
  slot->fd = static_cast<int>(number);
  fd_slot* behind = nullptr;  // the list stays in order of the numbers
  for (std::size_t below = number; below-- > 0 && behind == nullptr;) behind = table[below];
  files->fd_array.insert_behind(behind, slot);
  table[number] = slot;
  return slot;
}

void remove_slot(Kernel& k, files_struct* files, fd_slot* slot) {
  if (static_cast<u32>(slot->fd) < files->next_fd) files->next_fd = static_cast<u32>(slot->fd);
  files->by_number[static_cast<std::size_t>(slot->fd)] = nullptr;
  files->fd_array.erase(slot);
  k.fd_slots.free(slot);
}

}  // namespace

std::size_t rlimit_nofile(const Kernel& k) {
  return std::min<std::size_t>(k.current()->rlimit_nofile, k.config.rlimit_nofile);
}

namespace {

/// Reserves the lowest free number from `start` on.
int alloc_fd(Kernel& k, u32 start, bool close_on_exec) {
  files_struct* files = k.current()->files;
  const auto& table = files->by_number;
  std::size_t number = std::max(start, files->next_fd.get());
  if (k.mutant(Mutant::lowest_descriptor_not_taken)) number = std::max(number, table.size());
  while (number < table.size() && table[number] != nullptr) ++number;
  if (number >= rlimit_nofile(k)) return static_cast<int>(k.error(Rule::fd_none_left, files));
  if (start <= files->next_fd) files->next_fd = static_cast<u32>(number + 1);
  make_slot(k, files, number)->close_on_exec = close_on_exec;
  return static_cast<int>(number);
}

}  // namespace

int get_unused_fd(Kernel& k, bool close_on_exec) { return alloc_fd(k, 0, close_on_exec); }

void put_unused_fd(Kernel& k, int fd) {
  files_struct* files = k.current()->files;
  remove_slot(k, files, slot_of(files, fd));
}

void fd_install(Kernel& k, int fd, struct file* file) { slot_of(k.current()->files, fd)->file = file; }

ReservedFd::ReservedFd(Kernel& k, bool close_on_exec)
    : k_(k), files_(k.current()->files), fd_(get_unused_fd(k, close_on_exec)) {}

ReservedFd::~ReservedFd() {
  if (fd_ >= 0) remove_slot(k_, files_, slot_of(files_, fd_));
}

int ReservedFd::install(struct file* file) {
  fd_install(k_, fd_, file);
  return std::exchange(fd_, -1);
}

struct file* fd_file(Kernel& k, int fd) {
  const fd_slot* slot = slot_of(k.current()->files, fd);
  return slot != nullptr ? slot->file.get() : nullptr;
}

HeldFile::HeldFile(Kernel& k, int fd) : k_(k), file_(fd_file(k, fd)) {
  if (file_ == nullptr) return;
  ++file_->f_ref;
  ++file_->held;
}

HeldFile::~HeldFile() {
  if (file_ == nullptr) return;
  --file_->held;
  fput(k_, file_);
}

MaySleep<long> close_fd(Kernel& k, int fd) {
  struct file* file = fd_file(k, fd);
  if (file == nullptr) co_return k.error(Rule::fd_not_open, nullptr);
  files_struct* files = k.current()->files;
  remove_slot(k, files, slot_of(files, fd));
  if (file->f_ep != nullptr && k.mutant(Mutant::close_forgets_duplicates)) eventpoll_release_file(k, file);
  if (file->f_ref == 1 && !k.linux_4_19() && lingers(file)) {
    --file->f_ref;
    co_await __fput_and_linger(k, file);
  } else {
    fput(k, file);
  }
  co_return 0;
}

long f_dupfd(Kernel& k, u32 from, struct file* file, bool close_on_exec) {
  Call call(k, Fn::f_dupfd, file);
  if (from >= rlimit_nofile(k)) return call.result(k.error(Rule::fd_beyond_the_limit, file));
  int fd = alloc_fd(k, from, close_on_exec);
  if (fd < 0) return call.result(fd);
  ++file->f_ref;
  fd_install(k, fd, file);
  return call.result(fd);
}

long ksys_dup3(Kernel& k, int oldfd, int newfd, int flags) {
  Call call(k, Fn::ksys_dup3, nullptr);
  if ((flags & ~O_CLOEXEC) != 0 || oldfd == newfd) return call.result(k.error(Rule::dup3_misused, nullptr));
  if (static_cast<u32>(newfd) >= rlimit_nofile(k)) return call.result(k.error(Rule::fd_not_a_number, nullptr));
  struct file* file = fd_file(k, oldfd);
  if (file == nullptr) return call.result(k.error(Rule::fd_not_open, nullptr));
  Call dup2(k, Fn::do_dup2, file);
  files_struct* files = k.current()->files;
  fd_slot* slot = slot_of(files, newfd);
  // reserved by a call that has not ended yet: not ours to replace
  if (slot != nullptr && slot->file == nullptr) return call.result(k.error(Rule::dup_onto_reserved, file));
  struct file* closed = slot != nullptr ? slot->file.get() : nullptr;
  if (slot == nullptr) slot = make_slot(k, files, static_cast<std::size_t>(newfd));
  ++file->f_ref;
  slot->file = file;
  slot->close_on_exec = (flags & O_CLOEXEC) != 0;
  if (closed != nullptr) fput(k, closed);
  return call.result(newfd);
}

long do_prlimit_nofile(Kernel& k, u64 soft) {
  Call call(k, Fn::do_prlimit, k.current());
  if (soft > k.config.rlimit_nofile) return call.result(k.error(Rule::limit_above_the_hard, nullptr));
  for (task_struct* thread : k.task_by_id)
    if (thread != nullptr && thread->tgid == k.current()->tgid) thread->rlimit_nofile = static_cast<u32>(soft);
  return call.result(0L);
}

long do_fcntl_fd(Kernel& k, int fd, int command, int argument) {
  fd_slot* slot = slot_of(k.current()->files, fd);
  if (command == F_GETFD) return slot->close_on_exec ? FD_CLOEXEC : 0;
  slot->close_on_exec = (argument & FD_CLOEXEC) != 0;
  return 0;
}

void do_close_on_exec(Kernel& k, files_struct* files) {
  Call call(k, Fn::do_close_on_exec, k.current());
  if (k.mutant(Mutant::exec_closes_nothing)) return;
  for (std::size_t number = 0; number < files->by_number.size(); ++number) {
    fd_slot* slot = files->by_number[number];
    if (slot == nullptr || !slot->close_on_exec) continue;
    struct file* file = slot->file;
    remove_slot(k, files, slot);
    fput_deferred(k, file);
  }
}

void begin_new_exec(Kernel& k) {
  Call call(k, Fn::begin_new_exec, k.current());
  do_close_on_exec(k, k.current()->files);
  flush_signal_handlers(k, k.current());
}

void put_files_struct(Kernel& k, files_struct* files) {
  --files->count;
  if (files->count > 0) return;
  while (fd_slot* slot = files->fd_array.front()) {
    struct file* file = slot->file;
    remove_slot(k, files, slot);
    if (file != nullptr) fput_deferred(k, file);
  }
  k.files_structs.free(files);
}

}  // namespace wakepath::kernel
