#pragma once

#include <string_view>
#include <vector>

#include "src/scenario/words.hh"

namespace wakepath::scenario {

/// Every call of the format. Machines switch on it.
enum class Call {
  socket,
  bind,
  listen,
  accept,
  accept4,
  connect,
  read,
  write,
  readv,
  writev,
  send,
  recv,
  sendto,
  recvfrom,
  sendmsg,
  recvmsg,
  shutdown,
  close,
  fcntl,
  ioctl,
  getsockname,
  getpeername,
  setsockopt,
  getsockopt,
  pipe2,
  socketpair,
  eventfd,
  memfd_create,
  lseek,
  dup,
  dup2,
  dup3,
  setrlimit,
  epoll_create1,
  epoll_ctl,
  epoll_wait,
  epoll_pwait,
  poll,
  ppoll,
  select,
  timerfd_create,
  timerfd_settime,
  signalfd4,
  sigprocmask,
  fork,
  thread,
  execve,
  exit,
};

/// One position of a call.
struct Param {
  enum class Kind {
    descriptor,  ///< a name or a number
    integer,     ///< 32 bits with a sign
    offset,      ///< 64 bits with a sign
    count,       ///< a number from 0 to 16 MiB
    timeout,     ///< milliseconds, -1 for ever
    words,       ///< C names of `set` joined by |, or a number
    option,      ///< a socket option of the level before it
    data,
    address,
    value,
    data_list,
    count_list,
    descriptor_list,
    poll_list,
    signal_list,
    duration,
    actor,
    status,  ///< the third argument of fcntl, by the command: flags or a number
  };
  Kind kind;
  std::string_view what;  ///< for messages: "a descriptor"
  Words set = Words::domain;
  bool optional = false;
};

/// What may stand after the count in a result.
enum Gives : unsigned {
  gives_count = 0,
  gives_data = 1,
  gives_address = 2,
  gives_value = 4,
  gives_events = 8,
  gives_flags = 16,  ///< the count itself is written as flags
  gives_rights = 32,
};

struct Signature {
  Call call;
  std::string_view name;
  std::vector<Param> params;
  unsigned gives = gives_count;
  int targets = 0;                         ///< names it may bind: 1 a descriptor, 2 a pair
  std::vector<std::string_view> keywords;  ///< what may stand behind the arguments as NAME=…
  std::string_view usage;                  ///< for messages: `recv(fd, N[, FLAGS])`
};

const std::vector<Signature>& signatures();
const Signature* find_signature(std::string_view name);
std::vector<std::string_view> call_names();

}  // namespace wakepath::scenario
