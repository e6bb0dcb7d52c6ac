// Models: fs/read_write.c and fs/ioctl.c of Linux 6.18: how read, write, lseek and ioctl reach a file's own operations.
// Left out: locks of files, fsnotify.

#include <sys/ioctl.h>

#include "sim/kernel/eventfd.hh"
#include "sim/kernel/kernel.hh"
#include "sim/kernel/uio.hh"

namespace wakepath::kernel {

namespace {

u32 access_mode(const file* file) { return static_cast<u32>(file->f_flags.get()) & O_ACCMODE; }

long rw_verify_area(Kernel& k, const file* file, std::size_t size) {
  long end = 0;
  bool fits = !__builtin_add_overflow(file->f_pos.get(), static_cast<long>(size), &end);
  return fits ? 0 : k.error(Rule::position_overflows, file);
}

/// FMODE_READ, FMODE_CAN_READ and access_ok(), in this order. 0 when the file can be read.
long may_read(Kernel& k, const file* file, const void* buffer, std::size_t size) {
  if (access_mode(file) == O_WRONLY) return k.error(Rule::fd_not_for_reading, file);
  if (file->f_op->read == nullptr) return k.error(Rule::fd_cannot_read, file);
  return access_ok(buffer) ? rw_verify_area(k, file, size) : k.error(Rule::bad_address, file);
}

long may_write(Kernel& k, const file* file, const void* data, std::size_t size) {
  if (access_mode(file) == O_RDONLY) return k.error(Rule::fd_not_for_writing, file);
  if (file->f_op->write == nullptr) return k.error(Rule::fd_cannot_write, file);
  return access_ok(data) ? rw_verify_area(k, file, size) : k.error(Rule::bad_address, file);
}

/// Of what can be written, an eventfd alone has `write` and no `write_iter` (fs/eventfd.c; read with read_iter).
bool has_write_iter(const file* file) { return file->f_op.get() != &eventfd_fops; }

/// do_loop_readv_writev(): stepping over what is written passes empty pieces too, so that only a first one is asked
/// for.
MaySleep<long> do_loop_writev(Kernel& k, file* file, const UserBuffers& buffers) {
  long written = 0;
  const char* at = buffers.whole;
  for (const UserPiece& piece : buffers.pieces) {
    const char* data = at;
    at += piece.size;
    if (piece.size == 0 && written > 0) continue;
    long result = co_await file->f_op->write(k, file, data, piece.size);
    if (result < 0) co_return written > 0 ? written : result;
    written += result;
  }
  co_return written;
}

}  // namespace

MaySleep<long> vfs_read(Kernel& k, file* file, void* buffer, std::size_t size) {
  Call call(k, Fn::vfs_read, file);
  if (long error = may_read(k, file, buffer, size); error != 0) co_return call.result(error);
  co_return call.result(co_await file->f_op->read(k, file, buffer, size));
}

MaySleep<long> vfs_write(Kernel& k, file* file, const void* data, std::size_t size) {
  Call call(k, Fn::vfs_write, file);
  if (long error = may_write(k, file, data, size); error != 0) co_return call.result(error);
  co_return call.result(co_await file->f_op->write(k, file, data, size));
}

/// The pieces stand one behind the other in `buffer`; a read of several fills them as one. Nothing to fill: the file is
/// not asked at all.
MaySleep<long> vfs_readv(Kernel& k, file* file, void* buffer, std::size_t size) {
  Call call(k, Fn::vfs_readv, file);
  if (long error = may_read(k, file, buffer, size); error != 0) co_return call.result(error);
  if (size == 0) co_return call.result(0);
  co_return call.result(co_await file->f_op->read(k, file, buffer, size));
}

MaySleep<long> vfs_writev(Kernel& k, file* file, const void* data, std::size_t size) {
  Call call(k, Fn::vfs_writev, file);
  if (long error = may_write(k, file, data, size); error != 0) co_return call.result(error);
  if (size == 0) co_return call.result(0);
  co_return call.result(co_await file->f_op->write(k, file, data, size));
}

MaySleep<long> vfs_writev(Kernel& k, file* file, const UserBuffers& buffers) {
  if (has_write_iter(file)) co_return co_await vfs_writev(k, file, buffers.whole, buffers.size);
  Call call(k, Fn::vfs_writev, file);
  if (long error = may_write(k, file, buffers.whole, buffers.size); error != 0) co_return call.result(error);
  if (buffers.size == 0) co_return call.result(0);
  co_return call.result(co_await do_loop_writev(k, file, buffers));
}

long do_vfs_ioctl(Kernel& k, file* file, unsigned command, int* argument) {
  Call call(k, Fn::do_vfs_ioctl, file);
  if (command == FIONBIO) {
    auto others = static_cast<u32>(file->f_flags.get()) & ~static_cast<u32>(O_NONBLOCK);
    file->f_flags = static_cast<file_flags>(others | (*argument != 0 ? static_cast<u32>(O_NONBLOCK) : 0));
    return call.result(0);
  }
  if (command == FIONREAD && is_regular(file)) {
    *argument = static_cast<int>(i_size_read(file->f_inode) - file->f_pos);
    return call.result(0);
  }
  if (file->f_op->ioctl == nullptr) return call.result(k.error(Rule::ioctl_unknown, file));
  return call.result(file->f_op->ioctl(k, file, command, argument));
}

long ksys_lseek(Kernel& k, file* file, long offset, int whence) {
  Call call(k, Fn::ksys_lseek, file);
  if (whence < 0 || whence > SEEK_HOLE) return call.result(k.error(Rule::lseek_from_where, file));
  if (file->f_op->llseek == nullptr) return call.result(k.error(Rule::file_has_no_position, file));
  return call.result(file->f_op->llseek(k, file, offset, whence));
}

long noop_llseek(Kernel&, file* file, long, int) { return file->f_pos; }

}  // namespace wakepath::kernel
