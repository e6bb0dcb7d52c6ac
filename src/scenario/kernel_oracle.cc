#include "src/scenario/kernel_oracle.hh"

#include <arpa/inet.h>
#include <dirent.h>
#include <linux/inet_diag.h>
#include <linux/netlink.h>
#include <linux/rtnetlink.h>
#include <linux/sock_diag.h>
#include <linux/unix_diag.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include <fmt/format.h>

#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <fstream>

namespace wakepath::scenario {
namespace {

constexpr uint32_t kAllStates = ~0u;
constexpr uint32_t kSendingStates = 1u << 1 | 1u << 4 | 1u << 8 | 1u << 9 | 1u << 11;

}  // namespace

SockDiag::SockDiag() {
  fd_ = socket(AF_NETLINK, SOCK_DGRAM | SOCK_CLOEXEC, NETLINK_SOCK_DIAG);
  if (fd_ >= 0) {
    const timeval limit{1, 0};
    setsockopt(fd_, SOL_SOCKET, SO_RCVTIMEO, &limit, sizeof limit);
    std::vector<TcpSocket> none;
    works_ = dump(AF_INET, kSendingStates, none);
  }
}

SockDiag::~SockDiag() {
  if (fd_ >= 0) {
    close(fd_);
  }
}

std::vector<TcpSocket> SockDiag::sockets() {
  std::vector<TcpSocket> out;
  if (works_) {
    dump(AF_INET, kAllStates, out);
    dump(AF_INET6, kAllStates, out);
  }
  return out;
}

std::vector<TcpSocket> SockDiag::sending_sockets(bool ipv6) {
  std::vector<TcpSocket> out;
  if (works_) {
    dump(AF_INET, kSendingStates, out);
    if (ipv6) {
      dump(AF_INET6, kSendingStates, out);
    }
  }
  return out;
}

namespace {

TcpSocket from_message(const inet_diag_msg& message) {
  TcpSocket s;
  s.family = message.idiag_family;
  s.state = message.idiag_state;
  const size_t length = message.idiag_family == AF_INET ? 4 : 16;
  const auto pair = [&](const void* ip, uint16_t port) {
    return std::string(static_cast<const char*>(ip), length) + std::string(reinterpret_cast<const char*>(&port), 2);
  };
  s.local = pair(message.id.idiag_src, message.id.idiag_sport);
  s.remote = pair(message.id.idiag_dst, message.id.idiag_dport);
  s.local_port = ntohs(message.id.idiag_sport);
  s.remote_port = ntohs(message.id.idiag_dport);
  s.inode = message.idiag_inode;
  s.receive_queue = message.idiag_rqueue;
  s.send_queue = message.idiag_wqueue;
  s.timer = message.idiag_timer;
  return s;
}

}  // namespace

bool SockDiag::dump(int family, uint32_t states, std::vector<TcpSocket>& out) {
  struct {
    nlmsghdr header;
    inet_diag_req_v2 request;
  } ask{};
  ask.header.nlmsg_len = sizeof ask;
  ask.header.nlmsg_type = SOCK_DIAG_BY_FAMILY;
  ask.header.nlmsg_flags = NLM_F_REQUEST | NLM_F_DUMP;
  ask.request.sdiag_family = static_cast<uint8_t>(family);
  ask.request.sdiag_protocol = IPPROTO_TCP;
  ask.request.idiag_states = states;
  if (send(fd_, &ask, sizeof ask, 0) != static_cast<ssize_t>(sizeof ask)) {
    return false;
  }
  alignas(nlmsghdr) char buffer[32768];
  while (true) {
    const ssize_t received = recv(fd_, buffer, sizeof buffer, 0);
    if (received <= 0) {
      return false;
    }
    const auto size = static_cast<size_t>(received);
    for (size_t at = 0; at + sizeof(nlmsghdr) <= size;) {
      nlmsghdr header;
      std::memcpy(&header, buffer + at, sizeof header);
      if (header.nlmsg_type == NLMSG_DONE) {
        return true;
      }
      if (header.nlmsg_type == NLMSG_ERROR || header.nlmsg_len < sizeof header || header.nlmsg_len > size - at) {
        return false;
      }
      if (header.nlmsg_type == SOCK_DIAG_BY_FAMILY && header.nlmsg_len >= NLMSG_LENGTH(sizeof(inet_diag_msg))) {
        inet_diag_msg message;
        std::memcpy(&message, buffer + at + NLMSG_HDRLEN, sizeof message);
        out.push_back(from_message(message));
      }
      at += NLMSG_ALIGN(header.nlmsg_len);
    }
  }
}

std::optional<UnixSocket> SockDiag::unix_socket(uint64_t inode) {
  struct {
    nlmsghdr header;
    unix_diag_req request;
  } ask{};
  ask.header.nlmsg_len = sizeof ask;
  ask.header.nlmsg_type = SOCK_DIAG_BY_FAMILY;
  ask.header.nlmsg_flags = NLM_F_REQUEST;
  ask.request.sdiag_family = AF_UNIX;
  ask.request.udiag_states = kAllStates;
  ask.request.udiag_ino = static_cast<uint32_t>(inode);
  ask.request.udiag_show = UDIAG_SHOW_RQLEN;
  ask.request.udiag_cookie[0] = ask.request.udiag_cookie[1] = ~0u;
  alignas(nlmsghdr) char buffer[4096];
  if (send(fd_, &ask, sizeof ask, 0) != static_cast<ssize_t>(sizeof ask)) {
    return std::nullopt;
  }
  const ssize_t received = recv(fd_, buffer, sizeof buffer, 0);
  const auto* header = reinterpret_cast<const nlmsghdr*>(buffer);
  if (received < static_cast<ssize_t>(NLMSG_LENGTH(sizeof(unix_diag_msg))) ||
      header->nlmsg_type != SOCK_DIAG_BY_FAMILY) {
    return std::nullopt;
  }
  unix_diag_msg message;
  std::memcpy(&message, buffer + NLMSG_HDRLEN, sizeof message);
  UnixSocket out{message.udiag_state, 0, 0};
  for (size_t at = NLMSG_LENGTH(sizeof message); at + sizeof(rtattr) <= static_cast<size_t>(received);) {
    rtattr attribute;
    std::memcpy(&attribute, buffer + at, sizeof attribute);
    if (attribute.rta_len < sizeof attribute) {
      break;
    }
    if (attribute.rta_type == UNIX_DIAG_RQLEN) {
      unix_diag_rqlen queues;
      std::memcpy(&queues, buffer + at + RTA_LENGTH(0), sizeof queues);
      out.receive_queue = queues.udiag_rqueue;
      out.send_queue = queues.udiag_wqueue;
    }
    at += RTA_ALIGN(attribute.rta_len);
  }
  return out;
}

uint64_t socket_inode(pid_t tid, int fd) {
  char target[64] = "";
  const std::string link = fmt::format("/proc/{}/fd/{}", tid, fd);
  const ssize_t size = readlink(link.c_str(), target, sizeof target - 1);
  unsigned long inode = 0;
  return size > 0 && std::sscanf(target, "socket:[%lu]", &inode) == 1 ? inode : 0;
}

std::optional<uint64_t> file_inode(pid_t tid, int fd) {
  struct stat status {};
  const std::string link = fmt::format("/proc/{}/fd/{}", tid, fd);
  return stat(link.c_str(), &status) == 0 ? std::optional<uint64_t>(status.st_ino) : std::nullopt;
}

std::vector<int> open_descriptors(pid_t tid) {
  std::vector<int> out;
  DIR* directory = opendir(fmt::format("/proc/{}/fd", tid).c_str());
  if (directory == nullptr) {
    return out;
  }
  while (const dirent* entry = readdir(directory)) {
    if (entry->d_name[0] != '.') {
      out.push_back(std::atoi(entry->d_name));
    }
  }
  closedir(directory);
  return out;
}

namespace {

/// Whether a descriptor is that kind of file without a place in the tree: "eventpoll", "timerfd".
bool is_anonymous(pid_t tid, int fd, const char* kind) {
  char target[64] = "";
  const std::string link = fmt::format("/proc/{}/fd/{}", tid, fd);
  return readlink(link.c_str(), target, sizeof target - 1) > 0 && std::strstr(target, kind) != nullptr;
}

}  // namespace

std::optional<std::vector<EpollItem>> epoll_items(pid_t tid, int fd) {
  if (!is_anonymous(tid, fd, "eventpoll")) {
    return std::nullopt;
  }
  std::vector<EpollItem> items;
  std::ifstream info(fmt::format("/proc/{}/fdinfo/{}", tid, fd));
  for (std::string line; std::getline(info, line);) {
    EpollItem item{};
    if (std::sscanf(line.c_str(), "tfd: %d events: %x", &item.fd, &item.events) == 2) {
      items.push_back(item);
    }
  }
  return items;
}

std::optional<std::chrono::nanoseconds> timerfd_left(pid_t tid, int fd) {
  if (!is_anonymous(tid, fd, "timerfd")) {
    return std::nullopt;
  }
  std::ifstream info(fmt::format("/proc/{}/fdinfo/{}", tid, fd));
  for (std::string line; std::getline(info, line);) {
    long long seconds = 0;
    long long nanoseconds = 0;
    if (std::sscanf(line.c_str(), "it_value: (%lld, %lld)", &seconds, &nanoseconds) == 2) {
      return std::chrono::seconds(seconds) + std::chrono::nanoseconds(nanoseconds);
    }
  }
  return std::chrono::nanoseconds(0);
}

}  // namespace wakepath::scenario
