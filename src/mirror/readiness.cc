#include "src/mirror/readiness.hh"

#include "sim/kernel/eventfd.hh"
#include "sim/kernel/tcp.hh"
#include "sim/kernel/udp.hh"
#include "sim/kernel/unix_sock.hh"

namespace wakepath::mirror {

using namespace kernel;

file* file_of(const task_struct* task, int fd) {
  const files_struct* files = task->files;
  if (files == nullptr || fd < 0 || static_cast<std::size_t>(fd) >= files->by_number.size()) return nullptr;
  const fd_slot* slot = files->by_number[static_cast<std::size_t>(fd)];
  return slot != nullptr ? slot->file.get() : nullptr;
}

namespace {
struct socket* socket_of(const file* file) {
  return file != nullptr && file->f_op.get() == &socket_file_ops ? file->private_data.get().as<struct socket>()
                                                                 : nullptr;
}
}  // namespace

sock* sock_of(const task_struct* task, int fd) {
  const struct socket* socket = socket_of(file_of(task, fd));
  return socket != nullptr ? socket->sk.get() : nullptr;
}

bool is_datagram(const sock* sk) { return sk->sk_prot.get() == &udp_prot; }

sock* datagram_sock_of(const task_struct* task, int fd) {
  sock* sk = sock_of(task, fd);
  return sk != nullptr && is_datagram(sk) ? sk : nullptr;
}

eventpoll* eventpoll_of(const task_struct* task, int epfd) {
  const file* file = file_of(task, epfd);
  return file != nullptr && file->f_op.get() == &eventpoll_fops ? file->private_data.get().as<eventpoll>() : nullptr;
}

u32 poll_mask(const file* file) {
  if (const struct socket* socket = socket_of(file)) {
    if (socket->sk == nullptr) return POLL_NONE;
    if (socket->sk->common.skc_family == AF_UNIX) return unix_events(socket->sk);
    return is_datagram(socket->sk) ? udp_events(socket->sk) : tcp_events(socket->sk);
  }
  if (file->f_op.get() == &pipefifo_fops) return pipe_events(file);
  if (file->f_op.get() == &eventfd_fops) return eventfd_events(file->private_data.get().as<eventfd_ctx>());
  return 0;
}

wait_queue_head* wait_queue_of(const file* file) {
  if (const struct socket* socket = socket_of(file))
    return socket->sk != nullptr && socket->sk->sk_wq != nullptr ? &socket->sk->sk_wq->wait : nullptr;
  if (file->f_op.get() == &pipefifo_fops) return &file->private_data.get().as<pipe_inode_info>()->rd_wait;
  return nullptr;
}

epitem* item_with(const eventpoll* ep, u64 data) {
  for (epitem* item : ep->rbr)
    if (item->event_data == data) return item;
  return nullptr;
}

bool anything_ready(const eventpoll* ep) {
  for (const epitem* item : ep->rdllist)
    if ((poll_mask(item->ffd_file) & item->event_events.get()) != 0) return true;
  return false;
}

bool has_fin(const sock* sk) { return (sk->sk_flags & SOCK_DONE_BIT) != 0; }

std::size_t unread(const sock* sk) {
  if (tcp_state(sk) == TcpState::LISTEN) return 0;
  std::size_t bytes = 0;
  for (const sk_buff* skb : sk->sk_receive_queue.list) bytes += skb->len - skb->consumed;
  return bytes;
}

std::size_t unacknowledged(const sock* sk) {
  const tcp_sock* tp = tcp_sk(sk);
  return tp->write_seq - tp->snd_una;
}

}  // namespace wakepath::mirror
