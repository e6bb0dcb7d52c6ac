#include "src/mirror/readiness.hh"

#include "sim/kernel/tcp.hh"

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

u32 socket_mask(const sock* sk) {
  const TcpState state = tcp_state(sk);
  if (state == TcpState::LISTEN)
    return inet_csk(sk)->icsk_accept_queue.rskq_accept_head.empty() ? 0 : EPOLLIN | EPOLLRDNORM;
  u32 mask = 0;
  if (sk->sk_shutdown == SHUTDOWN_MASK || state == TcpState::CLOSE) mask |= EPOLLHUP;
  if ((sk->sk_shutdown & RCV_SHUTDOWN) != 0) mask |= EPOLLIN | EPOLLRDNORM | EPOLLRDHUP;
  if (state != TcpState::SYN_SENT && state != TcpState::SYN_RECV) {
    if (tcp_epollin_ready(sk, sk->sk_rcvlowat)) mask |= EPOLLIN | EPOLLRDNORM;
    if ((sk->sk_shutdown & SEND_SHUTDOWN) != 0 || sk_stream_is_writeable(sk)) mask |= EPOLLOUT | EPOLLWRNORM;
  }
  if (sk->sk_err != 0) mask |= EPOLLERR;
  return mask;
}

u32 pipe_mask(const file* file) {
  const auto* pipe = file->private_data.get().as<pipe_inode_info>();
  if ((file->f_flags & O_WRONLY) != 0)
    return (pipe->buffer.size() <= 65536 - 4096 ? EPOLLOUT | EPOLLWRNORM : 0U) | (pipe->readers == 0 ? EPOLLERR : 0U);
  return (pipe->buffer.empty() ? 0U : EPOLLIN | EPOLLRDNORM) | (pipe->writers == 0 ? EPOLLHUP : 0U);
}
}  // namespace

sock* sock_of(const task_struct* task, int fd) {
  const struct socket* socket = socket_of(file_of(task, fd));
  return socket != nullptr ? socket->sk.get() : nullptr;
}

eventpoll* eventpoll_of(const task_struct* task, int epfd) {
  const file* file = file_of(task, epfd);
  return file != nullptr && file->f_op.get() == &eventpoll_fops ? file->private_data.get().as<eventpoll>() : nullptr;
}

u32 poll_mask(const file* file) {
  if (const struct socket* socket = socket_of(file)) return socket->sk != nullptr ? socket_mask(socket->sk) : 0;
  if (file->f_op.get() == &pipefifo_fops) return pipe_mask(file);
  return 0;
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
