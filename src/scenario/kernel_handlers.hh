#pragma once

#include <sys/socket.h>

#include "src/scenario/kernel_calls.hh"

// What makes a system call of the running kernel, by kind: perform() chooses one. Not for others than
// kernel_calls_*.cc.

namespace wakepath::scenario {

using Handler = void (*)(const Request&, Outcome&);

/// ret and errno of a call that has just returned.
void finish(Outcome& out, long ret);
inline int fd_of(const Request& r) { return static_cast<int>(r.numbers[0]); }
inline long at(const Request& r, size_t index) { return index < r.numbers.size() ? r.numbers[index] : 0; }
/// sigset_t as the kernel takes it, eight bytes.
uint64_t set_of(const Request& r);
/// `good`, or where the file says that the pointer leads.
inline void* pointer_to(Pointer where, const void* good) {
  return where == Pointer::good   ? const_cast<void*>(good)
         : where == Pointer::null ? nullptr
                                  : reinterpret_cast<void*>(-1L);
}
/// The mask of a call that waits: none without one.
inline void* mask_of(const Request& r, const uint64_t* mask) {
  return pointer_to(r.signals_at, r.signals ? mask : nullptr);
}

// kernel_calls_data.cc: what carries bytes
void receive(const Request& r, Outcome& out);          ///< read, recv, recvfrom
void receive_pieces(const Request& r, Outcome& out);   ///< readv
void receive_message(const Request& r, Outcome& out);  ///< recvmsg
void send_bytes(const Request& r, Outcome& out);       ///< write, send, sendto
void send_pieces(const Request& r, Outcome& out);      ///< writev, sendmsg

// kernel_calls_socket.cc: names and options of sockets
/// Of an address that is not there: as long as one of IPv4.
socklen_t size_at(const Request& r, socklen_t size);
void with_address(const Request& r, Outcome& out);  ///< bind, connect
void accept_one(const Request& r, Outcome& out);    ///< accept, accept4
void name_of_socket(const Request& r, Outcome& out);
void set_option(const Request& r, Outcome& out);
void get_option(const Request& r, Outcome& out);

// kernel_calls_wait.cc: what waits for several things
void epoll_control(const Request& r, Outcome& out);
void epoll_wait_for(const Request& r, Outcome& out);
void poll_for(const Request& r, Outcome& out);
void select_for(const Request& r, Outcome& out);

}  // namespace wakepath::scenario
