// What addr() and `expect` read out of the running kernel, and what must be remembered for them.

#include <linux/sockios.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <sys/ioctl.h>
#include <sys/socket.h>

#include <algorithm>

#include "src/scenario/kernel_calls.hh"
#include "src/scenario/kernel_machine.hh"

namespace wakepath::scenario {

std::string KernelMachine::asleep_in(const std::string& name) {
  return innermost(stack_of(actors_.at(name).worker->tid()));
}

void KernelMachine::remember_if_asked() {
  if (asked_) {
    remember();
  }
}

/// Learns which sockets are behind the open descriptors.
void KernelMachine::remember() {
  if (diag_ == nullptr) {
    return;
  }
  sockets_ = diag_->sockets();
  for (const auto& [name, process] : processes_) {
    if (process.actors == 0) {
      continue;
    }
    for (const int fd : open_descriptors(process.observer->tid())) {
      const uint64_t inode = fd > 2 ? socket_inode(process.observer->tid(), fd) : 0;
      if (fd <= 2) {
        continue;
      }
      Known& known = known_[{name, fd}];
      if (known.inode != inode) {
        known = {inode, "", ""};
      }
      for (const TcpSocket& s : sockets_) {
        if (inode != 0 && s.inode == inode) {
          known.local = s.local;
          known.remote = s.remote;
          ports_.insert(s.local_port);
        }
      }
    }
  }
}

std::optional<Address> KernelMachine::address(const std::string& process, int fd, bool peer) {
  std::optional<Address> out;
  Process& owner = processes_.at(process);
  if (owner.actors == 0) {
    return out;
  }
  owner.observer->call([&] {
    sockaddr_storage name{};
    socklen_t size = sizeof name;
    auto* generic = reinterpret_cast<sockaddr*>(&name);
    if ((peer ? getpeername(fd, generic, &size) : getsockname(fd, generic, &size)) == 0) {
      out = from_sockaddr(name, size);
    }
  });
  return out;
}

/// The socket behind a descriptor, or, when that has been closed, what the kernel still keeps of its connection.
const TcpSocket* KernelMachine::find_socket(const std::string& process, int fd) {
  remember();
  const auto known = known_.find({process, fd});
  if (known == known_.end() || known->second.inode == 0) {
    return nullptr;
  }
  const TcpSocket* own = nullptr;
  const TcpSocket* rest = nullptr;  // TIME_WAIT has no inode
  for (const TcpSocket& s : sockets_) {
    if (s.inode == known->second.inode) own = &s;
    if (s.inode == 0 && s.local == known->second.local && s.remote == known->second.remote) rest = &s;
  }
  // a socket that bind() named stays in the dump after its connection has gone into TIME_WAIT (since 6.8)
  const bool over = own != nullptr && own->state == TCP_CLOSE;
  return own == nullptr || (over && rest != nullptr) ? rest : own;
}

Observation KernelMachine::queued(const std::string& process, int fd, unsigned long what) {
  Process& owner = processes_.at(process);
  int number = -1;
  int result = -1;
  if (owner.actors > 0) {
    owner.observer->call([&] { result = ioctl(fd, what, &number); });
  }
  return result == 0 ? Observation::number(number) : Observation{};
}

Observation KernelMachine::observe(const std::string& process, int fd, const std::string& field) {
  if (field == "recv_bytes") {
    return queued(process, fd, SIOCINQ);
  }
  if (field == "send_bytes") {
    return queued(process, fd, SIOCOUTQ);
  }
  if (field == "inode") {
    const auto inode = file_inode(processes_.at(process).observer->tid(), fd);
    return inode ? Observation::number(static_cast<long>(*inode)) : Observation{};
  }
  if (field == "items" || field == "ready_list") {
    return list_length(process, fd, field);
  }
  if (field != "state" && field != "accept_queue" && field != "backlog") {
    return {};
  }
  const TcpSocket* s = find_socket(process, fd);
  const auto known = known_.find({process, fd});
  if (s == nullptr && known != known_.end() && known->second.inode != 0) {
    if (const std::optional<UnixSocket> u = diag_->unix_socket(known->second.inode)) {
      return field == "state"              ? Observation::number(u->state)
             : u->state != 10 /* LISTEN */ ? Observation{}
             : field == "accept_queue"     ? Observation::number(u->receive_queue)
                                           : Observation::number(u->send_queue);
    }
  }
  if (field == "state") {
    const bool is_socket = known_.count({process, fd}) > 0 && known_.at({process, fd}).inode != 0;
    return s != nullptr ? Observation::number(s->state)
           : is_socket  ? Observation::number(7 /* CLOSE */)
                        : Observation{};
  }
  if (s == nullptr || s->state != 10 /* LISTEN */) {
    return {};
  }
  return Observation::number(field == "accept_queue" ? s->receive_queue : s->send_queue);
}

Observation KernelMachine::list_length(const std::string& process, int fd, const std::string& list) {
  Process& owner = processes_.at(process);
  if (owner.actors == 0) {
    return {};
  }
  const auto items = epoll_items(owner.observer->tid(), fd);
  if (!items) {
    return {};
  }
  if (list == "items") {
    return Observation::number(static_cast<long>(items->size()));
  }
  pollfd ask{fd, POLLIN, 0};
  owner.observer->call([&] { poll(&ask, 1, 0); });
  return (ask.revents & POLLIN) != 0 ? Observation::at_least(1) : Observation::number(0);
}

std::optional<Duration> KernelMachine::runs_out(const std::string& process, int fd) {
  Process& owner = processes_.at(process);
  const auto left = owner.actors > 0 ? timerfd_left(owner.observer->tid(), fd) : std::nullopt;
  return left && *left > Duration::zero() ? std::optional<Duration>(*left) : std::nullopt;
}

std::vector<int> KernelMachine::watched_for_reading(const std::string& process, int fd) {
  Process& owner = processes_.at(process);
  const auto items = owner.actors > 0 ? epoll_items(owner.observer->tid(), fd) : std::nullopt;
  std::vector<int> out;
  for (const EpollItem& item : items.value_or(std::vector<EpollItem>())) {
    if ((item.events & static_cast<uint32_t>(POLLIN)) != 0) {
      out.push_back(item.fd);
    }
  }
  return out;
}

Observation KernelMachine::contains(const std::string& process, int fd, const std::string& list, int member) {
  Process& owner = processes_.at(process);
  const auto items = owner.actors > 0 ? epoll_items(owner.observer->tid(), fd) : std::nullopt;
  if (!items) {
    return {};
  }
  const bool listed = std::any_of(items->begin(), items->end(), [&](const EpollItem& i) { return i.fd == member; });
  if (list == "items" || !listed) {
    return Observation::number(listed ? 1 : 0);
  }
  const Observation length = list_length(process, fd, list);
  return length.high == 0 ? Observation::number(0) : Observation{true, 0, 1};
}

}  // namespace wakepath::scenario
