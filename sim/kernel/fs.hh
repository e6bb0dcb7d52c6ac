#pragma once

// Models: fs/file.c, fs/file_table.c, fs/read_write.c, fs/ioctl.c and the structures of include/linux/fs.h that a
// socket or an epoll touches, as of Linux 6.18. Left out: look-up by path, permissions, RCU and the growth of the
// descriptor table; none changes a result here. Inodes and dentries: inode.hh.

#include <string>
#include <vector>

#include "sim/kernel/inode.hh"

namespace wakepath::kernel {
enum class Rule : std::uint16_t;

struct file;
struct epitem;
struct poll_table;

/// O_LARGEFILE, which open(2) and memfd_create(2) set by themselves on 64-bit machines; the C library's is 0 there.
constexpr u32 kLargeFile = 0100000;

/// What a kind of file can do; its address says of which kind a file is (`f_op`). Members may be nullptr.
struct file_operations {
  MaySleep<long> (*read)(Kernel&, file*, void* buffer, std::size_t size);
  MaySleep<long> (*write)(Kernel&, file*, const void* data, std::size_t size);
  poll_t (*poll)(Kernel&, file*, poll_table*);
  void (*release)(Kernel&, file*);
  /// unlocked_ioctl: commands that are about this kind of file; `argument` is read or written, by the command.
  long (*ioctl)(Kernel&, file*, unsigned command, int* argument) = nullptr;
  /// The new position. nullptr: the file has none (-ESPIPE).
  long (*llseek)(Kernel&, file*, long offset, int whence) = nullptr;
};

/// Hook of fs/eventpoll.c: the epitems that watch this file, in order of their making. Linux reaches them through
/// f_ep -> epitems_head -> fllink.
struct epitems_head;

/// An open file description, include/linux/fs.h.
struct file {
  record::Field<const file_operations*> f_op;
  record::Field<file_flags> f_flags;
  u16 held = 0;              ///< Those of f_ref that are of system calls (HeldFile, files they send): checks compare.
  record::Field<int> f_ref;  ///< Plain count of references; Linux 6.18 stores it minus one.
  record::Ptr<inode> f_inode;
  record::Ptr<dentry> f_dentry;  ///< f_path.dentry; nullptr: /dev/null, which stands in a real directory.
  record::Ptr<epitems_head> f_ep;
  record::Field<long> f_pos;                   ///< Where a regular file is read and written next; others leave it 0.
  record::Field<record::AnyPtr> private_data;  ///< struct socket*, eventpoll* or pipe_inode_info*, by f_op.

  static void describe(record::KindBuilder<file>& b);
};

/// One used slot of fdtable.fd[]: a number and what it refers to. Linux has an array; the model has only used slots.
struct fd_slot {
  record::Ptr<struct file> file;
  record::Field<int> fd;
  record::Field<bool> close_on_exec;
  record::ListNode<fd_slot> node;

  static void describe(record::KindBuilder<fd_slot>& b);
};

/// A descriptor table. Threads of a process share it.
struct files_struct {
  record::Field<int> count;    ///< Tasks that use it.
  record::Field<u32> next_fd;  ///< No number below it is free.
  record::List<fd_slot, &fd_slot::node> fd_array;

  std::vector<fd_slot*> by_number;  ///< Index into the same slots.

  static void describe(record::KindBuilder<files_struct>& b);
};

// --- descriptors (of the current task) ---
/// Reserves the lowest free number; -EMFILE above the limit. It refers to nothing (EBADF) until fd_install().
int get_unused_fd(Kernel& k, bool close_on_exec);
void put_unused_fd(Kernel& k, int fd);
/// A number reserved over a sleep: given back when it was not used, also when the sleeper is killed.
class ReservedFd {
 public:
  ReservedFd(Kernel& k, bool close_on_exec);
  ~ReservedFd();
  ReservedFd(const ReservedFd&) = delete;
  ReservedFd& operator=(const ReservedFd&) = delete;
  /// The number, or -EMFILE.
  [[nodiscard]] int fd() const { return fd_; }
  /// As fd_install(). Returns the number.
  int install(struct file* file);

 private:
  Kernel& k_;
  files_struct* files_;
  int fd_;
};
/// The file's reference passes to the table.
void fd_install(Kernel& k, int fd, struct file* file);
/// nullptr when there is no such descriptor.
struct file* fd_file(Kernel& k, int fd);
/// As fdget()/fdput(): the file of a descriptor, held for the length of a system call.
class HeldFile {
 public:
  HeldFile(Kernel& k, int fd);
  ~HeldFile();
  HeldFile(const HeldFile&) = delete;
  HeldFile& operator=(const HeldFile&) = delete;
  [[nodiscard]] struct file* get() const { return file_; }
  explicit operator bool() const { return file_ != nullptr; }

 private:
  Kernel& k_;
  struct file* file_;
};

/// Why one of the next three gave none. Asked at once: what is freed on the way back counts.
Rule why_no_file(const Kernel& k);
/// A file with a dentry of its own for `inode`, whose reference passes to it. nullptr: no memory, and the reference is
/// the caller's still.
struct file* alloc_file_pseudo(Kernel& k, struct inode* inode, vfsmount* mnt, const char* name, file_flags flags,
                               const file_operations* fop);
/// A second file with the same dentry: the other end of a pipe. nullptr: no memory.
struct file* alloc_file_clone(Kernel& k, struct file* base, file_flags flags, const file_operations* fop);
/// A file without a dentry, which open(2) would have found: /dev/null.
struct file* alloc_empty_file(Kernel& k, file_flags flags, const file_operations* fop);
/// fs/anon_inodes.c: a file of the one anonymous inode. nullptr: no memory.
struct file* __anon_inode_getfile(Kernel& k, const char* name, const file_operations* fop, file_flags flags);
/// fs/d_path.c: what a link in /proc/PID/fd shows of a file that has a dentry.
std::string d_path(const Kernel& k, const struct file* file);
/// fs/statfs.c: of a file that has a dentry.
void vfs_statfs(const struct file* file, kstatfs* out);
void fput(Kernel& k, struct file* file);
/// The end of an open file description, whose last reference is gone.
void __fput(Kernel& k, struct file* file);
/// As fput() of Linux: the end, if it is the end, comes before the running call returns (task_work).
void fput_deferred(Kernel& k, struct file* file);
/// close(2) of one number. -EBADF.
MaySleep<long> close_fd(Kernel& k, int fd);
/// A second number for the file, the lowest free one from `from` on. -EINVAL beyond the limit, -EMFILE.
long f_dupfd(Kernel& k, u32 from, struct file* file, bool close_on_exec);
/// `newfd` comes to mean what `oldfd` means; what it meant before is closed. -EINVAL for unknown flags and equal
/// numbers, -EBADF, -EBUSY while another call has reserved the number.
long ksys_dup3(Kernel& k, int oldfd, int newfd, int flags);
/// setrlimit(2), RLIMIT_NOFILE: how many descriptors the process of the running task may have, or rather, below what
/// their numbers are; those that it has already stay. The hard limit is Config::rlimit_nofile. -EINVAL above that.
long do_prlimit_nofile(Kernel& k, u64 soft);
/// Of the process of the running task.
std::size_t rlimit_nofile(const Kernel& k);
/// fcntl() F_SETFL: O_APPEND, O_NONBLOCK, O_DIRECT and O_ASYNC, as far as the kind of file knows them. -EINVAL for
/// O_DIRECT on what cannot.
long setfl(Kernel& k, struct file* file, int flags);
/// fcntl() F_GETFD and F_SETFD, of an open descriptor.
long do_fcntl_fd(Kernel& k, int fd, int command, int argument);
/// execve(2), fs/exec.c: the process, which has no other thread, goes on as a new program. Descriptors with
/// close-on-exec are closed, the lowest first (their files end as task work, the last one first); handlers are
/// forgotten, what is blocked or pending stays.
void begin_new_exec(Kernel& k);
/// All that the table has open, then the table. The files end as task work, the last one first, when the task exits.
void put_files_struct(Kernel& k, files_struct* files);

// --- read_write.cc: -EBADF for the wrong direction, -EINVAL for files that cannot be read (written) at all ---
MaySleep<long> vfs_read(Kernel& k, struct file* file, void* buffer, std::size_t size);
MaySleep<long> vfs_write(Kernel& k, struct file* file, const void* data, std::size_t size);
MaySleep<long> vfs_readv(Kernel& k, struct file* file, void* buffer, std::size_t size);
MaySleep<long> vfs_writev(Kernel& k, struct file* file, const void* data, std::size_t size);
/// FIONBIO of every file, then the file's own commands. -ENOTTY.
long do_vfs_ioctl(Kernel& k, struct file* file, unsigned command, int* argument);

poll_t vfs_poll(Kernel& k, struct file* file, poll_table* table);

/// -EINVAL for an unknown `whence`, -ESPIPE when the file has no position.
long ksys_lseek(Kernel& k, struct file* file, long offset, int whence);
/// llseek of files that have a position without a meaning.
long noop_llseek(Kernel& k, struct file* file, long offset, int whence);

}  // namespace wakepath::kernel
