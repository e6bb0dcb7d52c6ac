#include "sim/kernel/pipe.hh"

#include <sys/ioctl.h>
#include <sys/stat.h>

#include <algorithm>
#include <cstring>

#include "sim/kernel/kernel.hh"
#include "sim/kernel/uaccess.hh"

namespace wakepath::kernel {

namespace {

constexpr std::size_t kPage = 4096;
constexpr std::size_t kSlots = 16;  // PIPE_DEF_BUFFERS

bool pipe_full(const pipe_inode_info* pipe) { return pipe->pages.size() >= kSlots; }

pipe_inode_info* pipe_of(file* file) { return file->private_data.get().as<pipe_inode_info>(); }
bool is_writer(const file* file) { return (file->f_flags & O_WRONLY) != 0; }
bool is_packetized(const file* file) { return (file->f_flags & O_DIRECT) != 0; }
bool nonblocking(const file* file) { return (file->f_flags & O_NONBLOCK) != 0; }

/// Takes up to `size` bytes from the oldest pages; of packets one, and the rest of that is dropped. What of a page has
/// no room in the caller's memory stays there.
std::size_t take_from_pages(const Kernel& k, pipe_inode_info* pipe, char* buffer, std::size_t size) {
  std::size_t taken = 0;
  std::size_t gone = 0;
  bool packet = false;
  while (taken < size && !packet && !pipe->pages.empty()) {
    pipe_page& page = pipe->pages.front();
    std::size_t now = std::min(size - taken, page.data.size() - page.read);
    if (!copy_to_user(k, buffer + taken, page.data.data() + page.read, now)) break;
    taken += now;
    packet = page.packet;
    std::size_t used = packet ? page.data.size() - page.read : now;
    gone += used;
    page.read += used;
    if (page.read == page.data.size()) pipe->pages.pop_front();
  }
  pipe->bytes -= static_cast<u32>(gone);
  return taken;
}

MaySleep<long> pipe_read(Kernel& k, file* file, void* buffer, std::size_t size) {
  Call call(k, Fn::pipe_read, file);
  pipe_inode_info* pipe = pipe_of(file);
  if (size == 0) co_return call.result(0);
  bool wake_next_reader = false;
  while (pipe->pages.empty()) {
    if (pipe->writers == 0) co_return call.result(0);
    if (nonblocking(file)) co_return call.result(k.error(Rule::pipe_empty, file));
    co_await k.scheduler.preempt();
    StackWaitEntry wait(k, autoremove_wake_function);
    prepare_to_wait_exclusive(k, pipe->rd_wait, wait);
    if ((pipe->pages.empty() && pipe->writers != 0) || k.mutant(Mutant::no_second_look))
      co_await schedule_timeout(k, kForever);
    finish_wait(k, wait);
    if (pipe->pages.empty() && pipe->writers != 0 && signal_pending(k)) co_return call.result(-ERESTARTSYS);
    wake_next_reader = true;
  }
  bool was_full = pipe_full(pipe);
  std::size_t taken = take_from_pages(k, pipe, static_cast<char*>(buffer), size);
  if (was_full && !pipe_full(pipe)) __wake_up_sync_key(k, pipe->wr_wait, POLL_NONE | (EPOLLOUT | EPOLLWRNORM));
  // a sleeper that was woken alone and leaves something passes the wake-up on
  if (wake_next_reader && !pipe->pages.empty())
    __wake_up_sync_key(k, pipe->rd_wait, POLL_NONE | (EPOLLIN | EPOLLRDNORM));
  // pages are never empty
  co_return call.result(taken > 0 ? static_cast<long>(taken) : k.error(Rule::bad_address, file));
}

/// The odd bytes of a write join the last page when they fit there (PIPE_BUF_FLAG_CAN_MERGE). How many they were.
std::size_t merge_into_last_page(Kernel& k, pipe_inode_info* pipe, const char* data, std::size_t size, long* error) {
  std::size_t odd = size % kPage;
  if (odd == 0 || pipe->pages.empty() || pipe->pages.back().packet || pipe->pages.back().data.size() + odd > kPage)
    return 0;
  if (!user_has(k, data, odd)) {
    *error = k.error(Rule::bad_address, pipe);
    return 0;
  }
  pipe->pages.back().data.append(data, odd);
  pipe->bytes += static_cast<u32>(odd);
  return odd;
}

MaySleep<long> pipe_write(Kernel& k, file* file, const void* data, std::size_t size) {
  Call call(k, Fn::pipe_write, file);
  pipe_inode_info* pipe = pipe_of(file);
  const auto* bytes = static_cast<const char*>(data);
  auto tell_readers = [&] { __wake_up_sync_key(k, pipe->rd_wait, POLL_NONE | (EPOLLIN | EPOLLRDNORM)); };
  if (size == 0) co_return call.result(0);
  if (pipe->readers == 0) co_return call.result(k.error(Rule::pipe_no_reader, file));
  bool was_empty = pipe->pages.empty();
  bool wake_next_writer = false;
  long error = 0;
  std::size_t written = merge_into_last_page(k, pipe, bytes, size, &error);
  while (written < size && error == 0) {
    if (pipe->readers == 0) {
      error = k.error(Rule::pipe_no_reader, file);
    } else if (!pipe_full(pipe) && k.allocation_fails()) {  // a page
      error = k.error(Rule::no_memory, file);
    } else if (std::size_t now = std::min(kPage, size - written);
               !pipe_full(pipe) && !user_has(k, bytes + written, now)) {
      error = k.error(Rule::bad_address, file);
    } else if (!pipe_full(pipe)) {
      pipe->pages.push_back({std::string(bytes + written, now), 0, is_packetized(file)});
      pipe->bytes += static_cast<u32>(now);
      written += now;
    } else if (nonblocking(file)) {
      error = k.error(Rule::pipe_full, file);
    } else if (signal_pending(k)) {
      error = -ERESTARTSYS;
    } else {
      if (was_empty) tell_readers();
      co_await k.scheduler.preempt();
      StackWaitEntry wait(k, autoremove_wake_function);
      prepare_to_wait_exclusive(k, pipe->wr_wait, wait);
      if ((pipe_full(pipe) && pipe->readers != 0) || k.mutant(Mutant::no_second_look))
        co_await schedule_timeout(k, kForever);
      finish_wait(k, wait);
      was_empty = pipe->pages.empty();
      wake_next_writer = true;
    }
  }
  // once somebody has polled the pipe every write tells them, for those who wait for edges (since Linux 5.5), also one
  // that found no room
  if (was_empty || pipe->poll_usage) tell_readers();
  if (wake_next_writer && !pipe_full(pipe)) __wake_up_sync_key(k, pipe->wr_wait, POLL_NONE | (EPOLLOUT | EPOLLWRNORM));
  co_return call.result(written > 0 ? static_cast<long>(written) : error);
}

poll_t pipe_poll(Kernel& k, file* file, poll_table* table) {
  Call call(k, Fn::pipe_poll, file);
  pipe_inode_info* pipe = pipe_of(file);
  pipe->poll_usage = true;
  poll_wait(k, file, is_writer(file) ? &pipe->wr_wait : &pipe->rd_wait, table);
  poll_t mask = pipe_events(file);
  if (k.mutant(Mutant::pipe_hangup_missing)) mask = static_cast<poll_t>(mask & ~static_cast<u32>(EPOLLHUP));
  return call.result(mask);
}

long pipe_ioctl(Kernel& k, file* file, unsigned command, int* argument) {
  Call call(k, Fn::pipe_ioctl, file);
  if (command != FIONREAD) return call.result(k.error(Rule::ioctl_unknown, file));
  *argument = static_cast<int>(pipe_of(file)->bytes);
  return call.result(0);
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
    if (!pipe_full(pipe)) mask = mask | (EPOLLOUT | EPOLLWRNORM);
    if (pipe->readers == 0) mask = mask | EPOLLERR;
  } else {
    if (!pipe->pages.empty()) mask = mask | (EPOLLIN | EPOLLRDNORM);
    if (pipe->writers == 0) mask = mask | EPOLLHUP;
  }
  return mask;
}

const file_operations pipefifo_fops = {pipe_read, pipe_write, pipe_poll, pipe_release, pipe_ioctl};

void pipe_inode_info::describe(record::KindBuilder<pipe_inode_info>& b) {
  b.embed(&pipe_inode_info::rd_wait, "rd_wait", "wait_queue_head", -1, 24)
      .embed(&pipe_inode_info::wr_wait, "wr_wait", "wait_queue_head", -1, 24)
      .field(&pipe_inode_info::bytes, "bytes")
      .field(&pipe_inode_info::readers, "readers")
      .field(&pipe_inode_info::writers, "writers")
      .field(&pipe_inode_info::poll_usage, "poll_usage");
}

namespace {

/// Two numbers for the two ends, or none and the ends closed: also when `fds` is not there to tell them.
long install_ends(Kernel& k, file* reader, file* writer, bool close_on_exec, int fds[2]) {
  int read_fd = get_unused_fd(k, close_on_exec);
  int write_fd = read_fd < 0 ? read_fd : get_unused_fd(k, close_on_exec);
  if (write_fd < 0 || fds == nullptr) {
    long error = write_fd < 0 ? write_fd : k.error(Rule::bad_address_loses, reader);
    if (write_fd >= 0) put_unused_fd(k, write_fd);
    if (read_fd >= 0) put_unused_fd(k, read_fd);
    fput(k, reader);
    fput(k, writer);
    return error;
  }
  fd_install(k, read_fd, reader);
  fd_install(k, write_fd, writer);
  fds[0] = read_fd;
  fds[1] = write_fd;
  return 0;
}

}  // namespace

namespace {

/// An inode of pipefs, and the pipe behind it. nullptr: no memory.
inode* get_pipe_inode(Kernel& k, pipe_inode_info** pipe) {
  Call call(k, Fn::get_pipe_inode, nullptr);
  inode* inode = alloc_inode(k, k.pipe_mnt->mnt_sb);
  if (inode == nullptr) return nullptr;
  *pipe = k.alloc(k.pipes);
  if (*pipe == nullptr) {
    iput(k, inode);
    return nullptr;
  }
  inode->i_ino = k.next_ino++;
  inode->i_mode = record::Hex{S_IFIFO | S_IRUSR | S_IWUSR};
  (*pipe)->readers = 1u;
  (*pipe)->writers = 1u;
  return inode;
}

/// The two files of a new pipe: they share a dentry. 0 or an error.
long create_pipe_files(Kernel& k, file** reader, file** writer, int flags) {
  Call call(k, Fn::create_pipe_files, nullptr);
  pipe_inode_info* pipe = nullptr;
  inode* inode = get_pipe_inode(k, &pipe);
  if (inode == nullptr) return call.result(k.error(Rule::no_pipe_inode, nullptr));
  auto kept = static_cast<u32>(flags & O_NONBLOCK);
  auto direct = static_cast<u32>(flags & O_DIRECT);  // the reader learns it from each packet
  auto writes = static_cast<file_flags>(O_WRONLY | kept | direct);
  *writer = alloc_file_pseudo(k, inode, k.pipe_mnt, "", writes, &pipefifo_fops);
  if (*writer == nullptr) {
    k.pipes.free(pipe);
    iput(k, inode);
    return call.result(k.error(why_no_file(k), nullptr));
  }
  (*writer)->private_data = pipe;
  *reader = alloc_file_clone(k, *writer, static_cast<file_flags>(O_RDONLY | kept), &pipefifo_fops);
  if (*reader == nullptr) {
    Rule why = why_no_file(k);
    pipe->readers = 0u;
    fput(k, *writer);
    return call.result(k.error(why, nullptr));
  }
  (*reader)->private_data = pipe;
  return call.result(0);
}

}  // namespace

long do_pipe2(Kernel& k, int fds[2], int flags) {
  Call call(k, Fn::do_pipe2, nullptr);
  if ((flags & ~(O_CLOEXEC | O_NONBLOCK | O_DIRECT)) != 0) return call.result(k.error(Rule::pipe_flags, nullptr));
  file* reader = nullptr;
  file* writer = nullptr;
  if (long error = create_pipe_files(k, &reader, &writer, flags); error != 0) return call.result(error);
  return call.result(install_ends(k, reader, writer, (flags & O_CLOEXEC) != 0, fds));
}

}  // namespace wakepath::kernel
