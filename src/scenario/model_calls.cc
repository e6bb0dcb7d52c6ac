#include "src/scenario/model_calls.hh"

#include <poll.h>
#include <sys/ioctl.h>
#include <sys/select.h>
#include <sys/socket.h>

#include <algorithm>
#include <numeric>

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
      return sys_timerfd_settime(k, at(r, 0), static_cast<u64>(r.numbers[1]), static_cast<u64>(r.numbers[2]));
    case scenario::Call::signalfd4:
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
    case scenario::Call::ioctl:
      actor.value = {at(r, 2)};
      return sys_ioctl(k, at(r, 0), static_cast<unsigned>(at(r, 1)), actor.value.data());
    case scenario::Call::fcntl:
      return sys_fcntl(k, at(r, 0), at(r, 1), at(r, 2));
    case scenario::Call::readv:
    case scenario::Call::writev:
    case scenario::Call::sendmsg:
    case scenario::Call::recvmsg:
      return call_with_pieces(actor);
    case scenario::Call::socketpair:
      return sys_socketpair(k, at(r, 0), at(r, 1), at(r, 2), actor.fds);
    case scenario::Call::pipe2:
      return sys_pipe2(k, actor.fds, at(r, 0));
    case scenario::Call::epoll_create1:
      return sys_epoll_create1(k, at(r, 0));
    case scenario::Call::epoll_ctl:
      return r.null ? sys_epoll_ctl(k, at(r, 0), at(r, 1), at(r, 2), nullptr)
                    : sys_epoll_ctl(k, at(r, 0), at(r, 1), at(r, 2), {static_cast<u32>(r.numbers[3]), r.token});
    case scenario::Call::eventfd:
      return sys_eventfd2(k, static_cast<unsigned>(at(r, 0)), at(r, 1));
    case scenario::Call::memfd_create:
      return sys_memfd_create(k, r.data, static_cast<unsigned>(at(r, 0)));
    case scenario::Call::lseek:
      return sys_lseek(k, at(r, 0), r.numbers[1], at(r, 2));
    case scenario::Call::sigprocmask:
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
  if (r.call == scenario::Call::epoll_wait || r.call == scenario::Call::epoll_pwait) {
    actor.events.assign(static_cast<size_t>(std::clamp(at(r, 1), 1, 65536)), {});
    user_epoll_event* const events = r.null ? nullptr : actor.events.data();
    return r.call == scenario::Call::epoll_wait
               ? sys_epoll_wait(k, at(r, 0), events, at(r, 1), at(r, 2))
               : sys_epoll_pwait(k, at(r, 0), events, at(r, 1), at(r, 2), to_model(r.signals));
  }
  if (r.call == scenario::Call::select) {
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
  return r.call == scenario::Call::poll
             ? sys_poll(k, actor.polls.data(), actor.polls.size(), at(r, 0))
             : sys_ppoll(k, actor.polls.data(), actor.polls.size(), at(r, 0), to_model(r.signals));
}

/// Calls with one buffer.
kernel::MaySleep<long> ModelMachine::call_with_bytes(Actor& actor) {
  using namespace kernel;
  const Request& r = actor.request;
  Kernel& k = *kernel_;
  const bool receives =
      r.call == scenario::Call::read || r.call == scenario::Call::recv || r.call == scenario::Call::recvfrom;
  actor.buffer = receives ? std::string(static_cast<size_t>(r.numbers[1]), '\0') : r.data;
  char* const bytes = actor.buffer.data();
  const size_t size = actor.buffer.size();
  switch (r.call) {
    case scenario::Call::read:
      return sys_read(k, at(r, 0), bytes, size);
    case scenario::Call::recv:
      return sys_recv(k, at(r, 0), bytes, size, at(r, 2));
    case scenario::Call::recvfrom:
      return sys_recvfrom(k, at(r, 0), bytes, size, at(r, 2), &actor.from);
    case scenario::Call::write:
      return sys_write(k, at(r, 0), bytes, size);
    case scenario::Call::send:
      return sys_send(k, at(r, 0), bytes, size, at(r, 1));
    default:
      return sys_sendto(k, at(r, 0), bytes, size, at(r, 1), to_model(r.address));
  }
}

/// Calls with several buffers, or with descriptors in a message.
kernel::MaySleep<long> ModelMachine::call_with_pieces(Actor& actor) {
  using namespace kernel;
  const Request& r = actor.request;
  Kernel& k = *kernel_;
  if (r.call == scenario::Call::writev) {
    return sys_writev(k, at(r, 0), r.pieces);
  }
  if (r.call == scenario::Call::sendmsg) {
    return sys_sendmsg(k, at(r, 0), r.pieces, r.rights, at(r, 1));
  }
  if (r.call == scenario::Call::recvmsg) {
    actor.rights.clear();
    actor.buffer.assign(static_cast<size_t>(r.numbers[1]), '\0');
    return sys_recvmsg(k, at(r, 0), actor.buffer.data(), actor.buffer.size(), at(r, 2), &actor.rights);
  }
  std::vector<size_t> sizes(r.numbers.begin() + 1, r.numbers.end());
  actor.buffer.assign(std::accumulate(sizes.begin(), sizes.end(), size_t{0}), '\0');
  return sys_readv(k, at(r, 0), actor.buffer.data(), std::move(sizes));
}

kernel::MaySleep<long> ModelMachine::call_on_socket(Actor& actor) {
  using namespace kernel;
  const Request& r = actor.request;
  Kernel& k = *kernel_;
  switch (r.call) {
    case scenario::Call::socket:
      return sys_socket(k, at(r, 0), at(r, 1), at(r, 2));
    case scenario::Call::bind:
      return sys_bind(k, at(r, 0), to_model(r.address));
    case scenario::Call::listen:
      return sys_listen(k, at(r, 0), at(r, 1));
    case scenario::Call::accept:
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
