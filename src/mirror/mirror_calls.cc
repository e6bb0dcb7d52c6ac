// What has to be known before the model can answer a call, and what is known after it.

#include <fmt/format.h>
#include <netinet/in.h>
#include <netinet/tcp.h>

#include <algorithm>
#include <utility>

#include "sim/kernel/tcp.hh"
#include "sim/syscalls/words.hh"
#include "src/mirror/call_text.hh"
#include "src/mirror/mirror.hh"
#include "src/mirror/readiness.hh"

namespace wakepath::mirror {

using namespace kernel;
namespace call = os::call;

namespace {

/// Size of the data that a sending call was given; nullopt for others.
std::optional<std::size_t> sent_size(const os::CallRecord& record) {
  if (const auto* send = std::get_if<call::Send>(&record.arguments)) return send->data.size();
  if (const auto* write = std::get_if<call::Write>(&record.arguments)) return write->data.size();
  return std::nullopt;
}

bool receives(os::Call call) { return call == os::Call::recv || call == os::Call::read; }

/// Asked for no bytes: then 0 says nothing about the peer.
bool receives_nothing(const os::CallRecord& record) {
  if (const auto* recv = std::get_if<call::Recv>(&record.arguments)) return recv->size == 0;
  const auto* read = std::get_if<call::Read>(&record.arguments);
  return read != nullptr && read->size == 0;
}

/// Its failure may be the first sign of what a peer has done.
bool tells_of_an_end(os::Call call) {
  return call == os::Call::shutdown || call == os::Call::getpeername || call == os::Call::getsockopt;
}

/// The sight of a descriptor in an answer; nullptr.
const os::Sight* sight_of(const os::CallRecord& record, int fd) {
  for (const os::Sight& sight : record.sights)
    if (sight.fd == fd) return &sight;
  return nullptr;
}

/// Is an outside connection among those up to the one from there in the accept queue, or is that not there yet? Only
/// then may its place be the kernel's: in-process clients connect in an order that we have seen.
bool outside_first(Peers& peers, sock* listener, const Address& from) {
  for (tcp_request_sock* request : inet_csk(listener)->icsk_accept_queue.rskq_accept_head) {
    if (peers.of(request->req.req.sk) != nullptr) return true;
    if (is_from(request, from)) return false;
  }
  return true;
}

/// Options of TCP that the model has, and that hold nothing which the kernel may choose.
bool is_plain_tcp_option(int option) {
  switch (option) {
    case TCP_NODELAY:
    case TCP_CORK:
    case TCP_KEEPIDLE:
    case TCP_KEEPINTVL:
    case TCP_KEEPCNT:
    case TCP_DEFER_ACCEPT:
    case TCP_USER_TIMEOUT:
    case TCP_LINGER2:
      return true;
    default:
      return false;
  }
}

/// Options that getsockopt() of the model answers.
bool option_is_readable(int level, int option) {
  if (level == IPPROTO_TCP) return is_plain_tcp_option(option);
  if (level != SOL_SOCKET) return false;
  switch (option) {
    case SO_ERROR:
    case SO_REUSEADDR:
    case SO_REUSEPORT:
    case SO_KEEPALIVE:
    case SO_OOBINLINE:
    case SO_BROADCAST:
    case SO_TYPE:
    case SO_ACCEPTCONN:
    case SO_RCVLOWAT:
    case SO_DOMAIN:
    case SO_PROTOCOL:
      return true;
    default:
      return false;
  }
}

bool option_is_modelled(int level, int option) {
  if (level == IPPROTO_TCP) return is_plain_tcp_option(option);
  if (level != SOL_SOCKET) return false;
  switch (option) {
    case SO_REUSEADDR:
    case SO_REUSEPORT:
    case SO_KEEPALIVE:
    case SO_OOBINLINE:
    case SO_BROADCAST:
    case SO_RCVLOWAT:
    case SO_RCVBUF:
    case SO_SNDBUF:
    case SO_RCVTIMEO:
    case SO_SNDTIMEO:
    case SO_LINGER:
      return true;
    default:
      return false;
  }
}

}  // namespace

bool Mirror::sleeps_on_model(const os::CallRecord& record) const {
  const task_struct* task = first_;
  const int fd = descriptor_of(record);
  if (record.call() == os::Call::epoll_wait) {
    const eventpoll* ep = eventpoll_of(task, fd);
    return ep != nullptr && !anything_ready(ep);
  }
  if (const auto* poll = std::get_if<call::Poll>(&record.arguments))
    return !poll->fds.empty() && std::none_of(poll->fds.begin(), poll->fds.end(), [&](const pollfd& one) {
      const file* looked_at = file_of(task, one.fd);
      const u32 asked = static_cast<u32>(one.events) | u32{EPOLLERR | EPOLLHUP};
      return one.fd >= 0 && (looked_at == nullptr || (poll_mask(looked_at) & asked) != 0);
    });
  const sock* sk = sock_of(task, fd);
  if (sk == nullptr || is_datagram(sk)) return false;
  if (receives(record.call())) return (poll_mask(file_of(task, fd)) & (EPOLLIN | EPOLLHUP | EPOLLERR)) == 0;
  return sent_size(record).has_value();  // no room in the real buffer: it begins where it may sleep
}

/// Made by a call that was not followed, or past this process's Os.
bool Mirror::lacks(const os::CallRecord& record, int fd) const {
  if (fd < 0) return false;
  return foreign_.contains(fd) || (record.result != -EBADF && file_of(first_, fd) == nullptr);
}

/// Why the model has nothing there.
std::string Mirror::lack(int fd) const {
  const auto found = foreign_.find(fd);
  if (found == foreign_.end()) return kMadeElsewhere;
  return found->second.starts_with(kMadeElsewhere) ? found->second : kMadeElsewhere + ": " + found->second;
}

/// Whether a call that the model does not follow has to do with anything that it should.
bool Mirror::concerns_sample(const os::CallRecord& record) const {
  const auto left_out = [&](int fd) {
    const auto found = foreign_.find(fd);
    return found != foreign_.end() && found->second == kNotInSample;
  };
  if (const auto* control = std::get_if<call::EpollCtl>(&record.arguments)) return !left_out(control->fd);
  if (record.call() != os::Call::epoll_wait) return !left_out(descriptor_of(record));
  return record.output.events.empty() ||
         !std::all_of(record.output.events.begin(), record.output.events.end(), [&](const epoll_event& event) {
           const auto key = foreign_keys_.find({descriptor_of(record), event.data.u64});
           return key != foreign_keys_.end() && left_out(key->second);
         });
}

std::string Mirror::why_not_checked(const os::CallRecord& record) const {
  if (record.result == -EINTR) return "interrupted by a signal";
  const int fd = descriptor_of(record);
  const auto* control = std::get_if<call::EpollCtl>(&record.arguments);
  if (lacks(record, fd)) return lack(fd);
  if (control != nullptr && lacks(record, control->fd)) return lack(control->fd);
  if (std::string why = why_datagram_not_checked(record); !why.empty()) return why;
  if (const auto* socket = std::get_if<call::Socket>(&record.arguments)) {
    const int type = socket->type & 0xf;
    if (socket->domain != AF_INET || (type != SOCK_STREAM && type != SOCK_DGRAM))
      return "a kind of socket that is not mirrored";
  }
  if (const auto* option = std::get_if<call::Setsockopt>(&record.arguments))
    if (!option_is_modelled(option->level, option->option)) return "a socket option that is not modelled";
  if (const auto* option = std::get_if<call::Getsockopt>(&record.arguments))
    if (!option_is_readable(option->level, option->option)) return "a socket option that is not modelled";
  if (const auto* pair = std::get_if<call::Socketpair>(&record.arguments))
    if (pair->domain != AF_UNIX) return "a kind of socket that is not mirrored";
  if (record.call() == os::Call::connect && record.result != -ECONNREFUSED && leads_outside(record)) {
    const u32 to = address_of(std::get_if<call::Connect>(&record.arguments)->address).ip;
    const Fate fate = record.result == 0              ? Fate::connected
                      : record.result == -EINPROGRESS ? fate_of_connect(fd)
                                                      : Fate::unknown;
    if (to >> 24 != 127 || (fate != Fate::connected && fate != Fate::refused))
      return "connect to a listener outside this process, beyond loopback or still under way";
  }
  return "";
}

void Mirror::settle(Actor& actor, const os::CallRecord& record) {
  if (actor.started && !waits(record.call()) && !receives(record.call())) return;
  if (tells_of_an_end(record.call()))
    for (const os::Sight& sight : record.sights) settle_sight(actor, sight, text_of(record));
  settle_descriptors(actor, record);
  settle_ports(actor, record);
  if (settle_datagram(actor, record)) return;
  if (record.call() == os::Call::connect) settle_connect(actor, record);
  if (record.call() == os::Call::accept4) settle_accept(actor, record);
  if (receives(record.call())) settle_recv(actor, record);
  if (sent_size(record)) settle_send(actor, record);
  if (record.call() == os::Call::epoll_wait) settle_epoll(actor, record);
  if (record.call() == os::Call::poll) settle_poll(actor, record);
}

/// The number of the next descriptor.
void Mirror::settle_number(Actor& actor, int fd) {
  drop_established(actor, fd);
  freedoms_.descriptors(actor.task, fd);
  know_again(fd);  // whoever had that number has closed it
}

void Mirror::settle_descriptors(Actor& actor, const os::CallRecord& record) {
  for (const long made :
       {record.result, static_cast<long>(record.output.fds[0]), static_cast<long>(record.output.fds[1])})
    if (made >= 0) descriptor_limit_ = std::max(descriptor_limit_, static_cast<std::size_t>(made) + 1);
  kernel_.config.rlimit_nofile = descriptor_limit_;
  if (actor.task->rlimit_nofile < descriptor_limit_)  // it may be another machine's log
    actor.task->rlimit_nofile = static_cast<u32>(descriptor_limit_);
  switch (record.call()) {
    case os::Call::socket:
    case os::Call::accept4:
    case os::Call::epoll_create1:
    case os::Call::eventfd2:
      if (record.result >= 0) settle_number(actor, static_cast<int>(record.result));
      break;
    case os::Call::pipe2:
    case os::Call::socketpair:
      if (record.result < 0) break;
      for (const int fd : record.output.fds) drop_established(actor, fd), know_again(fd);
      freedoms_.descriptors(actor.task, record.output.fds[0], record.output.fds[1]);
      break;
    case os::Call::fcntl:
      if (!copies_descriptor(record)) return;
      if (record.result >= 0) settle_number(actor, static_cast<int>(record.result));
      break;
    default:
      return;
  }
  if (record.result == -EMFILE) freedoms_.no_descriptors(actor.task);
}

/// bind(2) to port 0, connect(2) and listen(2) give a socket a port when it has none.
void Mirror::settle_ports(Actor& actor, const os::CallRecord& record) {
  if (record.call() != os::Call::bind && record.call() != os::Call::connect && record.call() != os::Call::listen)
    return;
  const int fd = descriptor_of(record);
  const sock* sk = sock_of(actor.task, fd);
  if (sk == nullptr || sk->common.skc_num != 0) return;
  const os::Sight* own = sight_of(record, fd);
  const auto* bind = std::get_if<call::Bind>(&record.arguments);
  if (own == nullptr || own->port == 0 || (bind != nullptr && address_of(bind->address).port != 0)) return;
  if (is_datagram(sk)) {
    datagrams_.free_port(own->port);
    return freedoms_.port(own->port);
  }
  peers_.free_address({own->address != 0 ? own->address : INADDR_LOOPBACK, own->port});
  freedoms_.port(own->port);
}

/// Of a stream socket, to where nobody in the model listens.
bool Mirror::leads_outside(const os::CallRecord& record) const {
  const auto* connect = std::get_if<call::Connect>(&record.arguments);
  const sock* sk = first_ != nullptr ? sock_of(first_, descriptor_of(record)) : nullptr;
  if (connect == nullptr || (sk != nullptr && is_datagram(sk))) return false;
  const Address to = address_of(connect->address);
  auto& model = const_cast<Kernel&>(kernel_);
  return inet_lookup_listener(model, {.daddr = to.ip, .dest = to.port}) == nullptr;
}

/// Somebody outside listens there: the connect has succeeded, or will.
void Mirror::settle_connect(Actor& actor, const os::CallRecord& record) {
  const int fd = descriptor_of(record);
  const sock* sk = sock_of(actor.task, fd);
  if (sk == nullptr || tcp_state(sk) != TcpState::CLOSE || !leads_outside(record)) return;
  const bool under_way = record.result == -EINPROGRESS && fate_of_connect(fd) == Fate::connected;
  if (record.result != 0 && !under_way) return;
  peers_.listen(address_of(std::get_if<call::Connect>(&record.arguments)->address), text_of(record));
}

void Mirror::settle_accept(Actor& actor, const os::CallRecord& record) {
  sock* listener = sock_of(actor.task, descriptor_of(record));
  if (listener == nullptr || record.result < 0) return;
  const Address from = address_of(record.output.address);
  if (from.port == 0) {  // the log does not tell who it was
    const Address here{listener->common.skc_rcv_saddr.get().value, listener->common.skc_num};
    if (inet_csk(listener)->icsk_accept_queue.rskq_accept_head.empty())
      peers_.connect(here, {}, fmt::format("accept4 = {}", record.result));
    return;
  }
  if (!outside_first(peers_, listener, from)) return;
  settle_predecessor(actor, from);
  const Address here{listener->common.skc_rcv_saddr.get().value, listener->common.skc_num};
  if (freedoms_.accept_first(listener, from)) return peers_.confirm(here, from);
  Peer* unnamed = peers_.unnamed(here);
  if (unnamed == nullptr || !peers_.rename(*unnamed, from))
    peers_.connect(here, from, fmt::format("accept4 = {} from {}", record.result, kernel::words::address(from)));
  freedoms_.accept_first(listener, from);
}

void Mirror::settle_recv(Actor& actor, const os::CallRecord& record) {
  const int fd = descriptor_of(record);
  sock* sk = sock_of(actor.task, fd);
  Peer* peer = peers_.of(sk);
  if (peer == nullptr) return;
  const std::string evidence = fmt::format("{} = {}", os::name_of(record.call()), record.result);
  if (record.result == 0) return receives_nothing(record) ? void() : peers_.finish(*peer, evidence);
  if (record.result == -EPIPE) peers_.finish(*peer, evidence);
  if (record.result == -ECONNRESET || record.result == -EPIPE) return end_peer(*peer, record, fd, evidence);
  if (record.result < 0) return;
  actor.unsure = std::exchange(peer->guessed, false);
  peers_.supply(*peer, sk, record.output.data, evidence);
  peers_.know(*peer, sk, record.output.data);
}

void Mirror::settle_send(Actor& actor, const os::CallRecord& record) {
  actor.replay.most_sent = Replay::kAll;
  const int fd = descriptor_of(record);
  sock* sk = sock_of(actor.task, fd);
  if (sk == nullptr || sk->common.skc_family == AF_UNIX) return;  // both ends are here: nothing is free
  if (record.result == -EAGAIN) freedoms_.send_buffer_full(sk);
  if (record.result > 0) freedoms_.send_buffer_open(sk, static_cast<std::size_t>(record.result));
  // less than was given is the kernel's to choose only when its buffer is full
  const auto sent = static_cast<std::size_t>(std::max(record.result, 0L));
  const std::size_t size = *sent_size(record);
  const os::Sight* sight = sight_of(record, fd);
  if (sent > 0 && sent < size && (sight == nullptr || !sight->has_room)) actor.replay.most_sent = sent;
  Peer* peer = peers_.of(sk);
  const bool open = sight != nullptr && static_cast<TcpState>(sight->state) != TcpState::CLOSE;
  if (open && (sk->sk_shutdown & SEND_SHUTDOWN) != 0) return;  // -EPIPE is our own doing
  if (peer != nullptr && (record.result == -ECONNRESET || record.result == -EPIPE))
    end_peer(*peer, record, fd, fmt::format("{} failed", os::name_of(record.call())));
}

void Mirror::end_peer(Peer& peer, const os::CallRecord& record, int fd, const std::string& evidence) {
  const os::Sight* sight = sight_of(record, fd);
  if (sight == nullptr) return peers_.end(peer, 0, evidence);
  settle_waiting(peer, *sight, evidence);
  peers_.end(peer, sight->bytes_received, evidence);
}

/// Whether a FIN is behind what has come shows only in how much has come.
void Mirror::settle_waiting(Peer& peer, const os::Sight& sight, const std::string& evidence) {
  if (sight.waiting == 0) return;
  peers_.supply(peer, sock_of(first_, sight.fd), sight.unread, sight.waiting,
                fmt::format("SIOCINQ = {}; {}", sight.waiting, evidence));
}

void Mirror::settle_sight(const Actor& actor, const os::Sight& sight, std::string_view evidence) {
  sock* sk = sock_of(actor.task, sight.fd);
  Peer* peer = peers_.of(sk);
  if (peer == nullptr || peer->gone || foreign_.contains(sight.fd)) return;
  const auto state = static_cast<TcpState>(sight.state);
  settle_waiting(*peer, sight, std::string(evidence));
  const bool fin = state == TcpState::CLOSE_WAIT || state == TcpState::LAST_ACK || state == TcpState::CLOSING ||
                   state == TcpState::TIME_WAIT;
  if (fin && !has_fin(sk)) peers_.finish(*peer, fmt::format("TCP_INFO: the FIN is here; {}", evidence));
  if (state == TcpState::CLOSE && tcp_state(sk) != TcpState::CLOSE)
    peers_.end(*peer, sight.bytes_received, fmt::format("TCP_INFO: TCP_CLOSE; {}", evidence));
}

void Mirror::after(Actor& actor, const os::CallRecord& record) {
  const int fd = descriptor_of(record);
  remember_error(record);
  if (record.call() == os::Call::connect) peers_.accept(sock_of(actor.task, fd));
  if (record.call() == os::Call::close) {
    know_again(fd);
    established_.erase(fd);
    std::erase_if(edges_before_, [&](const auto& edge) { return edge.first == fd || edge.second == fd; });
    return;
  }
  if (const auto* control = std::get_if<call::EpollCtl>(&record.arguments)) edges_before_.erase({fd, control->fd});
  const auto size = sent_size(record);
  const os::Sight* sight = sight_of(record, fd);
  if (!size || record.result <= 0 || sight == nullptr) return;
  sock* sk = sock_of(actor.task, fd);
  Peer* peer = peers_.of(sk);
  if (peer == nullptr) return;
  if (unacknowledged(sk) > sight->unacknowledged) peers_.read(*peer, "SIOCOUTQ is smaller than the model's");
  if (static_cast<std::size_t>(record.result) < *size) freedoms_.send_buffer_full(sk);
}

}  // namespace wakepath::mirror
