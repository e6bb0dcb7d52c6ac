#pragma once

// The system calls: entry points as user space knows them. Each returns >= 0 or a negative errno, may put its task to
// sleep, and writes the call as text into the trace (kSyscall, kSyscallReturn).
//
// Use: `k.start(task, sys_connect(k, fd, address))`, then `k.run_until_idle()`, then `task->call_done()` and
// `task->call_result()`. Buffers and output parameters must live until the call is done.
//
// Buffers may be nullptr or outside_user_space() (sim/kernel/uaccess.hh): -EFAULT, in the order of Linux's checks. What
// is not passed by pointer has a form with a UserPointer that says so.

#include <atomic>
#include <cstddef>
#include <optional>
#include <string>
#include <string_view>

#include "sim/kernel/kernel.hh"
#include "sim/kernel/uaccess.hh"

namespace wakepath::kernel {

/// Which of an address that a call gives, and of its length, is not there. An address at NULL is not asked for by
/// accept() and recvfrom(), whatever its length.
struct BadAddress {
  UserPointer address = UserPointer::kGood;
  UserPointer length = UserPointer::kGood;
};

// --- descriptors of any kind: fd_calls.cc ---
MaySleep<long> sys_read(Kernel& k, int fd, char* buffer, std::size_t size);
MaySleep<long> sys_write(Kernel& k, int fd, const char* data, std::size_t size);
/// `buffer` has room for all the pieces, one behind the other. `list`: where the list of them lies, here and below.
MaySleep<long> sys_readv(Kernel& k, int fd, char* buffer, std::vector<UserPiece> pieces,
                         UserPointer list = UserPointer::kGood);
/// `at`: where each piece lies; empty: all are good.
MaySleep<long> sys_writev(Kernel& k, int fd, const std::vector<std::string>& pieces, std::vector<UserPointer> at = {},
                          UserPointer list = UserPointer::kGood);
MaySleep<long> sys_dup(Kernel& k, int fd);
MaySleep<long> sys_dup2(Kernel& k, int oldfd, int newfd);
MaySleep<long> sys_dup3(Kernel& k, int oldfd, int newfd, int flags);
/// The process goes on as another program, which asks for the same calls: begin_new_exec().
MaySleep<long> sys_execve(Kernel& k);
/// RLIMIT_NOFILE's soft limit; the hard one stays.
MaySleep<long> sys_setrlimit_nofile(Kernel& k, u64 soft);
/// F_GETFL, F_SETFL, F_GETFD, F_SETFD, F_DUPFD, F_DUPFD_CLOEXEC; others -EINVAL.
MaySleep<long> sys_fcntl(Kernel& k, int fd, int command, int argument);
/// A regular file in memory.
MaySleep<long> sys_memfd_create(Kernel& k, std::string name, unsigned flags);
MaySleep<long> sys_memfd_create(Kernel& k, UserPointer name, unsigned flags);
MaySleep<long> sys_lseek(Kernel& k, int fd, long offset, int whence);
/// FIONBIO, FIONREAD (SIOCINQ), SIOCOUTQ. `argument` nullptr: -EFAULT, but what cannot be asked is said first.
MaySleep<long> sys_ioctl(Kernel& k, int fd, unsigned command, int* argument);

// --- pairs and messages: message_calls.cc ---
/// `fds` nullptr, also of pipe2(): -EFAULT, and no descriptor is used up.
MaySleep<long> sys_socketpair(Kernel& k, int family, int type, int protocol, int fds[2]);
/// `rights`: descriptors that travel with the message.
MaySleep<long> sys_sendmsg(Kernel& k, int fd, const std::vector<std::string>& pieces, const std::vector<int>& rights,
                           int flags, std::vector<UserPointer> at = {}, UserPointer list = UserPointer::kGood);
MaySleep<long> sys_recvmsg(Kernel& k, int fd, char* buffer, std::size_t size, int flags, std::vector<int>* rights);

// --- sockets, pipes, epolls: syscalls.cc ---
MaySleep<long> sys_socket(Kernel& k, int family, int type, int protocol);
MaySleep<long> sys_bind(Kernel& k, int fd, Address address);
MaySleep<long> sys_bind(Kernel& k, int fd, UserPointer address);
MaySleep<long> sys_listen(Kernel& k, int fd, int backlog);
/// `peer` may be nullptr.
MaySleep<long> sys_accept(Kernel& k, int fd, Address* peer);
MaySleep<long> sys_accept4(Kernel& k, int fd, Address* peer, int flags);
/// With an address, or the length of one (`peer` says which), that is not there: -EFAULT, and the connection is lost.
MaySleep<long> sys_accept(Kernel& k, int fd, BadAddress peer);
MaySleep<long> sys_accept4(Kernel& k, int fd, BadAddress peer, int flags);
MaySleep<long> sys_connect(Kernel& k, int fd, Address address);
MaySleep<long> sys_connect(Kernel& k, int fd, UserPointer address);
MaySleep<long> sys_send(Kernel& k, int fd, const char* data, std::size_t size, int flags);
MaySleep<long> sys_recv(Kernel& k, int fd, char* buffer, std::size_t size, int flags);
MaySleep<long> sys_sendto(Kernel& k, int fd, const char* data, std::size_t size, int flags, Address to);
/// An address at NULL is none at all.
MaySleep<long> sys_sendto(Kernel& k, int fd, const char* data, std::size_t size, int flags, UserPointer to);
/// `from` is set when the protocol says who sent it.
MaySleep<long> sys_recvfrom(Kernel& k, int fd, char* buffer, std::size_t size, int flags, std::optional<Address>* from,
                            BadAddress bad = {});
MaySleep<long> sys_shutdown(Kernel& k, int fd, int how);
MaySleep<long> sys_close(Kernel& k, int fd);
MaySleep<long> sys_getsockname(Kernel& k, int fd, Address* out);
MaySleep<long> sys_getsockname(Kernel& k, int fd, BadAddress out);
MaySleep<long> sys_getpeername(Kernel& k, int fd, Address* out);
MaySleep<long> sys_getpeername(Kernel& k, int fd, BadAddress out);
/// The value as ints: linger is {onoff, seconds}, a timeval {seconds, microseconds}.
MaySleep<long> sys_setsockopt(Kernel& k, int fd, int level, int option, std::vector<int> value);
MaySleep<long> sys_setsockopt(Kernel& k, int fd, int level, int option, UserPointer value);
MaySleep<long> sys_getsockopt(Kernel& k, int fd, int level, int option, std::vector<int>* value);
/// With a value, or the length of one, that is not there. What asking changes (SO_ERROR) is changed.
MaySleep<long> sys_getsockopt(Kernel& k, int fd, int level, int option, UserPointer value, UserPointer length);
MaySleep<long> sys_pipe2(Kernel& k, int fds[2], int flags);
MaySleep<long> sys_epoll_create1(Kernel& k, int flags);
MaySleep<long> sys_epoll_ctl(Kernel& k, int epfd, int op, int fd, user_epoll_event event);
/// With NULL for the event: -EFAULT before anything else, but for EPOLL_CTL_DEL, which reads none.
MaySleep<long> sys_epoll_ctl(Kernel& k, int epfd, int op, int fd, std::nullptr_t no_event);
/// `events` nullptr: -EFAULT when there is something to write, and what is ready stays so.
MaySleep<long> sys_epoll_wait(Kernel& k, int epfd, user_epoll_event* events, int maxevents, int timeout_ms);
/// `mask`, also of ppoll(): what is blocked meanwhile; nothing: as before.
MaySleep<long> sys_epoll_pwait(Kernel& k, int epfd, user_epoll_event* events, int maxevents, int timeout_ms,
                               std::optional<signal_set> mask);
/// A call whose mask, or whose times (timerfd_settime), its first argument, lies where nothing is: -EFAULT before
/// anything else. `entry`: of the call; `text`: the call in words.
MaySleep<long> sys_without_argument(Kernel& k, Fn entry, std::string text);

// poll_calls.cc
MaySleep<long> sys_eventfd2(Kernel& k, unsigned count, int flags);
/// `timeout_ms` < 0: for ever. The revents of `fds` are filled.
MaySleep<long> sys_poll(Kernel& k, struct pollfd* fds, std::size_t count, int timeout_ms);
MaySleep<long> sys_ppoll(Kernel& k, struct pollfd* fds, std::size_t count, int timeout_ms,
                         std::optional<signal_set> mask);
/// `sets` are replaced by what was found, unless the call fails. nullptr: one of them is not there.
MaySleep<long> sys_select(Kernel& k, int n, SelectSets* sets, int timeout_ms);
// sleep_calls.cc
/// futex(2) FUTEX_WAIT_PRIVATE: sleeps while `word` is `expected`. `timeout_ns` relative; kForever: none.
MaySleep<long> sys_futex_wait(Kernel& k, const std::atomic<u32>& word, u32 expected, u64 timeout_ns);
/// futex(2) FUTEX_WAKE_PRIVATE. How many were woken, at most `count`.
MaySleep<long> sys_futex_wake(Kernel& k, const std::atomic<u32>& word, int count);
/// On CLOCK_MONOTONIC, for so long from now.
MaySleep<long> sys_clock_nanosleep(Kernel& k, u64 duration_ns);

// poll_calls.cc
MaySleep<long> sys_timerfd_create(Kernel& k, int clock, int flags);
/// Relative times in ns; `first` 0 disarms.
MaySleep<long> sys_timerfd_settime(Kernel& k, int fd, u64 first, u64 interval);
MaySleep<long> sys_signalfd4(Kernel& k, signal_set set, int flags);
/// A call that fails before it does anything, with `error` > 0: an injected fault. `text`: the call in words.
MaySleep<long> sys_refused(Kernel& k, std::string text, int error);
MaySleep<long> sys_sigprocmask(Kernel& k, int how, signal_set set);

}  // namespace wakepath::kernel
