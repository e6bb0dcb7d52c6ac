#include "sim/kernel/pipe.hh"

#include <algorithm>
#include <cstring>

#include "sim/kernel/kernel.hh"

namespace wakepath::kernel {

namespace {

constexpr std::size_t kCapacity = 65536;
constexpr std::size_t kPipeBuf = 4096;  // PIPE_BUF: writes up to it are atomic

pipe_inode_info* pipe_of(file* file) { return file->private_data.get().as<pipe_inode_info>(); }
bool is_writer(const file* file) { return (file->f_flags & O_WRONLY) != 0; }
bool nonblocking(const file* file) { return (file->f_flags & O_NONBLOCK) != 0; }

MaySleep<long> pipe_read(Kernel& k, file* file, void* buffer, std::size_t size) {
  Call call(k, Fn::pipe_read, file);
  pipe_inode_info* pipe = pipe_of(file);
  if (is_writer(file)) co_return call.result(-EBADF);
  if (size == 0) co_return call.result(0);
  while (pipe->buffer.empty()) {
    if (pipe->writers == 0) co_return call.result(0);
    if (nonblocking(file)) co_return call.result(-EAGAIN);
    StackWaitEntry wait(k, autoremove_wake_function);
    prepare_to_wait_exclusive(k, pipe->rd_wait, wait);
    if (pipe->buffer.empty() && pipe->writers != 0) co_await schedule_timeout(k, kForever);
    finish_wait(k, wait);
  }
  bool was_full = pipe->buffer.size() >= kCapacity;
  std::size_t taken = std::min(size, pipe->buffer.size());
  std::memcpy(buffer, pipe->buffer.data(), taken);
  pipe->buffer.erase(0, taken);
  pipe->bytes = static_cast<u32>(pipe->buffer.size());
  if (was_full) __wake_up_sync_key(k, pipe->wr_wait, POLL_NONE | (EPOLLOUT | EPOLLWRNORM));
  co_return call.result(static_cast<long>(taken));
}

MaySleep<long> pipe_write(Kernel& k, file* file, const void* data, std::size_t size) {
  Call call(k, Fn::pipe_write, file);
  pipe_inode_info* pipe = pipe_of(file);
  if (!is_writer(file)) co_return call.result(-EBADF);
  std::size_t written = 0;
  while (written < size) {
    if (pipe->readers == 0) co_return call.result(written != 0 ? static_cast<long>(written) : -EPIPE);
    std::size_t room = kCapacity - pipe->buffer.size();
    bool fits = size <= kPipeBuf ? room >= size : room > 0;
    if (fits) {
      bool was_empty = pipe->buffer.empty();
      std::size_t now = std::min(room, size - written);
      pipe->buffer.append(static_cast<const char*>(data) + written, now);
      written += now;
      pipe->bytes = static_cast<u32>(pipe->buffer.size());
      if (was_empty) __wake_up_sync_key(k, pipe->rd_wait, POLL_NONE | (EPOLLIN | EPOLLRDNORM));
      continue;
    }
    if (nonblocking(file)) co_return call.result(written != 0 ? static_cast<long>(written) : -EAGAIN);
    StackWaitEntry wait(k, autoremove_wake_function);
    prepare_to_wait_exclusive(k, pipe->wr_wait, wait);
    if (pipe->buffer.size() >= kCapacity && pipe->readers != 0) co_await schedule_timeout(k, kForever);
    finish_wait(k, wait);
  }
  co_return call.result(static_cast<long>(written));
}

poll_t pipe_poll(Kernel& k, file* file, poll_table* table) {
  Call call(k, Fn::pipe_poll, file);
  pipe_inode_info* pipe = pipe_of(file);
  poll_wait(k, file, is_writer(file) ? &pipe->wr_wait : &pipe->rd_wait, table);
  return call.result(pipe_events(file));
}

void pipe_release(Kernel& k, file* file) {
  Call call(k, Fn::pipe_release, file);
  pipe_inode_info* pipe = pipe_of(file);
  if (is_writer(file))
    --pipe->writers;
  else
    --pipe->readers;
  if (pipe->readers == 0 && pipe->writers == 0) {
    k.pipes.free(pipe);
    return;
  }
  __wake_up_common(k, pipe->rd_wait, 0, false, POLL_NONE | (EPOLLIN | EPOLLRDNORM | EPOLLERR | EPOLLHUP));
  __wake_up_common(k, pipe->wr_wait, 0, false, POLL_NONE | (EPOLLOUT | EPOLLWRNORM | EPOLLERR | EPOLLHUP));
}

}  // namespace

poll_t pipe_events(const file* file) {
  const auto* pipe = file->private_data.get().as<pipe_inode_info>();
  poll_t mask = POLL_NONE;
  if (is_writer(file)) {
    if (pipe->buffer.size() <= kCapacity - kPipeBuf) mask = mask | (EPOLLOUT | EPOLLWRNORM);
    if (pipe->readers == 0) mask = mask | EPOLLERR;
  } else {
    if (!pipe->buffer.empty()) mask = mask | (EPOLLIN | EPOLLRDNORM);
    if (pipe->writers == 0) mask = mask | EPOLLHUP;
  }
  return mask;
}

const file_operations pipefifo_fops = {pipe_read, pipe_write, pipe_poll, pipe_release};

void pipe_inode_info::describe(record::KindBuilder<pipe_inode_info>& b) {
  b.embed(&pipe_inode_info::rd_wait, "rd_wait", "wait_queue_head", -1, 24)
      .embed(&pipe_inode_info::wr_wait, "wr_wait", "wait_queue_head", -1, 24)
      .field(&pipe_inode_info::bytes, "bytes")
      .field(&pipe_inode_info::readers, "readers")
      .field(&pipe_inode_info::writers, "writers")
      .field(&pipe_inode_info::i_ino, "i_ino");
}

long do_pipe2(Kernel& k, int fds[2], int flags) {
  Call call(k, Fn::do_pipe2, nullptr);
  if ((flags & ~(O_CLOEXEC | O_NONBLOCK)) != 0) return call.result(-EINVAL);
  bool cloexec = (flags & O_CLOEXEC) != 0;
  int read_fd = get_unused_fd(k, cloexec);
  if (read_fd < 0) return call.result(read_fd);
  int write_fd = get_unused_fd(k, cloexec);
  if (write_fd < 0) {
    put_unused_fd(k, read_fd);
    return call.result(write_fd);
  }
  pipe_inode_info* pipe = k.pipes.make();
  pipe->readers = 1u;
  pipe->writers = 1u;
  pipe->i_ino = k.next_ino++;
  auto kept = static_cast<u32>(flags & O_NONBLOCK);
  file* reader = alloc_file_pseudo(k, nullptr, static_cast<file_flags>(O_RDONLY | kept), &pipefifo_fops);
  file* writer = alloc_file_pseudo(k, nullptr, static_cast<file_flags>(O_WRONLY | kept), &pipefifo_fops);
  reader->private_data = pipe;
  writer->private_data = pipe;
  fd_install(k, read_fd, reader);
  fd_install(k, write_fd, writer);
  fds[0] = read_fd;
  fds[1] = write_fd;
  return call.result(0);
}

}  // namespace wakepath::kernel
