#include "src/scenario/kernel_calls.hh"

#include <fcntl.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <sys/epoll.h>
#include <sys/ioctl.h>
#include <sys/select.h>
#include <sys/signalfd.h>
#include <sys/syscall.h>
#include <sys/time.h>
#include <sys/uio.h>
#include <time.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>

namespace wakepath::scenario {
namespace {

void finish(Outcome& out, long ret) {
  out.error = ret < 0 ? errno : 0;
  out.ret = ret < 0 ? -1 : ret;
}

int fd_of(const Request& r) { return static_cast<int>(r.numbers[0]); }
long at(const Request& r, size_t index) { return index < r.numbers.size() ? r.numbers[index] : 0; }

/// To be asked before the call: when it returns, the descriptor may have been closed.
bool is_signalfd(int fd) {
  char kind[64] = "";
  const std::string link = "/proc/thread-self/fd/" + std::to_string(fd);
  return readlink(link.c_str(), kind, sizeof kind - 1) > 0 && std::strcmp(kind, "anon_inode:[signalfd]") == 0;
}

/// Who sent a signal is not compared: pid and uid of what a signalfd gives are put to 0.
void hide_senders(std::string& data) {
  for (size_t at = 0; at + sizeof(signalfd_siginfo) <= data.size(); at += sizeof(signalfd_siginfo)) {
    std::memset(&data[at + offsetof(signalfd_siginfo, ssi_pid)], 0, sizeof(signalfd_siginfo::ssi_pid));
    std::memset(&data[at + offsetof(signalfd_siginfo, ssi_uid)], 0, sizeof(signalfd_siginfo::ssi_uid));
  }
}

void receive(const Request& r, Outcome& out) {
  std::string buffer(static_cast<size_t>(r.numbers[1]), '\0');
  sockaddr_storage from{};
  socklen_t size = sizeof from;
  const bool wants_address = r.call == Call::recvfrom;
  long n = 0;
  const bool signals = is_signalfd(fd_of(r));
  if (r.call == Call::read) {
    n = syscall(SYS_read, fd_of(r), buffer.data(), buffer.size());
  } else {
    n = syscall(SYS_recvfrom, fd_of(r), buffer.data(), buffer.size(), at(r, 2), wants_address ? &from : nullptr,
                wants_address ? &size : nullptr);
  }
  finish(out, n);
  if (n >= 0) {
    buffer.resize(std::min(static_cast<size_t>(n), buffer.size()));  // MSG_TRUNC gives more than was stored
    if (signals) {
      hide_senders(buffer);
    }
    out.data = std::move(buffer);
    if (wants_address && size > 0) {
      out.address = from_sockaddr(from, size);
    }
  }
}

void receive_pieces(const Request& r, Outcome& out) {
  std::vector<std::string> buffers;
  std::vector<iovec> parts;
  for (size_t i = 1; i < r.numbers.size(); ++i) {
    buffers.emplace_back(static_cast<size_t>(r.numbers[i]), '\0');
  }
  for (std::string& buffer : buffers) {
    parts.push_back({buffer.data(), buffer.size()});
  }
  const bool signals = is_signalfd(fd_of(r));
  const long n = syscall(SYS_readv, fd_of(r), parts.data(), parts.size());
  finish(out, n);
  if (n >= 0) {
    std::string all;
    for (const std::string& buffer : buffers) {
      all += buffer;
    }
    all.resize(static_cast<size_t>(n));
    if (signals) {
      hide_senders(all);
    }
    out.data = std::move(all);
  }
}

/// Room for as many descriptors as one message can carry, and a few more.
struct Control {
  alignas(cmsghdr) char bytes[CMSG_SPACE(256 * sizeof(int))] = {};
};

void receive_message(const Request& r, Outcome& out) {
  std::string buffer(static_cast<size_t>(r.numbers[1]), '\0');
  iovec part{buffer.data(), buffer.size()};
  Control control;
  msghdr message{};
  message.msg_iov = &part;
  message.msg_iovlen = 1;
  message.msg_control = control.bytes;
  message.msg_controllen = sizeof control.bytes;
  const long n = syscall(SYS_recvmsg, fd_of(r), &message, at(r, 2));
  finish(out, n);
  if (n < 0) {
    return;
  }
  buffer.resize(std::min(static_cast<size_t>(n), buffer.size()));
  out.data = std::move(buffer);
  for (cmsghdr* header = CMSG_FIRSTHDR(&message); header != nullptr; header = CMSG_NXTHDR(&message, header)) {
    if (header->cmsg_level == SOL_SOCKET && header->cmsg_type == SCM_RIGHTS) {
      out.fds.resize((header->cmsg_len - CMSG_LEN(0)) / sizeof(int));
      std::memcpy(out.fds.data(), CMSG_DATA(header), out.fds.size() * sizeof(int));
    }
  }
}

void send_pieces(const Request& r, Outcome& out) {
  std::vector<iovec> parts;
  for (const std::string& piece : r.pieces) {
    parts.push_back({const_cast<char*>(piece.data()), piece.size()});
  }
  if (r.call == Call::writev) {
    finish(out, syscall(SYS_writev, fd_of(r), parts.data(), parts.size()));
  } else {
    msghdr message{};
    message.msg_iov = parts.data();
    message.msg_iovlen = parts.size();
    Control control;
    if (!r.rights.empty()) {
      message.msg_control = control.bytes;
      message.msg_controllen = CMSG_SPACE(r.rights.size() * sizeof(int));
      cmsghdr* header = CMSG_FIRSTHDR(&message);
      header->cmsg_level = SOL_SOCKET;
      header->cmsg_type = SCM_RIGHTS;
      header->cmsg_len = CMSG_LEN(r.rights.size() * sizeof(int));
      std::memcpy(CMSG_DATA(header), r.rights.data(), r.rights.size() * sizeof(int));
    }
    finish(out, syscall(SYS_sendmsg, fd_of(r), &message, at(r, 1)));
  }
}

void name_of_socket(const Request& r, Outcome& out) {
  sockaddr_storage address{};
  socklen_t size = sizeof address;
  const long number = r.call == Call::getsockname ? SYS_getsockname : SYS_getpeername;
  finish(out, syscall(number, fd_of(r), &address, &size));
  if (out.ret == 0) {
    out.address = from_sockaddr(address, size);
  }
}

/// SO_LINGER takes two ints, SO_RCVTIMEO a timeval (written in seconds and microseconds), the others one int.
bool takes_timeval(const Request& r) {
  return at(r, 1) == SOL_SOCKET && (at(r, 2) == SO_RCVTIMEO || at(r, 2) == SO_SNDTIMEO);
}

void set_option(const Request& r, Outcome& out) {
  if (takes_timeval(r)) {
    timeval time{};
    time.tv_sec = r.value.empty() ? 0 : r.value[0];
    time.tv_usec = r.value.size() > 1 ? r.value[1] : 0;
    finish(out, syscall(SYS_setsockopt, fd_of(r), at(r, 1), at(r, 2), &time, sizeof time));
    return;
  }
  finish(out, syscall(SYS_setsockopt, fd_of(r), at(r, 1), at(r, 2), r.value.data(), r.value.size() * sizeof(int)));
}

void get_option(const Request& r, Outcome& out) {
  if (takes_timeval(r)) {
    timeval time{};
    socklen_t size = sizeof time;
    finish(out, syscall(SYS_getsockopt, fd_of(r), at(r, 1), at(r, 2), &time, &size));
    if (out.ret == 0) {
      out.value = {static_cast<int>(time.tv_sec), static_cast<int>(time.tv_usec)};
    }
    return;
  }
  int values[8] = {};
  socklen_t size = sizeof values;
  finish(out, syscall(SYS_getsockopt, fd_of(r), at(r, 1), at(r, 2), values, &size));
  if (out.ret == 0) {
    out.value.assign(values, values + std::max<size_t>(size / sizeof(int), 1));
  }
}

void epoll_control(const Request& r, Outcome& out) {
  epoll_event event{};
  event.events = static_cast<uint32_t>(at(r, 3));
  event.data.u64 = r.token;
  finish(out, syscall(SYS_epoll_ctl, fd_of(r), at(r, 1), at(r, 2), &event));
}

/// sigset_t as the kernel takes it, eight bytes.
uint64_t set_of(const Request& r) {
  uint64_t set = 0;
  if (r.signals) {
    for (const int signal : *r.signals) {
      set |= uint64_t{1} << (signal - 1);
    }
  }
  return set;
}

void set_timer(const Request& r, Outcome& out) {
  const auto time = [](long ns) { return timespec{ns / 1000000000, ns % 1000000000}; };
  const itimerspec timer{time(r.numbers[2]), time(r.numbers[1])};
  finish(out, syscall(SYS_timerfd_settime, fd_of(r), 0, &timer, nullptr));
}

void change_mask(const Request& r, Outcome& out) {
  const uint64_t set = set_of(r);
  finish(out, syscall(SYS_rt_sigprocmask, at(r, 0), &set, nullptr, sizeof set));
}

void epoll_wait_for(const Request& r, Outcome& out) {
  const long most = at(r, 1);
  std::vector<epoll_event> events(most > 0 && most <= 65536 ? static_cast<size_t>(most) : 1);
  const uint64_t mask = set_of(r);
  if (syscall_number(r.call) == SYS_epoll_pwait) {
    finish(out, syscall(SYS_epoll_pwait, fd_of(r), events.data(), most, at(r, 2), r.signals ? &mask : nullptr, 8));
  } else {
    finish(out, syscall(syscall_number(r.call), fd_of(r), events.data(), most, at(r, 2)));
  }
  if (out.ret >= 0) {
    out.events.emplace();
    for (size_t i = 0; i < static_cast<size_t>(out.ret); ++i) {
      out.events->push_back({events[i].events, events[i].data.u64});
    }
  }
}

void poll_for(const Request& r, Outcome& out) {
  std::vector<pollfd> fds;
  for (const Request::Poll& p : r.polls) {
    fds.push_back({p.fd, p.events, 0});
  }
  const long timeout = at(r, 0);
  const timespec limit{timeout / 1000, timeout % 1000 * 1000000};
  const uint64_t mask = set_of(r);
  if (syscall_number(r.call) == SYS_ppoll) {
    finish(out,
           syscall(SYS_ppoll, fds.data(), fds.size(), timeout < 0 ? nullptr : &limit, r.signals ? &mask : nullptr, 8));
  } else {
    finish(out, syscall(syscall_number(r.call), fds.data(), fds.size(), timeout));
  }
  if (out.ret >= 0) {
    out.events.emplace();
    for (size_t i = 0; i < fds.size(); ++i) {
      if (fds[i].revents != 0) {
        out.events->push_back({static_cast<uint16_t>(fds[i].revents), r.polls[i].token});
      }
    }
  }
}

void select_for(const Request& r, Outcome& out) {
  fd_set in, ex, other;
  FD_ZERO(&in);
  FD_ZERO(&other);
  FD_ZERO(&ex);
  const auto set_for = [&](short events) { return events == POLLIN ? &in : events == POLLOUT ? &other : &ex; };
  int most = 0;
  for (const Request::Poll& p : r.polls) {
    if (p.fd >= 0 && p.fd < FD_SETSIZE) {
      FD_SET(p.fd, set_for(p.events));
      most = std::max(most, p.fd + 1);
    }
  }
  const long timeout = at(r, 0);
  timespec limit{timeout / 1000, timeout % 1000 * 1000000};
  finish(out, syscall(SYS_pselect6, most, &in, &other, &ex, timeout < 0 ? nullptr : &limit, nullptr));
  if (out.ret >= 0) {
    out.events.emplace();
    for (const Request::Poll& p : r.polls) {
      if (p.fd >= 0 && p.fd < FD_SETSIZE && FD_ISSET(p.fd, set_for(p.events))) {
        out.events->push_back({static_cast<uint16_t>(p.events), p.token});
      }
    }
  }
}

void make_pair(const Request& r, Outcome& out) {
  int fds[2] = {-1, -1};
  finish(out, r.call == Call::pipe2 ? syscall(SYS_pipe2, fds, at(r, 0))
                                    : syscall(SYS_socketpair, at(r, 0), at(r, 1), at(r, 2), fds));
  if (out.ret == 0) {
    out.fds = {fds[0], fds[1]};
  }
}

void with_address(const Request& r, Outcome& out) {
  sockaddr_storage address{};
  const socklen_t size = to_sockaddr(r.address, address);
  if (r.call == Call::sendto) {
    finish(out, syscall(SYS_sendto, fd_of(r), r.data.data(), r.data.size(), at(r, 1), &address, size));
  } else {
    finish(out, syscall(r.call == Call::bind ? SYS_bind : SYS_connect, fd_of(r), &address, size));
  }
}

}  // namespace

Outcome perform(const Request& r) {
  Outcome out;
  switch (r.call) {
    case Call::socket:
      finish(out, syscall(SYS_socket, at(r, 0), at(r, 1), at(r, 2)));
      break;
    case Call::bind:
    case Call::connect:
    case Call::sendto:
      with_address(r, out);
      break;
    case Call::listen:
      finish(out, syscall(SYS_listen, fd_of(r), at(r, 1)));
      break;
    case Call::accept:
      finish(out, syscall(SYS_accept, fd_of(r), nullptr, nullptr));
      break;
    case Call::accept4:
      finish(out, syscall(SYS_accept4, fd_of(r), nullptr, nullptr, at(r, 1)));
      break;
    case Call::read:
    case Call::recv:
    case Call::recvfrom:
      receive(r, out);
      break;
    case Call::readv:
      receive_pieces(r, out);
      break;
    case Call::write:
      finish(out, syscall(SYS_write, fd_of(r), r.data.data(), r.data.size()));
      break;
    case Call::send:
      finish(out, syscall(SYS_sendto, fd_of(r), r.data.data(), r.data.size(), at(r, 1), nullptr, 0));
      break;
    case Call::writev:
    case Call::sendmsg:
      send_pieces(r, out);
      break;
    case Call::recvmsg:
      receive_message(r, out);
      break;
    case Call::shutdown:
      finish(out, syscall(SYS_shutdown, fd_of(r), at(r, 1)));
      break;
    case Call::close:
      finish(out, syscall(SYS_close, fd_of(r)));
      break;
    case Call::fcntl:
      finish(out, syscall(SYS_fcntl, fd_of(r), at(r, 1), at(r, 2)));
      break;
    case Call::ioctl: {
      int number = static_cast<int>(at(r, 2));
      finish(out, syscall(SYS_ioctl, fd_of(r), at(r, 1), &number));
      if (out.ret == 0 && at(r, 1) != FIONBIO) {
        out.value = {number};
      }
      break;
    }
    case Call::getsockname:
    case Call::getpeername:
      name_of_socket(r, out);
      break;
    case Call::setsockopt:
      set_option(r, out);
      break;
    case Call::getsockopt:
      get_option(r, out);
      break;
    case Call::pipe2:
    case Call::socketpair:
      make_pair(r, out);
      break;
    case Call::eventfd:
      finish(out, syscall(SYS_eventfd2, at(r, 0), at(r, 1)));
      break;
    case Call::memfd_create:
      finish(out, syscall(SYS_memfd_create, r.data.c_str(), at(r, 0)));
      break;
    case Call::lseek:
      finish(out, syscall(SYS_lseek, fd_of(r), at(r, 1), at(r, 2)));
      break;
    case Call::dup:
      finish(out, syscall(SYS_dup, fd_of(r)));
      break;
    case Call::dup2:
      // dup3() refuses equal numbers, dup2() gives them back; not every machine has dup2
      finish(out, at(r, 0) == at(r, 1) ? (fcntl(fd_of(r), F_GETFD) < 0 ? -1 : at(r, 0))
                                       : syscall(SYS_dup3, fd_of(r), at(r, 1), 0));
      break;
    case Call::epoll_create1:
      finish(out, syscall(SYS_epoll_create1, at(r, 0)));
      break;
    case Call::epoll_ctl:
      epoll_control(r, out);
      break;
    case Call::epoll_wait:
    case Call::epoll_pwait:
      epoll_wait_for(r, out);
      break;
    case Call::poll:
    case Call::ppoll:
      poll_for(r, out);
      break;
    case Call::select:
      select_for(r, out);
      break;
    case Call::timerfd_create:
      finish(out, syscall(SYS_timerfd_create, at(r, 0), at(r, 1)));
      break;
    case Call::timerfd_settime:
      set_timer(r, out);
      break;
    case Call::signalfd4: {
      const uint64_t set = set_of(r);
      finish(out, syscall(SYS_signalfd4, -1, &set, sizeof set, at(r, 0)));
      break;
    }
    case Call::sigprocmask:
      change_mask(r, out);
      break;
    default:
      out.ret = -1;
      out.error = ENOSYS;
      break;
  }
  return out;
}

long syscall_number(Call call) {
  switch (call) {
    case Call::accept:
      return SYS_accept;
    case Call::accept4:
      return SYS_accept4;
    case Call::connect:
      return SYS_connect;
    case Call::read:
      return SYS_read;
    case Call::readv:
      return SYS_readv;
    case Call::write:
      return SYS_write;
    case Call::writev:
      return SYS_writev;
    case Call::send:
    case Call::sendto:
      return SYS_sendto;
    case Call::sendmsg:
      return SYS_sendmsg;
    case Call::recv:
    case Call::recvfrom:
      return SYS_recvfrom;
    case Call::recvmsg:
      return SYS_recvmsg;
    case Call::close:
      return SYS_close;
    case Call::epoll_wait:
#ifdef SYS_epoll_wait
      return SYS_epoll_wait;
#else
      return SYS_epoll_pwait;
#endif
    case Call::epoll_pwait:
      return SYS_epoll_pwait;
    case Call::ppoll:
      return SYS_ppoll;
    case Call::select:
      return SYS_pselect6;
    case Call::poll:
#ifdef SYS_poll
      return SYS_poll;
#else
      return SYS_ppoll;
#endif
    default:
      return -1;
  }
}

}  // namespace wakepath::scenario
