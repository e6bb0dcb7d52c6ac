#include "src/mirror/freedoms.hh"

#include <algorithm>

#include "sim/kernel/tcp.hh"
#include "src/mirror/readiness.hh"

namespace wakepath::mirror {

using namespace kernel;

namespace {

fd_slot* slot_at(const task_struct* task, int number) {
  const auto& table = task->files->by_number;
  const auto place = static_cast<std::size_t>(number);
  return place < table.size() ? table[place] : nullptr;
}

/// Reserves every free number up to and including `last`, then frees the wanted ones.
MaySleep<long> reserve(Kernel& k, int last, int first, int second) {
  const task_struct* task = k.current();
  for (int number = 0; number <= last; ++number)
    if (slot_at(task, number) == nullptr) static_cast<void>(get_unused_fd(k, false));
  for (const int wanted : {first, second})
    if (wanted >= 0 && slot_at(task, wanted) != nullptr) put_unused_fd(k, wanted);
  co_return 0;
}

bool usable(const task_struct* task, int number) {
  const fd_slot* slot = slot_at(task, number);
  return slot == nullptr || slot->file == nullptr;
}

}  // namespace

bool Freedoms::descriptors(task_struct* task, int first, int second) {
  if (!usable(task, first) || (second >= 0 && !usable(task, second))) return false;
  took(Freedom::descriptor_number);
  k_.start(task, reserve(k_, std::max(first, second), first, second));
  k_.scheduler.run_task(*task->thread);
  return true;
}

void Freedoms::no_descriptors(task_struct* task) {
  took(Freedom::descriptor_number);
  int lowest_free = 0;
  while (slot_at(task, lowest_free) != nullptr) ++lowest_free;
  k_.config.rlimit_nofile = static_cast<std::size_t>(lowest_free);
}

void Freedoms::port(uint16_t port) {
  took(Freedom::ephemeral_port);
  k_.wanted_port = port;
}

void Freedoms::send_buffer_full(sock* sk) {
  took(Freedom::send_count);
  sk->sk_sndbuf = sk->sk_wmem_queued.get();
}

void Freedoms::send_buffer_open(sock* sk, std::size_t bytes) {
  constexpr int kInitial = 2626560;  // tcp_init_buffer_space() on loopback
  const int needed = std::max(kInitial, sk->sk_wmem_queued + static_cast<int>(2 * bytes) + 65536);
  if (sk->sk_sndbuf >= needed) return;
  took(Freedom::send_count);
  sk->sk_sndbuf = needed;
}

void Freedoms::announce_room(sock* sk) {
  took(Freedom::send_count);
  sk->sk_write_space(k_, sk);
}

void Freedoms::tell_again(const file* file, u32 events) {
  took(Freedom::ready_order);
  wait_queue_head* queue = wait_queue_of(file);
  if (queue != nullptr) __wake_up(k_, *queue, POLL_NONE | events);
}

void Freedoms::receive_room(sock* sk, std::size_t bytes) {
  took(Freedom::receive_buffer);
  sk->sk_rcvbuf = std::max(sk->sk_rcvbuf.get(), sk->sk_rmem_alloc + static_cast<int>(4 * bytes));
  tcp_send_ack(k_, sk);  // as a window update
}

bool Freedoms::accept_first(sock* listener, const Address& from) {
  auto& queue = inet_csk(listener)->icsk_accept_queue.rskq_accept_head;
  for (tcp_request_sock* request : queue) {
    if (!is_from(request, from)) continue;
    if (request == queue.front()) return true;
    took(Freedom::accept_order);
    queue.erase(request);
    queue.push_front(request);
    return true;
  }
  return false;
}

void Freedoms::ready_last(eventpoll* ep, epitem* item) {
  if (!item->rdllink.linked() || ep->rdllist.back() == item) return;
  took(Freedom::ready_order);
  ep->rdllist.erase(item);
  ep->rdllist.push_back(item);
}

}  // namespace wakepath::mirror
