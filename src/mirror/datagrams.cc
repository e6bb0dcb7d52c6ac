#include "src/mirror/datagrams.hh"

#include <fmt/format.h>

#include <netinet/in.h>

#include <optional>
#include <string>
#include <tuple>

#include "sim/kernel/udp.hh"
#include "sim/syscalls/syscalls.hh"
#include "sim/syscalls/words.hh"

namespace wakepath::mirror {

using namespace kernel;

namespace {

constexpr std::size_t kMostData = 65536;  // no datagram has more
constexpr std::size_t kMostPrograms = 1024;

/// Where a datagram for it goes.
Address reached_at(const sock* sk) {
  const u32 ip = sk->common.skc_rcv_saddr.get().value;
  return {ip != 0 ? ip : INADDR_LOOPBACK, sk->common.skc_num};
}

/// Where the datagram waits, and in which queue: one that is `data`, else one that only begins so, for a reader whose
/// buffer was too small for it.
std::pair<sk_buff*, sk_buff_head*> find(sock* sk, const Address& from, std::string_view data) {
  std::pair<sk_buff*, sk_buff_head*> longer{nullptr, nullptr};
  for (sk_buff_head* queue : {&udp_sk(sk)->reader_queue, &sk->sk_receive_queue})
    for (sk_buff* skb : queue->list) {
      if (skb->saddr != from.ip || skb->source != from.port || !skb->payload.view().starts_with(data)) continue;
      if (skb->payload.view().size() == data.size()) return {skb, queue};
      if (longer.first == nullptr && !data.empty()) longer = {skb, queue};
    }
  return longer;
}

/// recvfrom() takes those of the reader's queue first.
const sk_buff* first_of(sock* sk) {
  for (sk_buff_head* queue : {&udp_sk(sk)->reader_queue, &sk->sk_receive_queue})
    if (!queue->list.empty()) return queue->list.front();
  return nullptr;
}

MaySleep<long> answer_with_an_error(Kernel& k, inet_flow quote) {
  udp_err(k, quote);
  co_return 0;
}

}  // namespace

Address connected_to(const sock* sk) {
  if (sk->common.skc_dport == 0) return {};
  return {sk->common.skc_daddr.get().value, sk->common.skc_dport};
}

long Datagrams::run(const Program& program, MaySleep<long> call) {
  k_.start(program.task, std::move(call));
  k_.scheduler.run_task(*program.task->thread);
  if (program.task->call_done()) return program.task->call_result();
  k_.scheduler.kill(*program.task->thread);
  return -EINTR;
}

void Datagrams::tell(Address address, std::string_view what, std::string_view evidence) {
  ++injected_;
  k_.recorder.peer(fmt::format("peer {}: {}; evidence: {}", words::address(address), what, evidence));
}

/// The program outside that has this address, made when there is none. nullptr: it can't be, a socket of the process
/// has it, or it is not this machine's.
Datagrams::Program* Datagrams::at(Address address) {
  if (const auto known = programs_.find({address.ip, address.port}); known != programs_.end()) return &known->second;
  if (programs_.size() >= kMostPrograms) give_all_up();
  if (is_ours(address)) return nullptr;
  Program program{.task = process_named(fmt::format("peer {}", words::address(address)))};
  program.fd = static_cast<int>(run(program, sys_socket(k_, AF_INET, SOCK_DGRAM, 0)));
  if (run(program, sys_bind(k_, program.fd, address)) == 0)
    return &programs_.emplace(Key{address.ip, address.port}, program).first->second;
  give_up(program);
  return nullptr;
}

/// Whatever is bound there, and is no program's outside, is the process's.
bool Datagrams::is_ours(Address address) const {
  const udp_hslot* slot = udp_hashslot(k_, address.port);
  if (slot == nullptr) return false;
  for (const sock_common* common : slot->head)
    if (const u32 ip = common->skc_rcv_saddr.get().value; ip == address.ip || ip == INADDR_ANY) return true;
  return false;
}

/// One that a program outside has left, or a new one.
task_struct* Datagrams::process_named(const std::string& name) {
  if (idle_.empty()) return k_.spawn_process(name);
  task_struct* task = idle_.back();
  idle_.pop_back();
  if (k_.recorder.enabled()) task->comm = record::Text{k_.recorder.trace().intern(name)};
  return task;
}

void Datagrams::give_up(const Program& program) {
  run(program, sys_close(k_, program.fd));
  idle_.push_back(program.task);
}

bool Datagrams::supply(sock* sk, Address from, std::string_view data, std::string_view evidence) {
  auto [skb, queue] = find(sk, from, data);
  if (skb == nullptr) {
    const Program* program = at(from);
    if (program == nullptr) return false;
    tell(from, fmt::format("send {} bytes", data.size()), evidence);
    run(*program, sys_sendto(k_, program->fd, data.data(), data.size(), MSG_DONTWAIT, reached_at(sk)));
    std::tie(skb, queue) = find(sk, from, data);
    if (skb == nullptr) return false;
  }
  if (skb == first_of(sk)) return true;
  if (!programs_.contains({from.ip, from.port})) return false;  // the order among its own the process has made itself
  freedoms_.took(Freedom::datagram_order);
  sk_buff_head& reader = udp_sk(sk)->reader_queue;
  sk_buff_head& first = reader.list.empty() ? sk->sk_receive_queue : reader;
  queue->list.erase(skb);
  queue->qlen -= 1;
  first.list.push_front(skb);
  first.qlen += 1;
  return true;
}

void Datagrams::read_all(const Program& program) {
  std::string buffer(kMostData, '\0');
  std::optional<Address> from;
  while (run(program, sys_recvfrom(k_, program.fd, buffer.data(), buffer.size(), MSG_DONTWAIT, &from)) >= 0) {
  }
}

void Datagrams::expect(Address to) {
  if (to.port == 0) return;
  if (const Program* program = at(to)) read_all(*program);
}

void Datagrams::refuse(sock* sk, std::string_view evidence) {
  const Address peer = connected_to(sk);
  if (peer.port == 0 || sk->sk_err != 0) return;
  Program* program = at(peer);
  if (program == nullptr) return;
  tell(peer, "ICMP port unreachable", evidence);
  const Address own = reached_at(sk);
  run(*program, answer_with_an_error(k_, {.saddr = own.ip, .daddr = peer.ip, .source = own.port, .dest = peer.port}));
}

void Datagrams::free_port(uint16_t port) {
  for (auto at = programs_.begin(); at != programs_.end();) {
    if (at->first.second != port) {
      ++at;
      continue;
    }
    give_up(at->second);
    at = programs_.erase(at);
  }
}

void Datagrams::give_all_up() {
  for (const auto& [unused, program] : programs_) give_up(program);
  programs_.clear();
}

}  // namespace wakepath::mirror
