// System calls on pairs of sockets and on messages with files in them.

#include <fmt/format.h>

#include <algorithm>

#include "sim/syscalls/gathered.hh"
#include "sim/syscalls/syscall_scope.hh"
#include "sim/syscalls/syscalls.hh"
#include "sim/syscalls/words.hh"

namespace wakepath::kernel {

namespace {

std::string rights_words(const std::vector<int>& rights) {
  return rights.empty() ? "" : fmt::format("rights=[{}]", fmt::join(rights, ", "));
}

}  // namespace

MaySleep<long> sys_socketpair(Kernel& k, int family, int type, int protocol, int fds[2]) {
  SyscallScope call(k, Fn::__x64_sys_socketpair, [&] {
    return fmt::format("socketpair({}, {}, {}{})", words::family(family), words::socket_type(type), protocol,
                       fds == nullptr ? ", fds=NULL" : "");
  });
  long result = __sys_socketpair(k, family, type, protocol, fds);
  co_return call.done(result, [&] { return fmt::format(" [{}, {}]", fds[0], fds[1]); });
}

MaySleep<long> sys_sendmsg(Kernel& k, int fd, const std::vector<std::string>& pieces, const std::vector<int>& rights,
                           int flags, std::vector<UserPointer> at, UserPointer list) {
  SyscallScope call(k, Fn::__x64_sys_sendmsg, [&] {
    return fmt::format("sendmsg({}, {}{}{}{})", fd, words::pieces(pieces, at, list), rights.empty() ? "" : ", ",
                       rights_words(rights), words::more_flags(flags));
  });
  GatheredPieces all(k, pieces, at, list);
  OutMessage message{all.data(), all.size(), flags};
  long result = 0;
  do result = co_await __sys_sendmsg(k, fd, message, rights);
  while (restarts(k, &result));
  co_return call.done(result);
}

MaySleep<long> sys_recvmsg(Kernel& k, int fd, char* buffer, std::size_t size, int flags, std::vector<int>* rights) {
  SyscallScope call(k, Fn::__x64_sys_recvmsg, [&] {
    return fmt::format("recvmsg({}, {}{}{})", fd, size, words::more_flags(flags), words::bad_buffer(buffer));
  });
  InMessage message{buffer, size, flags};
  long result = 0;
  do result = co_await __sys_recvmsg(k, fd, message, rights);
  while (restarts(k, &result));
  co_return call.done(result, [&] {
    return fmt::format(" {}{}{}", words::data({buffer, std::min(size, static_cast<std::size_t>(result))}),
                       rights->empty() ? "" : " ", rights_words(*rights));
  });
}

}  // namespace wakepath::kernel
