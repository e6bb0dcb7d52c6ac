#include "src/mirror/peers.hh"
#include "sim/kernel/ipv6.hh"

#include <fmt/format.h>

#include <algorithm>
#include <utility>

#include "sim/kernel/tcp.hh"
#include "sim/syscalls/syscalls.hh"
#include "sim/syscalls/words.hh"
#include "src/mirror/readiness.hh"

namespace wakepath::mirror {

using namespace kernel;

namespace {
constexpr u32 kLoopback = 0x7F000001;

std::string name_of(const Address& address) {
  return address.port == 0 ? "peer outside" : fmt::format("peer {}", words::address(address));
}
/// What a client of a listener on INADDR_ANY connects to.
Address reached(Address server) { return {server.ip == 0 ? kLoopback : server.ip, server.port}; }
}  // namespace

void Peers::tell(const Peer& peer, std::string_view what, std::string_view evidence) {
  ++injected_;
  k_.recorder.peer(fmt::format("{}: {}; evidence: {}", name_of(peer.named ? peer.from : Address{}), what, evidence));
}

long Peers::run(const Peer& peer, MaySleep<long> call) {
  k_.start(peer.task, std::move(call));
  k_.scheduler.run_task(*peer.task->thread);
  if (peer.task->call_done()) return peer.task->call_result();
  k_.scheduler.kill(*peer.task->thread);
  return -EINTR;
}

void Peers::free_address(Address address) {
  if (k_.bind_hash.at(address.port) == nullptr) return;
  for (auto& [unused, old] : peers_)
    if (old.from == address) reset(old, "its port is in use again");
  const kernel::inet_bind_bucket* bucket = k_.bind_hash.at(address.port);
  if (bucket == nullptr) return;
  std::vector<tcp_timewait_sock*> waiting;
  for (inet_bind2_bucket* place : bucket->bhash2)
    for (tcp_timewait_sock* owner : place->timewait_owners)
      if (as_common(owner)->skc_rcv_saddr.get().value == address.ip) waiting.push_back(owner);
  for (tcp_timewait_sock* owner : waiting) inet_twsk_kill(k_, owner);  // the last one frees the bucket
}

Peer* Peers::at(Address address) {
  if (k_.bind_hash.at(address.port) == nullptr) return nullptr;
  for (auto& [unused, peer] : peers_)
    if (peer.from == address && !peer.gone) return &peer;
  return nullptr;
}

/// One for a peer that has that address.
task_struct* Peers::process(Address address) {
  if (idle_.empty()) return k_.spawn_process(name_of(address));
  task_struct* task = idle_.back();
  idle_.pop_back();
  if (k_.recorder.enabled()) task->comm = record::Text{k_.recorder.trace().intern(name_of(address))};
  return task;
}

bool Peers::listen(Address to, std::string_view evidence) {
  Peer peer{.task = process(to), .server = to, .from = to, .named = true};
  tell(peer, "listen", evidence);
  peer.fd = static_cast<int>(run(peer, sys_socket(k_, AF_INET, SOCK_STREAM, 0)));
  run(peer, sys_setsockopt(k_, peer.fd, SOL_SOCKET, SO_REUSEADDR, {1}));
  const bool listens = run(peer, sys_bind(k_, peer.fd, to)) == 0 && run(peer, sys_listen(k_, peer.fd, 1)) == 0;
  if (listens) {
    listening_ = peer;
  } else {
    run(peer, sys_close(k_, peer.fd));
    idle_.push_back(peer.task);
  }
  return listens;
}

void Peers::accept(sock* ours) {
  if (listening_.task == nullptr) return;
  Peer peer = std::exchange(listening_, {});
  const int listener = peer.fd;
  Address client;
  const bool connected = ours != nullptr && tcp_state(ours) == TcpState::ESTABLISHED;
  peer.fd = connected ? static_cast<int>(run(peer, sys_accept4(k_, listener, &client, 0))) : -1;
  run(peer, sys_close(k_, listener));
  const sock* theirs = peer.fd >= 0 ? sock_of(peer.task, peer.fd) : nullptr;
  if (theirs == nullptr) {
    idle_.push_back(peer.task);
    return;
  }
  tell(peer, "accept", "our connect has returned");
  peer.first_seq = tcp_sk(theirs)->write_seq;
  peer.ours = ours;
  peer.id = record::object_of(ours);
  peers_[peer.id] = peer;
}

Peer* Peers::connect(Address server, Address from, std::string_view evidence) {
  server = reached(server);
  if (from.port != 0) free_address(from);
  Peer peer{.server = server, .from = from, .named = from.port != 0};
  peer.task = process(from);
  tell(peer, "connect", evidence);
  peer.fd = static_cast<int>(run(peer, sys_socket(k_, AF_INET, SOCK_STREAM, 0)));
  if (from.port != 0) freedoms_.port(from.port);
  if (peer.named && from.ip != kLoopback) run(peer, sys_bind(k_, peer.fd, from));
  const long connected = run(peer, sys_connect(k_, peer.fd, server));
  const sock* client = sock_of(peer.task, peer.fd);
  peer.from = {client->common.skc_rcv_saddr.get().value, client->common.skc_num};
  peer.first_seq = tcp_sk(client)->write_seq;
  sock_common* found =
      connected < 0
          ? nullptr
          : __inet_lookup_established(
                k_, {.saddr = peer.from.ip, .daddr = server.ip, .source = peer.from.port, .dest = server.port});
  if (found == nullptr || found->skc_state != TcpState::ESTABLISHED) {
    run(peer, sys_close(k_, peer.fd));
    idle_.push_back(peer.task);
    return nullptr;
  }
  peer.ours = reinterpret_cast<sock*>(found);
  peer.id = record::object_of(peer.ours);
  if (!peer.named) unnamed_.insert(peer.id);
  return &(peers_[peer.id] = peer);
}

bool Peers::rename(Peer& peer, Address from) {
  sock* listener = inet_lookup_listener(k_, {.daddr = peer.server.ip, .dest = peer.server.port});
  sock* child = peer.ours;
  tcp_request_sock* waiting = nullptr;  // it may have left the accept queue with an older listener
  if (listener != nullptr)
    for (tcp_request_sock* request : inet_csk(listener)->icsk_accept_queue.rskq_accept_head)
      if (request->req.req.sk == child) waiting = request;
  peer.named = true;
  unnamed_.erase(peer.id);
  if (waiting == nullptr || peer.gone) return false;
  free_address(from);
  sock* client = sock_of(peer.task, peer.fd);
  ehash_remove(k_, &client->common);
  ehash_remove(k_, &child->common);
  inet_put_port(k_, client);
  sk_rcv_saddr_set(k_, client, from.ip);
  inet_sk(client)->inet_saddr = record::Ipv4{from.ip};
  inet_bind_hash(k_, client, from.port);
  for (sock_common* end : {&child->common, as_common(waiting)}) {
    end->skc_daddr = record::Ipv4{from.ip};
    end->skc_dport = from.port;
  }
  ehash_insert(k_, &client->common);
  ehash_insert(k_, &child->common);
  freedoms_.took(Freedom::ephemeral_port);
  peer.from = from;
  if (k_.recorder.enabled()) peer.task->comm = record::Text{k_.recorder.trace().intern(name_of(from))};
  return true;
}

void Peers::confirm(Address server, Address from) {
  Peer* peer = unnamed(server, from);
  if (peer == nullptr) return;
  peer->named = true;
  unnamed_.erase(peer->id);
}

std::size_t Peers::sent_ahead(const Peer& peer, const sock* sk) const {
  const sock* client = peer.gone ? nullptr : sock_of(peer.task, peer.fd);
  if (client == nullptr || peer.finished) return unread(sk);
  return tcp_sk(client)->write_seq - tcp_sk(sk)->copied_seq;
}

void Peers::supply(Peer& peer, sock* sk, std::string_view data, std::string_view evidence) {
  while (unread(sk) < data.size()) {
    const std::size_t known = sent_ahead(peer, sk);
    if (known < data.size()) send(peer, data.substr(known), evidence);
    if (unread(sk) < data.size()) freedoms_.receive_room(sk, data.size());
    if (unread(sk) >= data.size()) return;
    // with a full receive buffer it takes no acknowledgement, and sends nothing small without one
    read(peer, "what it has sent has come, so its buffer is not full");
    freedoms_.receive_room(sk, data.size());
    if (sent_ahead(peer, sk) == known) return;  // else its send buffer was too small for all
  }
}

void Peers::supply(Peer& peer, sock* sk, std::string_view data, std::size_t waiting, std::string_view evidence) {
  const std::size_t known = std::max(sent_ahead(peer, sk), data.size());
  supply(peer, sk, data, evidence);
  if (known >= waiting || peer.finished || peer.gone) return;
  if (!peer.made_up) peer.made_up_from = tcp_sk(sk)->copied_seq + static_cast<u32>(known);
  peer.made_up = true;
  std::string all(data);
  all.resize(waiting, '?');
  supply(peer, sk, all, evidence);
}

void Peers::know(Peer& peer, sock* sk, std::string_view data) {
  if (!peer.made_up) return;
  u32 at = tcp_sk(sk)->copied_seq;
  for (sk_buff* skb : sk->sk_receive_queue.list) {
    if (data.empty()) return;
    const std::size_t size = std::min<std::size_t>(skb->len - skb->consumed, data.size());
    const std::size_t right = before(at, peer.made_up_from) ? peer.made_up_from - at : 0;
    if (right < size) skb_store_bits(k_, skb, skb->consumed + right, data.substr(right, size - right));
    at += static_cast<u32>(size);
    data.remove_prefix(size);
  }
}

void Peers::send(Peer& peer, std::string_view data, std::string_view evidence) {
  tell(peer, fmt::format("send {} bytes", data.size()), evidence);
  for (std::size_t sent = 0; sent < data.size();) {
    const long done =
        run(peer, sys_send(k_, peer.fd, data.data() + sent, data.size() - sent, MSG_DONTWAIT | MSG_NOSIGNAL));
    if (done <= 0) return;
    sent += static_cast<std::size_t>(done);
  }
}

void Peers::read(Peer& peer, std::string_view evidence) {
  sock* sk = sock_of(peer.task, peer.fd);
  if (sk == nullptr || unread(sk) == 0) return;
  tell(peer, "read what there is", evidence);
  freedoms_.took(Freedom::peer_reads);
  while (unread(sk) > 0) {  // each read may open the window for more
    std::string buffer(unread(sk), '\0');
    if (run(peer, sys_recv(k_, peer.fd, buffer.data(), buffer.size(), MSG_DONTWAIT)) <= 0) return;
  }
}

void Peers::finish(Peer& peer, std::string_view evidence) {
  if (peer.finished || peer.gone) return;
  peer.finished = true;
  tell(peer, "FIN", evidence);
  run(peer, sys_shutdown(k_, peer.fd, SHUT_WR));
}

void Peers::reset(Peer& peer, std::string_view evidence) {
  if (peer.gone) return;
  tell(peer, "RST", evidence);
  close_hard(peer);
}

void Peers::close_hard(Peer& peer) {
  run(peer, sys_setsockopt(k_, peer.fd, SOL_SOCKET, SO_LINGER, {1, 0}));
  run(peer, sys_close(k_, peer.fd));
  peer.gone = true;
}

void Peers::end(Peer& peer, uint64_t bytes_received, std::string_view evidence) {
  if (peer.gone) return;
  const sock* client = sock_of(peer.task, peer.fd);
  const u32 sent = tcp_sk(client)->write_seq - peer.first_seq;
  if (!peer.finished && static_cast<u32>(bytes_received - peer.read_before) == sent + 1)
    finish(peer, fmt::format("TCP_INFO: {} bytes received, {} of them data; {}", bytes_received, sent, evidence));
  reset(peer, evidence);
}

void Peers::give_up(Peer& peer) {
  if (!peer.gone) close_hard(peer);
  forget(peer);
}

void Peers::give_all_up() {
  while (!peers_.empty()) give_up(peers_.begin()->second);
}

/// `peer` goes with it.
void Peers::forget(Peer& peer) {
  idle_.push_back(peer.task);
  unnamed_.erase(peer.id);
  peers_.erase(peer.id);
}

void Peers::retire(Peer& peer) {
  if (!peer.gone) {
    freedoms_.took(Freedom::peer_end);
    read(peer, "our end is closed; that it reads and closes is a freedom");
    run(peer, sys_close(k_, peer.fd));
  }
  forget(peer);
}

Peer* Peers::of(const sock* sk) {
  auto found = sk != nullptr ? peers_.find(record::object_of(sk)) : peers_.end();
  return found != peers_.end() ? &found->second : nullptr;
}

Peer* Peers::unnamed(Address server, Address from) {
  server = reached(server);
  for (trace::ObjectId id : unnamed_)
    if (Peer& peer = peers_.at(id); peer.server == server && (from.port == 0 || peer.from == from)) return &peer;
  return nullptr;
}

}  // namespace wakepath::mirror
