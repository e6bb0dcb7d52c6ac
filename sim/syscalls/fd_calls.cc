// System calls on descriptors of any kind: read and write, lseek, dup, fcntl, ioctl; and memfd_create.

#include <fmt/format.h>
#include <linux/sockios.h>
#include <sys/ioctl.h>

#include <type_traits>

#include "sim/kernel/uio.hh"
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

std::string ioctl_words(int fd, unsigned command, int argument) {
  if (command == FIONBIO) return fmt::format("ioctl({}, FIONBIO, {})", fd, argument);
  if (command == FIONREAD) return fmt::format("ioctl({}, FIONREAD)", fd);
  if (command == SIOCATMARK) return fmt::format("ioctl({}, SIOCATMARK)", fd);
  if (command == SIOCOUTQ) return fmt::format("ioctl({}, SIOCOUTQ)", fd);
  return fmt::format("ioctl({}, {:#x})", fd, command);
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
  SyscallScope call(k, Fn::ksys_read, [&] { return words::text("read(", fd, ", ", size, ")"); });
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

MaySleep<long> sys_readv(Kernel& k, int fd, char* buffer, std::vector<std::size_t> sizes) {
  SyscallScope call(k, Fn::__x64_sys_readv, [&] { return fmt::format("readv({}, [{}])", fd, fmt::join(sizes, ", ")); });
  std::size_t whole = 0;
  for (std::size_t size : sizes) whole += size;
  long result = co_await on_descriptor(k, fd, vfs_readv, buffer, whole);
  co_return call.done(result, [&] { return given(buffer, result); });
}

MaySleep<long> sys_writev(Kernel& k, int fd, const std::vector<std::string>& pieces) {
  SyscallScope call(k, Fn::__x64_sys_writev, [&] { return fmt::format("writev({}, {})", fd, words::pieces(pieces)); });
  long result = co_await on_descriptor<const std::vector<std::string>&>(k, fd, vfs_writev, pieces);
  co_return call.done(result);
}

MaySleep<long> sys_memfd_create(Kernel& k, std::string name, unsigned flags) {
  SyscallScope call(k, Fn::__x64_sys_memfd_create,
                    [&] { return fmt::format("memfd_create({}, {})", words::data(name), words::memfd_flags(flags)); });
  co_return call.done(do_memfd_create(k, name, flags));
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
  SyscallScope call(k, Fn::__x64_sys_ioctl, [&] { return ioctl_words(fd, command, *argument); });
  HeldFile held(k, fd);
  if (!held) co_return call.done(k.error(Rule::fd_not_open, nullptr));
  long result = do_vfs_ioctl(k, held.get(), command, argument);
  co_return call.done(result, [&] { return command == FIONBIO ? "" : fmt::format(" {}", *argument); });
}

}  // namespace wakepath::kernel
