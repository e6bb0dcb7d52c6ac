#pragma once

#include <array>
#include <cstdint>
#include <string_view>

#include "sim/kernel/kernel.hh"

/// What the running kernel may choose as it likes. The model takes these over before a comparison; they are never a
/// divergence. All of them stand in the table below, and nothing else is ever taken over.

namespace wakepath::mirror {

enum class Freedom : uint8_t {
  descriptor_number,
  ephemeral_port,
  send_count,
  receive_buffer,
  accept_order,
  ready_order,
  datagram_order,
  peer_reads,
  peer_end,
  time,
};

struct FreedomRow {
  Freedom freedom;
  std::string_view what;
  std::string_view reason;
};

inline constexpr std::array kFreedoms = {
    FreedomRow{Freedom::descriptor_number, "the number of a new descriptor, or that there is none left",
               "the lowest free one below the limit; which are free depends on the rest of the process"},
    FreedomRow{Freedom::ephemeral_port, "the port of a socket that did not ask for one, and of a peer outside",
               "Linux picks at random from ip_local_port_range"},
    FreedomRow{Freedom::send_count, "how much a send takes when the buffer fills up",
               "depends on the size of segments, on auto-tuning and on how fast the peer reads"},
    FreedomRow{Freedom::receive_buffer, "the size of a receive buffer", "auto-tuned by measured round trips"},
    FreedomRow{Freedom::accept_order, "the place of an outside connection in the accept queue",
               "it is heard of only when it is accepted"},
    FreedomRow{Freedom::ready_order, "the place of an outside event in the ready list",
               "when it came, between two calls of this process, is seen only in epoll_wait's order"},
    FreedomRow{Freedom::datagram_order, "the place of an outside datagram in a receive queue",
               "it is heard of only when it is read"},
    FreedomRow{Freedom::peer_reads, "when a peer outside reads", "seen only as room in our send buffer"},
    FreedomRow{Freedom::peer_end, "when a peer outside closes after our end is closed",
               "no descriptor of this process shows it any more"},
    FreedomRow{Freedom::time, "how long anything takes",
               "virtual time follows CLOCK_MONOTONIC; a timer may fire up to 30 ms before the model's does"},
};

/// Whether a connection that waits to be accepted comes from there.
inline bool is_from(kernel::tcp_request_sock* waiting, const kernel::Address& from) {
  const kernel::sock_common* end = kernel::as_common(waiting);
  return end->skc_dport == from.port && end->skc_daddr.get().value == from.ip;
}

/// Takes over, and counts how often.
class Freedoms {
 public:
  explicit Freedoms(kernel::Kernel& k) : k_(k) {}

  /// Makes `first` the next free number of the task's process, and `second` (if not negative) the one after it: numbers
  /// below are held by others, so they are reserved. False when the model has a file of its own there. The task is
  /// idle.
  bool descriptors(kernel::task_struct* task, int first, int second = -1);
  /// No number is free any more (EMFILE).
  void no_descriptors(kernel::task_struct* task);
  /// The next port to be given out.
  void port(uint16_t port);
  /// The send buffer is as full as it gets / has room for so much.
  void send_buffer_full(kernel::sock* sk);
  void send_buffer_open(kernel::sock* sk, std::size_t bytes);
  /// The send buffer has grown (tcp_new_space()): whoever waits for room is told.
  void announce_room(kernel::sock* sk);
  /// Of what had come before the mirror began nobody knew whether an edge-triggered epoll had told it: it had not.
  void tell_again(const kernel::file* file, kernel::u32 events);
  /// Room for `bytes` more, told to the sender.
  void receive_room(kernel::sock* sk, std::size_t bytes);
  /// The listener's next connection is the one from there. False when there is none.
  bool accept_first(kernel::sock* listener, const kernel::Address& from);
  void ready_last(kernel::eventpoll* ep, kernel::epitem* item);
  void took(Freedom freedom) { ++counts_[static_cast<std::size_t>(freedom)]; }

  uint64_t count(Freedom freedom) const { return counts_[static_cast<std::size_t>(freedom)]; }

 private:
  kernel::Kernel& k_;
  std::array<uint64_t, kFreedoms.size()> counts_{};
};

}  // namespace wakepath::mirror
