// Models: fs/read_write.c and fs/ioctl.c of Linux 6.18: how read, write and ioctl reach a file's own operations.
// Left out: the file's position (f_pos is the regular file's own affair here), rw_verify_area(), fsnotify.

#include <sys/ioctl.h>

#include "sim/kernel/kernel.hh"

namespace wakepath::kernel {

namespace {

u32 access_mode(const file* file) { return static_cast<u32>(file->f_flags.get()) & O_ACCMODE; }

/// FMODE_READ and FMODE_CAN_READ, in this order. 0 when the file can be read.
long may_read(Kernel& k, const file* file) {
  if (access_mode(file) == O_WRONLY) return k.error(Rule::fd_not_for_reading, file);
  return file->f_op->read == nullptr ? k.error(Rule::fd_cannot_read, file) : 0;
}

long may_write(Kernel& k, const file* file) {
  if (access_mode(file) == O_RDONLY) return k.error(Rule::fd_not_for_writing, file);
  return file->f_op->write == nullptr ? k.error(Rule::fd_cannot_write, file) : 0;
}

}  // namespace

MaySleep<long> vfs_read(Kernel& k, file* file, void* buffer, std::size_t size) {
  Call call(k, Fn::vfs_read, file);
  if (long error = may_read(k, file); error != 0) co_return call.result(error);
  co_return call.result(co_await file->f_op->read(k, file, buffer, size));
}

MaySleep<long> vfs_write(Kernel& k, file* file, const void* data, std::size_t size) {
  Call call(k, Fn::vfs_write, file);
  if (long error = may_write(k, file); error != 0) co_return call.result(error);
  co_return call.result(co_await file->f_op->write(k, file, data, size));
}

/// The pieces stand one behind the other in `buffer`; a read of several fills them as one. Nothing to fill: the file is
/// not asked at all.
MaySleep<long> vfs_readv(Kernel& k, file* file, void* buffer, std::size_t size) {
  Call call(k, Fn::vfs_readv, file);
  if (long error = may_read(k, file); error != 0) co_return call.result(error);
  if (size == 0) co_return call.result(0);
  co_return call.result(co_await file->f_op->read(k, file, buffer, size));
}

MaySleep<long> vfs_writev(Kernel& k, file* file, const void* data, std::size_t size) {
  Call call(k, Fn::vfs_writev, file);
  if (long error = may_write(k, file); error != 0) co_return call.result(error);
  if (size == 0) co_return call.result(0);
  co_return call.result(co_await file->f_op->write(k, file, data, size));
}

long do_vfs_ioctl(Kernel& k, file* file, unsigned command, int* argument) {
  Call call(k, Fn::do_vfs_ioctl, file);
  if (command == FIONBIO) {
    auto others = static_cast<u32>(file->f_flags.get()) & ~static_cast<u32>(O_NONBLOCK);
    file->f_flags = static_cast<file_flags>(others | (*argument != 0 ? static_cast<u32>(O_NONBLOCK) : 0));
    return call.result(0);
  }
  if (file->f_op->ioctl == nullptr) return call.result(k.error(Rule::ioctl_unknown, file));
  return call.result(file->f_op->ioctl(k, file, command, argument));
}

}  // namespace wakepath::kernel
