#include "src/scenario/signatures.hh"

namespace wakepath::scenario {
namespace {

using K = Param::Kind;

const Param kFd{K::descriptor, "a descriptor (a name or a number)"};
const Param kN{K::count, "a number of bytes"};
const Param kData{K::data, "data in double quotes"};
const Param kAddress{K::address, "an address such as 127.0.0.1:0, unix:@NAME or addr(NAME)"};
const Param kTimeout{K::timeout, "a timeout in milliseconds, -1 for ever"};
const Param kSignals{K::signal_list, "a list of signals"};

Param words(Words set) { return {K::words, describe(set), set}; }
Param optional(Param p) {
  p.optional = true;
  return p;
}

std::vector<Signature> table() {
  const Param flags = words(Words::message_flags);
  return {
      {Call::socket,
       "socket",
       {words(Words::domain), words(Words::socket_type), words(Words::protocol)},
       0,
       1,
       {},
       "socket(DOMAIN, TYPE, PROTOCOL)"},
      {Call::bind, "bind", {kFd, kAddress}, 0, 0, {}, "bind(fd, ADDR)"},
      {Call::listen, "listen", {kFd, {K::integer, "a backlog"}}, 0, 0, {}, "listen(fd, BACKLOG)"},
      {Call::accept, "accept", {kFd}, 0, 1, {"addr", "len"}, "accept(fd)"},
      {Call::accept4, "accept4", {kFd, words(Words::accept_flags)}, 0, 1, {"addr", "len"}, "accept4(fd, FLAGS)"},
      {Call::connect, "connect", {kFd, kAddress}, 0, 0, {}, "connect(fd, ADDR)"},
      {Call::read, "read", {kFd, kN}, gives_data, 0, {"buffer"}, "read(fd, N)"},
      {Call::write, "write", {kFd, kData}, 0, 0, {}, "write(fd, DATA)"},
      {Call::readv, "readv", {kFd, {K::count_list, "a list of sizes"}}, gives_data, 0, {}, "readv(fd, [N, …])"},
      {Call::writev, "writev", {kFd, {K::data_list, "a list of data"}}, 0, 0, {}, "writev(fd, [DATA, …])"},
      {Call::send, "send", {kFd, kData, optional(flags)}, 0, 0, {}, "send(fd, DATA[, FLAGS])"},
      {Call::recv, "recv", {kFd, kN, optional(flags)}, gives_data, 0, {"buffer"}, "recv(fd, N[, FLAGS])"},
      {Call::sendto, "sendto", {kFd, kData, flags, kAddress}, 0, 0, {}, "sendto(fd, DATA, FLAGS, ADDR)"},
      {Call::recvfrom,
       "recvfrom",
       {kFd, kN, flags},
       gives_data | gives_address,
       0,
       {"buffer", "addr", "len"},
       "recvfrom(fd, N, FLAGS)"},
      {Call::sendmsg,
       "sendmsg",
       {kFd, {K::data_list, "a list of data"}, optional(flags)},
       0,
       0,
       {"rights"},
       "sendmsg(fd, [DATA, …][, FLAGS][, rights=[fd, …]])"},
      {Call::recvmsg,
       "recvmsg",
       {kFd, kN, optional(flags)},
       gives_data | gives_rights,
       0,
       {"buffer"},
       "recvmsg(fd, N[, FLAGS])"},
      {Call::shutdown, "shutdown", {kFd, words(Words::shutdown_how)}, 0, 0, {}, "shutdown(fd, HOW)"},
      {Call::close, "close", {kFd}, 0, 0, {}, "close(fd)"},
      {Call::fcntl,
       "fcntl",
       {kFd, words(Words::fcntl_command), {K::status, "file status flags", Words::open_flags, true}},
       gives_flags,
       1,
       {},
       "fcntl(fd, F_GETFL), fcntl(fd, F_SETFL, FLAGS), fcntl(fd, F_GETFD), fcntl(fd, F_SETFD, FLAGS) or fcntl(fd, "
       "F_DUPFD, N)"},
      {Call::ioctl,
       "ioctl",
       {kFd, words(Words::ioctl_command), optional({K::integer, "0 or 1"})},
       gives_value,
       0,
       {},
       "ioctl(fd, FIONREAD), ioctl(fd, SIOCOUTQ), ioctl(fd, SIOCATMARK) or ioctl(fd, FIONBIO, 1)"},
      {Call::getsockname, "getsockname", {kFd}, gives_address, 0, {"addr", "len"}, "getsockname(fd)"},
      {Call::getpeername, "getpeername", {kFd}, gives_address, 0, {"addr", "len"}, "getpeername(fd)"},
      {Call::setsockopt,
       "setsockopt",
       {kFd,
        words(Words::socket_level),
        {K::option, "a socket option", Words::socket_option},
        {K::value, "an option value: a number or {a, b}"}},
       0,
       0,
       {},
       "setsockopt(fd, LEVEL, OPTION, VALUE)"},
      {Call::getsockopt,
       "getsockopt",
       {kFd, words(Words::socket_level), {K::option, "a socket option", Words::socket_option}},
       gives_value,
       0,
       {"value", "len"},
       "getsockopt(fd, LEVEL, OPTION)"},
      {Call::pipe2, "pipe2", {words(Words::pipe_flags)}, 0, 2, {"fds"}, "r, w = pipe2(FLAGS)"},
      {Call::socketpair,
       "socketpair",
       {words(Words::domain), words(Words::socket_type), words(Words::protocol)},
       0,
       2,
       {"fds"},
       "a, b = socketpair(DOMAIN, TYPE, 0)"},
      {Call::eventfd,
       "eventfd",
       {{K::integer, "an initial count"}, words(Words::eventfd_flags)},
       0,
       1,
       {},
       "eventfd(INIT, FLAGS)"},
      {Call::memfd_create,
       "memfd_create",
       {{K::data, "a name in double quotes"}, words(Words::memfd_flags)},
       0,
       1,
       {},
       "memfd_create(\"NAME\", FLAGS)"},
      {Call::lseek,
       "lseek",
       {kFd, {K::offset, "an offset"}, words(Words::seek_from)},
       0,
       0,
       {},
       "lseek(fd, OFFSET, WHENCE)"},
      {Call::dup, "dup", {kFd}, 0, 1, {}, "dup(fd)"},
      {Call::dup2, "dup2", {kFd, {K::integer, "the new descriptor's number"}}, 0, 1, {}, "dup2(fd, NEW)"},
      {Call::dup3,
       "dup3",
       {kFd, {K::integer, "the new descriptor's number"}, words(Words::dup_flags)},
       0,
       1,
       {},
       "dup3(fd, NEW, FLAGS)"},
      {Call::setrlimit,
       "setrlimit",
       {words(Words::resource), {K::integer, "how many there may be"}},
       0,
       0,
       {},
       "setrlimit(RLIMIT_NOFILE, N)"},
      {Call::epoll_create1, "epoll_create1", {words(Words::epoll_flags)}, 0, 1, {}, "epoll_create1(FLAGS)"},
      {Call::epoll_ctl,
       "epoll_ctl",
       {kFd, words(Words::epoll_op), kFd, optional(words(Words::epoll_events))},
       0,
       0,
       {"data"},
       "epoll_ctl(ep, OP, fd, EVENTS[, data=NAME|INT])"},
      {Call::epoll_wait,
       "epoll_wait",
       {kFd, {K::integer, "a number of events"}, kTimeout},
       gives_events,
       0,
       {"buffer"},
       "epoll_wait(ep, MAX, TIMEOUT_MS[, buffer=NULL])"},
      {Call::epoll_pwait,
       "epoll_pwait",
       {kFd, {K::integer, "a number of events"}, kTimeout, kSignals},
       gives_events,
       0,
       {"buffer"},
       "epoll_pwait(ep, MAX, TIMEOUT_MS, [SIGNAL, …][, buffer=NULL])"},
      {Call::poll,
       "poll",
       {{K::poll_list, "a list such as [{fd, POLLIN}]"}, kTimeout},
       gives_events,
       0,
       {},
       "poll([{fd, FLAGS}, …], TIMEOUT_MS)"},
      {Call::ppoll,
       "ppoll",
       {{K::poll_list, "a list such as [{fd, POLLIN}]"}, kTimeout, optional(kSignals)},
       gives_events,
       0,
       {},
       "ppoll([{fd, FLAGS}, …], TIMEOUT_MS[, [SIGNAL, …]])"},
      {Call::select,
       "select",
       {{K::descriptor_list, "a list of descriptors"},
        {K::descriptor_list, "a list of descriptors"},
        {K::descriptor_list, "a list of descriptors"},
        kTimeout},
       gives_events,
       0,
       {},
       "select([fd, …], [fd, …], [fd, …], TIMEOUT_MS)"},
      {Call::timerfd_create,
       "timerfd_create",
       {words(Words::clock), words(Words::timerfd_flags)},
       0,
       1,
       {},
       "timerfd_create(CLOCK, FLAGS)"},
      {Call::timerfd_settime,
       "timerfd_settime",
       {kFd, {K::duration, "a time such as 10ms"}, optional({K::duration, "a time such as 10ms"})},
       0,
       0,
       {},
       "timerfd_settime(fd, FIRST, INTERVAL)"},
      {Call::signalfd4,
       "signalfd4",
       {kSignals, words(Words::signalfd_flags)},
       0,
       1,
       {},
       "signalfd4([SIGNAL, …], FLAGS)"},
      {Call::sigprocmask, "sigprocmask", {words(Words::mask_how), kSignals}, 0, 0, {}, "sigprocmask(HOW, [SIGNAL, …])"},
      {Call::fork, "fork", {{K::actor, "the name of a new actor"}}, 0, 0, {}, "fork(ACTOR)"},
      {Call::thread, "thread", {{K::actor, "the name of a new actor"}}, 0, 0, {}, "thread(ACTOR)"},
      {Call::execve, "execve", {}, 0, 0, {}, "execve()"},
      {Call::exit, "exit", {}, 0, 0, {}, "exit()"},
  };
}

}  // namespace

const std::vector<Signature>& signatures() {
  static const std::vector<Signature> all = table();
  return all;
}

const Signature* find_signature(std::string_view name) {
  for (const Signature& signature : signatures()) {
    if (signature.name == name) {
      return &signature;
    }
  }
  return nullptr;
}

std::vector<std::string_view> call_names() {
  std::vector<std::string_view> names;
  for (const Signature& signature : signatures()) {
    names.push_back(signature.name);
  }
  return names;
}

}  // namespace wakepath::scenario
