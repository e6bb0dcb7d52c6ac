#include "sim/syscalls/syscalls.hh"

#include <algorithm>

#include "sim/syscalls/syscall_scope.hh"
#include "sim/syscalls/words.hh"

namespace wakepath::kernel {

MaySleep<long> sys_socket(Kernel& k, int family, int type, int protocol) {
  SyscallScope call(k, Fn::__x64_sys_socket, [&] {
    return words::text("socket(", words::family(family), ", ", words::socket_type(type), ", ",
                       words::protocol(protocol), ")");
  });
  co_return call.done(__sys_socket(k, family, type, protocol));
}

MaySleep<long> sys_bind(Kernel& k, int fd, Address address) {
  SyscallScope call(k, Fn::__x64_sys_bind,
                    [&] { return words::text("bind(", fd, ", ", words::address(address), ")"); });
  co_return call.done(__sys_bind(k, fd, address));
}

MaySleep<long> sys_bind(Kernel& k, int fd, UserPointer address) {
  SyscallScope call(k, Fn::__x64_sys_bind,
                    [&] { return words::text("bind(", fd, ", ", words::pointer(address), ")"); });
  co_return call.done(__sys_bind(k, fd, no_address));
}

MaySleep<long> sys_listen(Kernel& k, int fd, int backlog) {
  SyscallScope call(k, Fn::__x64_sys_listen, [&] { return words::text("listen(", fd, ", ", backlog, ")"); });
  co_return call.done(__sys_listen(k, fd, backlog));
}

namespace {

/// "accept(3)", "accept4(3, SOCK_NONBLOCK)": as the program wrote it.
words::Words accept_words(Fn entry, int fd, int flags, const words::Words& more = {}) {
  if (entry == Fn::__x64_sys_accept) return words::text("accept(", fd, more, ")");
  return words::text("accept4(", fd, ", ", words::socket_flags(flags), more, ")");
}

MaySleep<long> accept_by(Kernel& k, Fn entry, int fd, Address* peer, int flags) {
  SyscallScope call(k, entry, [&] { return accept_words(entry, fd, flags); });
  Address from;
  long result = 0;
  do result = co_await __sys_accept4(k, fd, &from, flags);
  while (restarts(k, &result));
  if (result >= 0 && peer != nullptr) *peer = from;
  co_return call.done(result, [&] { return words::text(" ", words::address(from)); });
}

MaySleep<long> accept_by(Kernel& k, Fn entry, int fd, BadAddress peer, int flags) {
  SyscallScope call(k, entry,
                    [&] { return accept_words(entry, fd, flags, words::bad_address(peer.address, peer.length)); });
  Address* from = peer.address == UserPointer::kNull ? nullptr : &no_address;
  long result = 0;
  do result = co_await __sys_accept4(k, fd, from, flags);
  while (restarts(k, &result));
  co_return call.done(result);
}

}  // namespace

MaySleep<long> sys_accept(Kernel& k, int fd, Address* peer) { return accept_by(k, Fn::__x64_sys_accept, fd, peer, 0); }

MaySleep<long> sys_accept(Kernel& k, int fd, BadAddress peer) {
  return accept_by(k, Fn::__x64_sys_accept, fd, peer, 0);
}

MaySleep<long> sys_accept4(Kernel& k, int fd, Address* peer, int flags) {
  return accept_by(k, Fn::__x64_sys_accept4, fd, peer, flags);
}

MaySleep<long> sys_accept4(Kernel& k, int fd, BadAddress peer, int flags) {
  return accept_by(k, Fn::__x64_sys_accept4, fd, peer, flags);
}

MaySleep<long> sys_connect(Kernel& k, int fd, Address address) {
  SyscallScope call(k, Fn::__x64_sys_connect,
                    [&] { return words::text("connect(", fd, ", ", words::address(address), ")"); });
  long result = 0;
  do result = co_await __sys_connect(k, fd, address);
  while (restarts(k, &result));
  co_return call.done(result);
}

MaySleep<long> sys_connect(Kernel& k, int fd, UserPointer address) {
  SyscallScope call(k, Fn::__x64_sys_connect,
                    [&] { return words::text("connect(", fd, ", ", words::pointer(address), ")"); });
  co_return call.done(co_await __sys_connect(k, fd, no_address));
}

MaySleep<long> sys_send(Kernel& k, int fd, const char* data, std::size_t size, int flags) {
  SyscallScope call(k, Fn::__x64_sys_sendto, [&] {
    return words::text("send(", fd, ", ", words::data({data, size}), ", ", size, words::more_flags(flags), ")");
  });
  OutMessage message{data, size, flags};
  long result = 0;
  do result = co_await __sys_sendto(k, fd, message);
  while (restarts(k, &result));
  co_return call.done(result);
}

MaySleep<long> sys_recv(Kernel& k, int fd, char* buffer, std::size_t size, int flags) {
  SyscallScope call(k, Fn::__x64_sys_recvfrom, [&] {
    return words::text("recv(", fd, ", ", size, words::more_flags(flags), words::bad_buffer(buffer), ")");
  });
  InMessage message{buffer, size, flags};
  long result = 0;
  do result = co_await __sys_recvfrom(k, fd, message);
  while (restarts(k, &result));
  co_return call.done(result, [&] {
    return words::text(" ", words::data({buffer, std::min(size, static_cast<std::size_t>(result))}));
  });
}

MaySleep<long> sys_sendto(Kernel& k, int fd, const char* data, std::size_t size, int flags, Address to) {
  SyscallScope call(k, Fn::__x64_sys_sendto, [&] {
    return words::text("sendto(", fd, ", ", words::data({data, size}), ", ", size, ", ", words::message_flags(flags),
                       ", ", words::address(to), ")");
  });
  OutMessage message{data, size, flags, &to};
  long result = 0;
  do result = co_await __sys_sendto(k, fd, message);
  while (restarts(k, &result));
  co_return call.done(result);
}

MaySleep<long> sys_sendto(Kernel& k, int fd, const char* data, std::size_t size, int flags, UserPointer to) {
  SyscallScope call(k, Fn::__x64_sys_sendto, [&] {
    return words::text("sendto(", fd, ", ", words::data({data, size}), ", ", size, ", ", words::message_flags(flags),
                       ", ", words::pointer(to), ")");
  });
  OutMessage message{data, size, flags, to == UserPointer::kOutside ? &no_address : nullptr};
  long result = 0;
  do result = co_await __sys_sendto(k, fd, message);
  while (restarts(k, &result));
  co_return call.done(result);
}

namespace {

/// move_addr_to_user(), when the data is with the caller already: where no protocol names a sender only the length is
/// read.
bool sender_fits(BadAddress bad, bool named) {
  if (bad.address == UserPointer::kNull) return true;  // nobody asks
  return bad.length == UserPointer::kGood && (bad.address == UserPointer::kGood || !named);
}

}  // namespace

MaySleep<long> sys_recvfrom(Kernel& k, int fd, char* buffer, std::size_t size, int flags, std::optional<Address>* from,
                            BadAddress bad) {
  SyscallScope call(k, Fn::__x64_sys_recvfrom, [&] {
    return words::text("recvfrom(", fd, ", ", size, ", ", words::message_flags(flags), words::bad_buffer(buffer),
                       words::bad_address(bad.address, bad.length), ")");
  });
  InMessage message{buffer, size, flags};
  long result = 0;
  do result = co_await __sys_recvfrom(k, fd, message);
  while (restarts(k, &result));
  if (result >= 0 && !sender_fits(bad, message.from.has_value()))
    co_return call.done(k.error((flags & MSG_PEEK) != 0 ? Rule::bad_address : Rule::bad_address_loses, nullptr));
  if (bad.address == UserPointer::kGood) *from = message.from;
  co_return call.done(result, [&] {
    words::Words got = words::text(" ", words::data({buffer, std::min(size, static_cast<std::size_t>(result))}));
    if (message.from) (got += ' ') += words::address(*message.from);
    return got;
  });
}

MaySleep<long> sys_shutdown(Kernel& k, int fd, int how) {
  SyscallScope call(k, Fn::__x64_sys_shutdown,
                    [&] { return words::text("shutdown(", fd, ", ", words::shutdown_how(how), ")"); });
  co_return call.done(__sys_shutdown(k, fd, how));
}

MaySleep<long> sys_close(Kernel& k, int fd) {
  SyscallScope call(k, Fn::__x64_sys_close, [&] { return words::text("close(", fd, ")"); });
  co_return call.done(co_await close_fd(k, fd));
}

MaySleep<long> sys_getsockname(Kernel& k, int fd, Address* out) {
  SyscallScope call(k, Fn::__x64_sys_getsockname, [&] { return words::text("getsockname(", fd, ")"); });
  long result = __sys_getname(k, fd, out, NameOf::kOwn);
  co_return call.done(result, [&] { return words::text(" ", words::address(*out)); });
}

MaySleep<long> sys_getpeername(Kernel& k, int fd, Address* out) {
  SyscallScope call(k, Fn::__x64_sys_getpeername, [&] { return words::text("getpeername(", fd, ")"); });
  long result = __sys_getname(k, fd, out, NameOf::kPeer);
  co_return call.done(result, [&] { return words::text(" ", words::address(*out)); });
}

namespace {

/// getname() for an address, or a length, that is not there: the name is asked for first.
MaySleep<long> getname_to_nowhere(Kernel& k, Fn entry, const char* name, int fd, BadAddress out, NameOf whose) {
  SyscallScope call(k, entry,
                    [&] { return words::text(name, "(", fd, words::bad_address(out.address, out.length), ")"); });
  co_return call.done(__sys_getname(k, fd, &no_address, whose));
}

}  // namespace

MaySleep<long> sys_getsockname(Kernel& k, int fd, BadAddress out) {
  return getname_to_nowhere(k, Fn::__x64_sys_getsockname, "getsockname", fd, out, NameOf::kOwn);
}

MaySleep<long> sys_getpeername(Kernel& k, int fd, BadAddress out) {
  return getname_to_nowhere(k, Fn::__x64_sys_getpeername, "getpeername", fd, out, NameOf::kPeer);
}

MaySleep<long> sys_setsockopt(Kernel& k, int fd, int level, int option, UserPointer value) {
  SyscallScope call(k, Fn::__x64_sys_setsockopt, [&] {
    return words::text("setsockopt(", fd, ", ", words::option(level, option), ", ", words::pointer(value), ")");
  });
  OptionValue nowhere = value == UserPointer::kNull ? null_option() : outside_option();
  co_return call.done(__sys_setsockopt(k, fd, level, option, nowhere));
}

MaySleep<long> sys_getsockopt(Kernel& k, int fd, int level, int option, UserPointer value, UserPointer length) {
  SyscallScope call(k, Fn::__x64_sys_getsockopt, [&] {
    words::Words bad;
    if (value != UserPointer::kGood) (bad += ", value=") += words::pointer(value);
    if (length != UserPointer::kGood) (bad += ", len=") += words::pointer(length);
    return words::text("getsockopt(", fd, ", ", words::option(level, option), bad, ")");
  });
  std::vector<int> nobodys;
  long error = __sys_getsockopt(k, fd, level, option, length == UserPointer::kGood ? &nobodys : nullptr);
  bool taken = level == SOL_SOCKET && option == SO_ERROR;
  if (error == 0) error = k.error(taken ? Rule::bad_address_loses : Rule::bad_address, nullptr);
  co_return call.done(error);
}

MaySleep<long> sys_setsockopt(Kernel& k, int fd, int level, int option, std::vector<int> value) {
  SyscallScope call(k, Fn::__x64_sys_setsockopt, [&] {
    return words::text("setsockopt(", fd, ", ", words::option(level, option), ", ", words::option_value(value), ")");
  });
  co_return call.done(__sys_setsockopt(k, fd, level, option, value));
}

MaySleep<long> sys_getsockopt(Kernel& k, int fd, int level, int option, std::vector<int>* value) {
  SyscallScope call(k, Fn::__x64_sys_getsockopt,
                    [&] { return words::text("getsockopt(", fd, ", ", words::option(level, option), ")"); });
  long result = __sys_getsockopt(k, fd, level, option, value);
  co_return call.done(result, [&] { return words::text(" ", words::option_value(*value)); });
}

MaySleep<long> sys_pipe2(Kernel& k, int fds[2], int flags) {
  SyscallScope call(k, Fn::__x64_sys_pipe2, [&] {
    return words::text("pipe2(", words::open_flags(flags), fds == nullptr ? ", fds=NULL)" : ")");
  });
  long result = do_pipe2(k, fds, flags);
  co_return call.done(result, [&] { return words::text(" [", fds[0], ", ", fds[1], "]"); });
}

MaySleep<long> sys_epoll_create1(Kernel& k, int flags) {
  SyscallScope call(k, Fn::__x64_sys_epoll_create1,
                    [&] { return words::text("epoll_create1(", words::epoll_flags(flags), ")"); });
  co_return call.done(do_epoll_create(k, flags));
}

MaySleep<long> sys_epoll_ctl(Kernel& k, int epfd, int op, int fd, user_epoll_event event) {
  SyscallScope call(k, Fn::__x64_sys_epoll_ctl, [&] {
    words::Words suffix;
    if (op != EPOLL_CTL_DEL) (suffix += ", ") += words::events(event.events);
    return words::text("epoll_ctl(", epfd, ", ", words::epoll_op(op), ", ", fd, suffix, ")");
  });
  co_return call.done(do_epoll_ctl(k, epfd, op, fd, event));
}

MaySleep<long> sys_epoll_ctl(Kernel& k, int epfd, int op, int fd, std::nullptr_t) {
  bool reads_event = op != EPOLL_CTL_DEL;
  SyscallScope call(k, Fn::__x64_sys_epoll_ctl, [&] {
    return words::text("epoll_ctl(", epfd, ", ", words::epoll_op(op), ", ", fd, reads_event ? ", NULL)" : ")");
  });
  if (reads_event) co_return call.done(k.error(Rule::epoll_bad_buffer, nullptr));
  co_return call.done(do_epoll_ctl(k, epfd, op, fd, {}));
}

MaySleep<long> sys_epoll_wait(Kernel& k, int epfd, user_epoll_event* events, int maxevents, int timeout_ms) {
  SyscallScope call(k, Fn::__x64_sys_epoll_wait, [&] {
    return words::text("epoll_wait(", epfd, ", ", maxevents, ", ", timeout_ms, words::bad_buffer(events), ")");
  });
  long result = co_await do_epoll_wait(k, epfd, events, maxevents, timeout_ms);
  co_return call.done(result, [&] { return words::epoll_events(events, result); });
}

}  // namespace wakepath::kernel
