#pragma once

#include <optional>

#include "sim/kernel/kernel.hh"

/// Looks at the model without touching it: nothing here is recorded or changes a field.

namespace wakepath::mirror {

/// The file of a descriptor; nullptr when the model has none there.
kernel::file* file_of(const kernel::task_struct* task, int fd);
/// The protocol half of a descriptor's socket; nullptr when it is no socket.
kernel::sock* sock_of(const kernel::task_struct* task, int fd);
bool is_datagram(const kernel::sock* sk);
/// That of a descriptor; nullptr when it is no UDP socket.
kernel::sock* datagram_sock_of(const kernel::task_struct* task, int fd);
kernel::eventpoll* eventpoll_of(const kernel::task_struct* task, int epfd);

/// What poll() of the file would say now.
kernel::u32 poll_mask(const kernel::file* file);
/// Where an epoll waits for it: of a socket, or of a pipe's reading end; nullptr for others.
kernel::wait_queue_head* wait_queue_of(const kernel::file* file);
/// The first item that was registered with `data`; nullptr.
kernel::epitem* item_with(const kernel::eventpoll* ep, kernel::u64 data);
/// Whether an epoll_wait() that starts now would return an event at once.
bool anything_ready(const kernel::eventpoll* ep);

/// Bytes that the user has not read yet, without the FIN.
std::size_t unread(const kernel::sock* sk);
/// Bytes written and not acknowledged.
std::size_t unacknowledged(const kernel::sock* sk);
bool has_fin(const kernel::sock* sk);

}  // namespace wakepath::mirror
