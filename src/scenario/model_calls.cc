#include "src/scenario/model_calls.hh"

#include <fmt/format.h>
#include <poll.h>
#include <sys/ioctl.h>
#include <sys/select.h>
#include <sys/socket.h>

#include <algorithm>
#include <csignal>

#include "src/scenario/model_address.hh"
#include "src/scenario/model_machine.hh"

namespace wakepath::scenario {
namespace {

std::optional<kernel::signal_set> to_model(const std::optional<std::vector<int>>& signals) {
  if (!signals) {
    return std::nullopt;
  }
  unsigned set = 0;
  for (const int signal : *signals) {
    set |= kernel::signal_bit(signal);
  }
  return static_cast<kernel::signal_set>(set);
}

/// The set of select() that a descriptor stands in: the runner says it with a poll event.
std::vector<bool>& set_of(kernel::SelectSets& sets, short events) {
  return events == POLLIN ? sets.in : events == POLLOUT ? sets.out : sets.ex;
}

kernel::UserPointer to_model(Pointer at) {
  return at == Pointer::good   ? kernel::UserPointer::kGood
         : at == Pointer::null ? kernel::UserPointer::kNull
                               : kernel::UserPointer::kOutside;
}

std::vector<kernel::UserPointer> to_model(const std::vector<Pointer>& places) {
  std::vector<kernel::UserPointer> out;
  for (const Pointer at : places) {
    out.push_back(to_model(at));
  }
  return out;
}

kernel::BadAddress bad_address(const Request& r) { return {to_model(r.address_at), to_model(r.length_at)}; }

/// `good`, or where the file says that the pointer leads.
template <typename T>
T* place(Pointer at, T* good) {
  return at == Pointer::good   ? good
         : at == Pointer::null ? nullptr
                               : reinterpret_cast<T*>(kernel::outside_user_space());
}

/// A call of which nothing but a pointer counts, in words.
std::string nowhere(const Request& r, const std::string& before, Pointer at) {
  return fmt::format("{}({}{}{}, …)", r.name, before, before.empty() ? "" : ", ",
                     at == Pointer::null ? "NULL" : "OUTSIDE");
}

int at(const Request& r, size_t index) { return index < r.numbers.size() ? static_cast<int>(r.numbers[index]) : 0; }

}  // namespace

kernel::MaySleep<long> ModelMachine::call(Actor& actor) {
  using namespace kernel;
  const Request& r = actor.request;
  Kernel& k = *kernel_;
  for (Fault& fault : actor.faults) {
    if (fault.call->call == r.call && fault.times > 0) {
      --fault.times;
      return sys_refused(k, r.name + "(…)", fault.error);
    }
  }
  switch (r.call) {
    case scenario::Call::timerfd_create:
      return sys_timerfd_create(k, at(r, 0), at(r, 1));
    case scenario::Call::timerfd_settime:
      if (r.buffer != Pointer::good)
        return sys_without_argument(k, Fn::__x64_sys_timerfd_settime, nowhere(r, fmt::to_string(at(r, 0)), r.buffer));
      return sys_timerfd_settime(k, at(r, 0), static_cast<u64>(r.numbers[1]), static_cast<u64>(r.numbers[2]));
    case scenario::Call::signalfd4:
      if (r.signals_at != Pointer::good)
        return sys_without_argument(k, Fn::__x64_sys_signalfd4, nowhere(r, "", r.signals_at));
      return sys_signalfd4(k, to_model(r.signals).value_or(NO_SIGNALS), at(r, 0));
    case scenario::Call::read:
    case scenario::Call::recv:
    case scenario::Call::recvfrom:
    case scenario::Call::write:
    case scenario::Call::send:
    case scenario::Call::sendto:
      return call_with_bytes(actor);
    case scenario::Call::close:
      return sys_close(k, at(r, 0));
    case scenario::Call::dup:
      return sys_dup(k, at(r, 0));
    case scenario::Call::dup2:
      return sys_dup2(k, at(r, 0), at(r, 1));
    case scenario::Call::dup3:
      return sys_dup3(k, at(r, 0), at(r, 1), at(r, 2));
    case scenario::Call::setrlimit:
      return sys_setrlimit_nofile(k, static_cast<u64>(r.numbers[1]));
    case scenario::Call::execve:
      return sys_execve(k);
    case scenario::Call::ioctl:
      actor.value = {at(r, 2)};
      return sys_ioctl(k, at(r, 0), static_cast<unsigned>(at(r, 1)),
                       r.buffer == Pointer::good ? actor.value.data() : nullptr);
    case scenario::Call::fcntl:
      return sys_fcntl(k, at(r, 0), at(r, 1), at(r, 2));
    case scenario::Call::readv:
    case scenario::Call::writev:
    case scenario::Call::sendmsg:
    case scenario::Call::recvmsg:
      return call_with_pieces(actor);
    case scenario::Call::socketpair:
      return sys_socketpair(k, at(r, 0), at(r, 1), at(r, 2), r.buffer == Pointer::good ? actor.fds : nullptr);
    case scenario::Call::pipe2:
      return sys_pipe2(k, r.buffer == Pointer::good ? actor.fds : nullptr, at(r, 0));
    case scenario::Call::epoll_create1:
      return sys_epoll_create1(k, at(r, 0));
    case scenario::Call::epoll_ctl:
      return r.buffer != Pointer::good
                 ? sys_epoll_ctl(k, at(r, 0), at(r, 1), at(r, 2), nullptr)
                 : sys_epoll_ctl(k, at(r, 0), at(r, 1), at(r, 2), {static_cast<u32>(r.numbers[3]), r.token});
    case scenario::Call::eventfd:
      return sys_eventfd2(k, static_cast<unsigned>(at(r, 0)), at(r, 1));
    case scenario::Call::memfd_create:
      if (r.buffer != Pointer::good) return sys_memfd_create(k, to_model(r.buffer), static_cast<unsigned>(at(r, 0)));
      return sys_memfd_create(k, r.data, static_cast<unsigned>(at(r, 0)));
    case scenario::Call::lseek:
      return sys_lseek(k, at(r, 0), r.numbers[1], at(r, 2));
    case scenario::Call::sigprocmask:
      if (r.signals_at == Pointer::null)  // nothing is asked for
        return sys_sigprocmask(k, SIG_BLOCK, NO_SIGNALS);
      if (r.signals_at == Pointer::outside)
        return sys_without_argument(k, Fn::__x64_sys_rt_sigprocmask, nowhere(r, "", r.signals_at));
      return sys_sigprocmask(k, at(r, 0), to_model(r.signals).value_or(NO_SIGNALS));
    case scenario::Call::epoll_wait:
    case scenario::Call::epoll_pwait:
    case scenario::Call::poll:
    case scenario::Call::ppoll:
    case scenario::Call::select:
      return call_that_waits(actor);
    default:
      return call_on_socket(actor);
  }
}

kernel::MaySleep<long> ModelMachine::call_that_waits(Actor& actor) {
  using namespace kernel;
  const Request& r = actor.request;
  Kernel& k = *kernel_;
  if (r.signals_at == Pointer::outside)
    return sys_without_argument(k, r.call == scenario::Call::ppoll ? Fn::__x64_sys_ppoll : Fn::__x64_sys_epoll_pwait,
                                nowhere(r, "", r.signals_at));
  if (r.call == scenario::Call::epoll_wait || r.call == scenario::Call::epoll_pwait) {
    actor.events.assign(static_cast<size_t>(std::clamp(at(r, 1), 1, 65536)), {});
    user_epoll_event* const events = place(r.buffer, actor.events.data());
    return r.call == scenario::Call::epoll_wait
               ? sys_epoll_wait(k, at(r, 0), events, at(r, 1), at(r, 2))
               : sys_epoll_pwait(k, at(r, 0), events, at(r, 1), at(r, 2), to_model(r.signals));
  }
  if (r.call == scenario::Call::select) {
    if (r.buffer == Pointer::outside) {
      return sys_select(k, 1, nullptr, 0);
    }
    int n = 0;
    actor.sets = {};
    for (const Request::Poll& p : r.polls) {
      std::vector<bool>& set = set_of(actor.sets, p.events);
      if (p.fd >= 0 && p.fd < FD_SETSIZE) {
        n = std::max(n, p.fd + 1);
        set.resize(std::max(set.size(), static_cast<size_t>(p.fd) + 1));
        set[static_cast<size_t>(p.fd)] = true;
      }
    }
    return sys_select(k, n, &actor.sets, at(r, 0));
  }
  actor.polls.clear();
  for (const Request::Poll& p : r.polls) {
    actor.polls.push_back({p.fd, p.events, 0});
  }
  struct pollfd* const fds = place(r.buffer, actor.polls.data());
  const size_t count = r.buffer == Pointer::good ? actor.polls.size() : 1;
  return r.call == scenario::Call::poll ? sys_poll(k, fds, count, at(r, 0))
                                        : sys_ppoll(k, fds, count, at(r, 0), to_model(r.signals));
}

/// Calls with one buffer.
kernel::MaySleep<long> ModelMachine::call_with_bytes(Actor& actor) {
  using namespace kernel;
  const Request& r = actor.request;
  Kernel& k = *kernel_;
  const bool receives =
      r.call == scenario::Call::read || r.call == scenario::Call::recv || r.call == scenario::Call::recvfrom;
  actor.buffer = receives ? std::string(static_cast<size_t>(r.numbers[1]), '\0') : r.data;
  char* const bytes = place(r.buffer, actor.buffer.data());
  const size_t size = actor.buffer.size();
  switch (r.call) {
    case scenario::Call::read:
      return sys_read(k, at(r, 0), bytes, size);
    case scenario::Call::recv:
      return sys_recv(k, at(r, 0), bytes, size, at(r, 2));
    case scenario::Call::recvfrom:
      actor.from.reset();
      return sys_recvfrom(k, at(r, 0), bytes, size, at(r, 2), &actor.from, bad_address(r));
    case scenario::Call::write:
      return sys_write(k, at(r, 0), bytes, size);
    case scenario::Call::send:
      return sys_send(k, at(r, 0), bytes, size, at(r, 1));
    default:
      if (r.address_at != Pointer::good) return sys_sendto(k, at(r, 0), bytes, size, at(r, 1), to_model(r.address_at));
      return sys_sendto(k, at(r, 0), bytes, size, at(r, 1), to_model(r.address));
  }
}

/// Calls with several buffers, or with descriptors in a message.
kernel::MaySleep<long> ModelMachine::call_with_pieces(Actor& actor) {
  using namespace kernel;
  const Request& r = actor.request;
  Kernel& k = *kernel_;
  if (r.call == scenario::Call::writev) {
    return sys_writev(k, at(r, 0), r.pieces, to_model(r.pieces_at), to_model(r.buffer));
  }
  if (r.call == scenario::Call::sendmsg) {
    return sys_sendmsg(k, at(r, 0), r.pieces, r.rights, at(r, 1), to_model(r.pieces_at), to_model(r.buffer));
  }
  if (r.call == scenario::Call::recvmsg) {
    actor.rights.clear();
    actor.buffer.assign(static_cast<size_t>(r.numbers[1]), '\0');
    return sys_recvmsg(k, at(r, 0), place(r.buffer, actor.buffer.data()), actor.buffer.size(), at(r, 2), &actor.rights);
  }
  std::vector<UserPiece> pieces;
  size_t whole = 0;
  for (size_t i = 1; i < r.numbers.size(); ++i) {
    pieces.push_back({static_cast<size_t>(r.numbers[i]), to_model(r.pieces_at[i - 1])});
    whole += pieces.back().size;
  }
  actor.buffer.assign(whole, '\0');
  return sys_readv(k, at(r, 0), actor.buffer.data(), std::move(pieces), to_model(r.buffer));
}

kernel::MaySleep<long> ModelMachine::call_on_socket(Actor& actor) {
  using namespace kernel;
  const Request& r = actor.request;
  Kernel& k = *kernel_;
  if (r.address_at != Pointer::good || r.length_at != Pointer::good || r.buffer != Pointer::good) {
    return call_on_socket_to_nowhere(r);
  }
  switch (r.call) {
    case scenario::Call::socket:
      return sys_socket(k, at(r, 0), at(r, 1), at(r, 2));
    case scenario::Call::bind:
      return sys_bind(k, at(r, 0), to_model(r.address));
    case scenario::Call::listen:
      return sys_listen(k, at(r, 0), at(r, 1));
    case scenario::Call::accept:
      return sys_accept(k, at(r, 0), nullptr);
    case scenario::Call::accept4:
      return sys_accept4(k, at(r, 0), nullptr, at(r, 1));
    case scenario::Call::connect:
      return sys_connect(k, at(r, 0), to_model(r.address));
    case scenario::Call::shutdown:
      return sys_shutdown(k, at(r, 0), at(r, 1));
    case scenario::Call::getsockname:
      return sys_getsockname(k, at(r, 0), &actor.address);
    case scenario::Call::getpeername:
      return sys_getpeername(k, at(r, 0), &actor.address);
    case scenario::Call::setsockopt:
      return sys_setsockopt(k, at(r, 0), at(r, 1), at(r, 2), r.value);
    case scenario::Call::getsockopt:
      return sys_getsockopt(k, at(r, 0), at(r, 1), at(r, 2), &actor.value);
    default:
      throw Unavailable("the model does not know " + r.name);  // unknown() has refused it before
  }
}

/// The same with an address, a value or a length that is not there.
kernel::MaySleep<long> ModelMachine::call_on_socket_to_nowhere(const Request& r) {
  using namespace kernel;
  Kernel& k = *kernel_;
  switch (r.call) {
    case scenario::Call::bind:
      return sys_bind(k, at(r, 0), to_model(r.address_at));
    case scenario::Call::connect:
      return sys_connect(k, at(r, 0), to_model(r.address_at));
    case scenario::Call::getsockname:
      return sys_getsockname(k, at(r, 0), bad_address(r));
    case scenario::Call::getpeername:
      return sys_getpeername(k, at(r, 0), bad_address(r));
    case scenario::Call::setsockopt:
      return sys_setsockopt(k, at(r, 0), at(r, 1), at(r, 2), to_model(r.buffer));
    case scenario::Call::getsockopt:
      return sys_getsockopt(k, at(r, 0), at(r, 1), at(r, 2), to_model(r.buffer), to_model(r.length_at));
    case scenario::Call::accept:
      return sys_accept(k, at(r, 0), bad_address(r));
    default:
      return sys_accept4(k, at(r, 0), bad_address(r), at(r, 1));
  }
}

Outcome ModelMachine::outcome(Actor& actor) {
  Outcome out;
  const long result = actor.task->call_result();
  out.ret = result < 0 ? -1 : result;
  out.error = result < 0 ? static_cast<int>(-result) : 0;
  if (result < 0) {
    return out;
  }
  switch (actor.request.call) {
    case Call::recvfrom:
      if (actor.from) {
        out.address = from_model(*actor.from);
      }
      [[fallthrough]];
    case Call::recvmsg:
      if (actor.request.call == Call::recvmsg) {
        out.fds = actor.rights;
      }
      [[fallthrough]];
    case Call::recv:
    case Call::read:
    case Call::readv:
      out.data = actor.buffer.substr(0, static_cast<size_t>(result));
      break;
    case Call::poll:
    case Call::ppoll:
      out.events.emplace();
      for (size_t i = 0; i < actor.polls.size(); ++i) {
        if (actor.polls[i].revents != 0) {
          out.events->push_back({static_cast<uint16_t>(actor.polls[i].revents), actor.request.polls[i].token});
        }
      }
      break;
    case Call::select:
      out.events.emplace();
      for (const Request::Poll& p : actor.request.polls) {
        const std::vector<bool>& set = set_of(actor.sets, p.events);
        if (p.fd >= 0 && static_cast<size_t>(p.fd) < set.size() && set[static_cast<size_t>(p.fd)]) {
          out.events->push_back({static_cast<uint16_t>(p.events), p.token});
        }
      }
      break;
    case Call::epoll_wait:
    case Call::epoll_pwait:
      out.events.emplace();
      for (size_t i = 0; i < static_cast<size_t>(result); ++i) {
        out.events->push_back({actor.events[i].events, actor.events[i].data});
      }
      break;
    case Call::getsockname:
    case Call::getpeername:
      out.address = from_model(actor.address);
      break;
    case Call::getsockopt:
      out.value = actor.value;
      break;
    case Call::ioctl:
      if (actor.request.numbers[1] != FIONBIO) {
        out.value = actor.value;
      }
      break;
    case Call::pipe2:
    case Call::socketpair:
      out.fds = {actor.fds[0], actor.fds[1]};
      break;
    default:
      break;
  }
  return out;
}

}  // namespace wakepath::scenario
