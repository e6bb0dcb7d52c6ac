#pragma once

// Models: fs/anon_inodes.c of Linux 6.18: descriptors whose file has nothing behind it but an object of its kind
// (eventfd, timerfd, signalfd), and how a reader of these waits (wait_event_interruptible_locked_irq).

#include <cstring>

#include "sim/kernel/kernel.hh"

namespace wakepath::kernel {

inline bool is_nonblocking(const file* file) { return (file->f_flags & O_NONBLOCK) != 0; }

/// A new descriptor for a new file. -EMFILE or -ENOMEM: then the object is the caller's still.
template <class Object>
long anon_inode_getfd(Kernel& k, const char* name, const file_operations* fops, Object* object, int flags) {
  int fd = get_unused_fd(k, (flags & O_CLOEXEC) != 0);
  if (fd < 0) return fd;
  Call call(k, Fn::anon_inode_getfile_fmode, object);
  struct file* file = __anon_inode_getfile(k, name, fops, static_cast<file_flags>(O_RDWR | (flags & O_NONBLOCK)));
  if (file == nullptr) {
    put_unused_fd(k, fd);
    return call.result(k.error(why_no_file(k), object));
  }
  file->private_data = object;
  fd_install(k, fd, file);
  return fd;
}

/// include/linux/wait.h: sleeps on `queue`, not exclusively and behind the others, until `condition()`. 0, or
/// -ERESTARTSYS. The condition is a plain function of what stands in the object; it lives as long as the wait. Linux
/// holds the queue's lock from the caller's look on: where it is taken somebody may come first, hence the look here.
template <class Condition>
MaySleep<long> wait_event_interruptible_locked(Kernel& k, wait_queue_head& queue, Condition condition) {
  co_await k.scheduler.preempt();
  StackWaitEntry wait(k, autoremove_wake_function);
  for (bool looks = !k.mutant(Mutant::no_second_look); !looks || !condition(); looks = true) {
    if (long error = do_wait_intr_irq(k, queue, wait); error != 0) co_return error;
    co_await schedule(k);
  }
  set_current_state(k, TaskState::TASK_RUNNING);
  co_return 0;
}

}  // namespace wakepath::kernel
