#include "src/mirror/oracles.hh"

#include <fmt/format.h>
#include <linux/inet_diag.h>
#include <linux/netlink.h>
#include <linux/sock_diag.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cinttypes>
#include <cstdio>
#include <cstring>

#include "sim/kernel/tcp.hh"
#include "src/mirror/readiness.hh"

namespace wakepath::mirror {

using namespace kernel;
using Kind = Finding::Kind;

std::optional<std::set<Watched>> interest_list(int epfd) {
  FILE* file = std::fopen(fmt::format("/proc/self/fdinfo/{}", epfd).c_str(), "re");
  if (file == nullptr) return std::nullopt;
  std::set<Watched> list;
  char line[256];
  while (std::fgets(line, sizeof line, file) != nullptr) {
    int fd = 0;
    uint32_t events = 0;
    uint64_t data = 0;
    if (std::sscanf(line, "tfd: %d events: %" SCNx32 " data: %" SCNx64, &fd, &events, &data) == 3)
      list.emplace(fd, events, data);
  }
  std::fclose(file);
  return list;
}

Oracles::Oracles(Peers& peers, const std::map<int, std::string>& foreign)
    : peers_(peers), foreign_(foreign), netlink_(::socket(AF_NETLINK, SOCK_DGRAM | SOCK_CLOEXEC, NETLINK_SOCK_DIAG)) {
  const timeval limit{.tv_sec = 0, .tv_usec = 100'000};  // it answers at once; never wait for ever
  setsockopt(netlink_, SOL_SOCKET, SO_RCVTIMEO, &limit, sizeof limit);
}

Oracles::~Oracles() {
  if (netlink_ >= 0) ::close(netlink_);
}

std::optional<SocketReading> Oracles::ask(Address local, Address remote) {
  struct {
    nlmsghdr head;
    inet_diag_req_v2 body;
  } request{};
  request.head.nlmsg_len = sizeof request;
  request.head.nlmsg_type = SOCK_DIAG_BY_FAMILY;
  request.head.nlmsg_flags = NLM_F_REQUEST;
  request.body.sdiag_family = AF_INET;
  request.body.sdiag_protocol = IPPROTO_TCP;
  request.body.idiag_states = ~0U;
  request.body.id.idiag_sport = htons(local.port);
  request.body.id.idiag_dport = htons(remote.port);
  request.body.id.idiag_src[0] = htonl(local.ip);
  request.body.id.idiag_dst[0] = htonl(remote.ip);
  request.body.id.idiag_cookie[0] = request.body.id.idiag_cookie[1] = INET_DIAG_NOCOOKIE;
  if (::send(netlink_, &request, sizeof request, 0) < 0) return std::nullopt;
  alignas(nlmsghdr) char answer[4096];
  const ssize_t got = ::recv(netlink_, answer, sizeof answer, 0);
  if (got < static_cast<ssize_t>(sizeof(nlmsghdr))) return std::nullopt;
  const auto* head = reinterpret_cast<const nlmsghdr*>(answer);
  if (head->nlmsg_type == NLMSG_ERROR) return SocketReading{};  // ENOENT: there is no such socket
  if (got < static_cast<ssize_t>(NLMSG_LENGTH(sizeof(inet_diag_msg)))) return std::nullopt;
  inet_diag_msg message;
  std::memcpy(&message, answer + NLMSG_HDRLEN, sizeof message);  // NLMSG_DATA()
  // where there is no such connection (any more), the kernel shows its listener
  if (remote.port != 0 && message.id.idiag_dport != htons(remote.port)) return SocketReading{};
  return SocketReading{static_cast<TcpState>(message.idiag_state), message.idiag_rqueue, message.idiag_wqueue};
}

std::optional<Finding> Oracles::consult(const task_struct* task, int fd, bool busy) {
  if (foreign_.contains(fd)) return std::nullopt;
  if (const eventpoll* ep = eventpoll_of(task, fd)) return consult_epoll(ep, fd);
  const sock* sk = sock_of(task, fd);
  if (sk == nullptr || netlink_ < 0 || is_datagram(sk)) return std::nullopt;
  if (tcp_state(sk) == TcpState::LISTEN) return consult_listener(sk, fd);
  if (tcp_state(sk) == TcpState::CLOSE || sk->common.skc_dport == 0) return std::nullopt;  // not in sock_diag's tables
  return consult_connection(sk, fd, busy);
}

Finding Oracles::consult_epoll(const eventpoll* ep, int epfd) {
  const auto kernel = interest_list(epfd);
  if (!kernel) return {Kind::kUnchecked, "fdinfo cannot be read"};
  std::set<Watched> model;
  for (const epitem* item : ep->rbr)
    model.emplace(item->ffd_fd.get(), static_cast<u32>(item->event_events.get()), item->event_data.get());
  std::set<Watched> ours;
  for (const Watched& watched : *kernel)
    if (!foreign_.contains(std::get<0>(watched))) ours.insert(watched);
  if (model == ours) return {};
  return {Kind::kDiffers, fmt::format("interest list of epoll descriptor {}", epfd), static_cast<int64_t>(model.size()),
          static_cast<int64_t>(ours.size())};
}

Finding Oracles::consult_listener(const sock* sk, int fd) {
  const Address local{sk->common.skc_rcv_saddr.get().value, sk->common.skc_num};
  const auto kernel = ask(local, {});
  if (!kernel || ask(local, {}) != kernel) return {Kind::kUnchecked, "the reading was not stable"};
  if (kernel->state != TcpState::LISTEN)
    return {Kind::kDiffers, fmt::format("state of listener {}", fd), static_cast<int64_t>(TcpState::LISTEN),
            static_cast<int64_t>(kernel->state)};
  if (kernel->wqueue != sk->sk_max_ack_backlog)
    return {Kind::kDiffers, fmt::format("backlog of listener {}", fd), sk->sk_max_ack_backlog, kernel->wqueue};
  if (kernel->rqueue > sk->sk_ack_backlog) return {Kind::kUnchecked, "a connection that nobody has seen yet"};
  if (kernel->rqueue < sk->sk_ack_backlog)
    return {Kind::kDiffers, fmt::format("accept queue of listener {}", fd), sk->sk_ack_backlog, kernel->rqueue};
  return {};
}

Finding Oracles::consult_connection(const sock* sk, int fd, bool busy) {
  const sock_common& c = sk->common;
  const Address local{c.skc_rcv_saddr.get().value, c.skc_num};
  const Address remote{c.skc_daddr.get().value, c.skc_dport};
  const auto kernel = ask(local, remote);
  if (!kernel || ask(local, remote) != kernel) return {Kind::kUnchecked, "the reading was not stable"};
  if (busy) return {Kind::kUnchecked, "a call is under way on the socket"};
  const tcp_sock* tp = tcp_sk(sk);
  const u32 rqueue = tp->rcv_nxt - tp->copied_seq;
  const u32 wqueue = tp->write_seq - tp->snd_una;
  const bool outside = peers_.of(sk) != nullptr;
  if (kernel->state != tcp_state(sk) || kernel->rqueue != rqueue) {
    if (outside && has_fin(sk) && kernel->rqueue + 1 == rqueue)
      return {Kind::kUnchecked, "whether the FIN was read together with the data does not show"};
    if (outside && (kernel->state != tcp_state(sk) || kernel->rqueue > rqueue))
      return {Kind::kUnchecked, "the peer outside has done what nobody has seen yet"};
    if (kernel->state != tcp_state(sk))
      return {Kind::kDiffers, fmt::format("state of descriptor {}", fd), static_cast<int64_t>(tcp_state(sk)),
              static_cast<int64_t>(kernel->state)};
    return {Kind::kDiffers, fmt::format("receive queue of descriptor {}", fd), rqueue, kernel->rqueue};
  }
  if (kernel->wqueue != wqueue) return {Kind::kUnchecked, "an acknowledgement is on its way"};
  return {};
}

}  // namespace wakepath::mirror
