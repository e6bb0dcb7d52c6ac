// System calls on descriptors of any kind: read and write, lseek, dup, fcntl, ioctl; and memfd_create.

#include <fmt/format.h>
#include <linux/sockios.h>
#include <sys/ioctl.h>

#include <type_traits>

#include "sim/kernel/uio.hh"
#include "sim/syscalls/gathered.hh"
#include "sim/syscalls/syscall_scope.hh"
#include "sim/syscalls/syscalls.hh"
#include "sim/syscalls/words.hh"

namespace wakepath::kernel {

namespace {

/// What a read gave, behind its number.
words::Words given(const char* buffer, long result) {
  return words::text(" ", words::data({buffer, static_cast<std::size_t>(result)}));
}

std::string fcntl_words(int fd, int command, int argument) {
  switch (command) {
    case F_GETFL:
      return fmt::format("fcntl({}, F_GETFL)", fd);
    case F_SETFL:
      return fmt::format("fcntl({}, F_SETFL, {})", fd, words::open_flags(argument));
    case F_GETFD:
      return fmt::format("fcntl({}, F_GETFD)", fd);
    case F_SETFD:
      return fmt::format("fcntl({}, F_SETFD, {})", fd,
                         argument == FD_CLOEXEC ? "FD_CLOEXEC" : fmt::to_string(argument));
    case F_DUPFD:
      return fmt::format("fcntl({}, F_DUPFD, {})", fd, argument);
    case F_DUPFD_CLOEXEC:
      return fmt::format("fcntl({}, F_DUPFD_CLOEXEC, {})", fd, argument);
    default:
      return fmt::format("fcntl({}, {}, {})", fd, command, argument);
  }
}

std::string ioctl_words(int fd, unsigned command, const int* argument) {
  std::string name = command == FIONBIO      ? "FIONBIO"
                     : command == FIONREAD   ? "FIONREAD"
                     : command == SIOCATMARK ? "SIOCATMARK"
                     : command == SIOCOUTQ   ? "SIOCOUTQ"
                                             : fmt::format("{:#x}", command);
  if (argument == nullptr) return fmt::format("ioctl({}, {}, NULL)", fd, name);
  return command == FIONBIO ? fmt::format("ioctl({}, {}, {})", fd, name, *argument)
                            : fmt::format("ioctl({}, {})", fd, name);
}

/// What cannot be asked is said first; but of what a socket does not know, and could be a question about a device, the
/// device's name is read (sock_do_ioctl(), get_user_ifreq()).
long ioctl_to_nowhere(Kernel& k, file* file, unsigned command) {
  constexpr unsigned kSocketCommands = 0x89;  // SOCK_IOC_TYPE
  bool of_sockets = file->f_op.get() == &socket_file_ops && _IOC_TYPE(command) == kSocketCommands;
  int nobodys = 0;
  long error = command == FIONBIO ? 0 : do_vfs_ioctl(k, file, command, &nobodys);
  bool reads = error == 0 || (error == -ENOTTY && of_sockets);
  return reads ? k.error(Rule::bad_address, file) : error;
}

/// vfs_read() and its like, again and again as long as signals restart the call; each attempt looks its descriptor up
/// anew, since a handler may have closed it.
template <class... Args>
MaySleep<long> on_descriptor(Kernel& k, int fd, MaySleep<long> (*attempt)(Kernel&, file*, Args...),
                             std::type_identity_t<Args>... args) {
  long result = 0;
  do {
    HeldFile held(k, fd);
    if (!held) co_return k.error(Rule::fd_not_open, nullptr);
    result = co_await attempt(k, held.get(), args...);
  } while (restarts(k, &result));
  co_return result;
}

}  // namespace

MaySleep<long> sys_read(Kernel& k, int fd, char* buffer, std::size_t size) {
  SyscallScope call(k, Fn::ksys_read,
                    [&] { return words::text("read(", fd, ", ", size, words::bad_buffer(buffer), ")"); });
  long result = co_await on_descriptor(k, fd, vfs_read, buffer, size);
  co_return call.done(result, [&] { return given(buffer, result); });
}

MaySleep<long> sys_write(Kernel& k, int fd, const char* data, std::size_t size) {
  SyscallScope call(k, Fn::ksys_write, [&] {
    return words::text("write(", fd, ", ", words::data({data, size}), ", ", size, ")");
  });
  long result = co_await on_descriptor(k, fd, vfs_write, data, size);
  co_return call.done(result);
}

MaySleep<long> sys_readv(Kernel& k, int fd, char* buffer, std::vector<UserPiece> pieces, UserPointer list) {
  SyscallScope call(k, Fn::__x64_sys_readv,
                    [&] { return fmt::format("readv({}, {})", fd, words::room(pieces, list)); });
  std::size_t whole = 0;
  for (const UserPiece& piece : pieces) whole += piece.size;
  UserHoles holes(k, buffer, pieces);
  long result = co_await on_descriptor(k, fd, vfs_readv, import_iovec(buffer, pieces, list), whole);
  co_return call.done(result, [&] { return given(buffer, result); });
}

MaySleep<long> sys_writev(Kernel& k, int fd, const std::vector<std::string>& pieces, std::vector<UserPointer> at,
                          UserPointer list) {
  SyscallScope call(k, Fn::__x64_sys_writev,
                    [&] { return fmt::format("writev({}, {})", fd, words::pieces(pieces, at, list)); });
  GatheredPieces all(k, pieces, at, list);
  UserBuffers buffers{all.data(), all.size(), all.pieces()};
  long result = co_await on_descriptor<const UserBuffers&>(k, fd, vfs_writev, buffers);
  co_return call.done(result);
}

MaySleep<long> sys_memfd_create(Kernel& k, std::string name, unsigned flags) {
  SyscallScope call(k, Fn::__x64_sys_memfd_create,
                    [&] { return fmt::format("memfd_create({}, {})", words::data(name), words::memfd_flags(flags)); });
  co_return call.done(do_memfd_create(k, &name, flags));
}

MaySleep<long> sys_memfd_create(Kernel& k, UserPointer name, unsigned flags) {
  SyscallScope call(k, Fn::__x64_sys_memfd_create, [&] {
    return fmt::format("memfd_create({}, {})", words::pointer(name), words::memfd_flags(flags));
  });
  co_return call.done(do_memfd_create(k, nullptr, flags));
}

MaySleep<long> sys_lseek(Kernel& k, int fd, long offset, int whence) {
  SyscallScope call(k, Fn::__x64_sys_lseek,
                    [&] { return fmt::format("lseek({}, {}, {})", fd, offset, words::seek_from(whence)); });
  HeldFile held(k, fd);
  if (!held) co_return call.done(k.error(Rule::fd_not_open, nullptr));
  co_return call.done(ksys_lseek(k, held.get(), offset, whence));
}

MaySleep<long> sys_dup(Kernel& k, int fd) {
  SyscallScope call(k, Fn::__x64_sys_dup, [&] { return fmt::format("dup({})", fd); });
  file* file = fd_file(k, fd);
  if (file == nullptr) co_return call.done(k.error(Rule::fd_not_open, nullptr));
  int copy = get_unused_fd(k, false);
  if (copy < 0) co_return call.done(copy);
  ++file->f_ref;
  fd_install(k, copy, file);
  co_return call.done(copy);
}

MaySleep<long> sys_dup2(Kernel& k, int oldfd, int newfd) {
  SyscallScope call(k, Fn::__x64_sys_dup2, [&] { return fmt::format("dup2({}, {})", oldfd, newfd); });
  if (oldfd != newfd) co_return call.done(ksys_dup3(k, oldfd, newfd, 0));
  co_return call.done(fd_file(k, oldfd) != nullptr ? newfd : k.error(Rule::fd_not_open, nullptr));
}

MaySleep<long> sys_dup3(Kernel& k, int oldfd, int newfd, int flags) {
  SyscallScope call(k, Fn::__x64_sys_dup3, [&] {
    return fmt::format("dup3({}, {}, {})", oldfd, newfd, flags == O_CLOEXEC ? "O_CLOEXEC" : fmt::to_string(flags));
  });
  co_return call.done(ksys_dup3(k, oldfd, newfd, flags));
}

MaySleep<long> sys_execve(Kernel& k) {
  SyscallScope call(k, Fn::__x64_sys_execve, [] { return "execve()"; });
  begin_new_exec(k);
  // what it has closed ends on the way to the new program, and may linger there
  if (task_struct* task = k.current(); !task->task_works.empty()) co_await task_work_run_and_linger(k, task);
  co_return call.done(0);
}

MaySleep<long> sys_setrlimit_nofile(Kernel& k, u64 soft) {
  SyscallScope call(k, Fn::__x64_sys_prlimit64, [&] { return fmt::format("setrlimit(RLIMIT_NOFILE, {})", soft); });
  co_return call.done(do_prlimit_nofile(k, soft));
}

MaySleep<long> sys_fcntl(Kernel& k, int fd, int command, int argument) {
  SyscallScope call(k, Fn::__x64_sys_fcntl, [&] { return fcntl_words(fd, command, argument); });
  HeldFile held(k, fd);
  if (!held) co_return call.done(k.error(Rule::fd_not_open, nullptr));
  file* file = held.get();
  switch (command) {
    case F_GETFL:
      co_return call.done(file->f_flags);
    case F_SETFL:
      co_return call.done(setfl(k, file, argument));
    case F_GETFD:
    case F_SETFD:
      co_return call.done(do_fcntl_fd(k, fd, command, argument));
    case F_DUPFD:
    case F_DUPFD_CLOEXEC:
      co_return call.done(f_dupfd(k, static_cast<u32>(argument), file, command == F_DUPFD_CLOEXEC));
    default:
      co_return call.done(k.error(Rule::fcntl_unknown, file));
  }
}

MaySleep<long> sys_ioctl(Kernel& k, int fd, unsigned command, int* argument) {
  SyscallScope call(k, Fn::__x64_sys_ioctl, [&] { return ioctl_words(fd, command, argument); });
  HeldFile held(k, fd);
  if (!held) co_return call.done(k.error(Rule::fd_not_open, nullptr));
  if (argument == nullptr) co_return call.done(ioctl_to_nowhere(k, held.get(), command));
  long result = do_vfs_ioctl(k, held.get(), command, argument);
  co_return call.done(result, [&] { return command == FIONBIO ? "" : fmt::format(" {}", *argument); });
}

}  // namespace wakepath::kernel
