// Files without a directory: how the model makes, names and frees them, beside the running kernel's own answers.
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/statfs.h>
#include <sys/timerfd.h>
#include <unistd.h>

#include <fstream>
#include <limits>
#include <regex>

#include "tests/kernel/machine.hh"

namespace wakepath::testing_kernel {
namespace {

using namespace kernel;  // NOLINT

/// One descriptor of each kind, as number 3 of a fresh process of the model and as a descriptor of this one.
struct Twin {
  const char* kind;
  std::function<MaySleep<long>(Kernel&, int*)> ours;
  std::function<int()> real;
};

int real_pipe_end(int which) {
  int fds[2] = {-1, -1};
  EXPECT_EQ(pipe(fds), 0);
  close(fds[1 - which]);
  return fds[which];
}

const Twin kTwins[] = {
    {"TCP", [](Kernel& k, int*) { return sys_socket(k, AF_INET, SOCK_STREAM, 0); },
     [] { return ::socket(AF_INET, SOCK_STREAM, 0); }},
    {"AF_UNIX", [](Kernel& k, int*) { return sys_socket(k, AF_UNIX, SOCK_DGRAM, 0); },
     [] { return ::socket(AF_UNIX, SOCK_DGRAM, 0); }},
    {"pipe", [](Kernel& k, int* fds) { return sys_pipe2(k, fds, 0); }, [] { return real_pipe_end(0); }},
    {"eventfd", [](Kernel& k, int*) { return sys_eventfd2(k, 0, 0); }, [] { return eventfd(0, 0); }},
    {"epoll", [](Kernel& k, int*) { return sys_epoll_create1(k, 0); }, [] { return epoll_create1(0); }},
    {"timerfd", [](Kernel& k, int*) { return sys_timerfd_create(k, CLOCK_MONOTONIC, 0); },
     [] { return timerfd_create(CLOCK_MONOTONIC, 0); }},
    {"memfd", [](Kernel& k, int*) { return sys_memfd_create(k, "notes", 0); }, [] { return memfd_create("notes", 0); }},
};

file* file_at(const Machine& m, std::size_t fd) { return m.server->files->by_number.at(fd)->file; }

TEST(Files, HaveTheNameAndTheFileSystemThatTheRunningKernelGivesThem) {
  auto without_number = [](const std::string& name) { return std::regex_replace(name, std::regex("\\d+"), "N"); };
  for (const Twin& twin : kTwins) {
    SCOPED_TRACE(twin.kind);
    Machine m;
    int fds[2] = {};
    ASSERT_GE(m.call(m.server, twin.ours(m.k, fds)), 0);
    int fd = twin.real();
    ASSERT_GE(fd, 0);
    char link[256] = {};
    ASSERT_GT(readlink(("/proc/self/fd/" + std::to_string(fd)).c_str(), link, sizeof link - 1), 0);
    EXPECT_EQ(without_number(d_path(m.k, file_at(m, 3))), without_number(link));
    struct statfs real {};
    ASSERT_EQ(fstatfs(fd, &real), 0);
    kstatfs ours;
    vfs_statfs(file_at(m, 3), &ours);
    EXPECT_EQ(ours.f_type, static_cast<u32>(real.f_type));
    EXPECT_EQ(ours.f_bsize, static_cast<u32>(real.f_bsize));
    EXPECT_EQ(ours.f_namelen, static_cast<u32>(real.f_namelen));
    struct stat status {};
    ASSERT_EQ(fstat(fd, &status), 0);
    constexpr u32 kPermissions = 07777;  // fstat() hides the type of the anonymous inode
    EXPECT_EQ(file_at(m, 3)->f_inode->i_mode.get().value & kPermissions, status.st_mode & kPermissions);
    close(fd);
  }
}

TEST(Files, OfAMachineThatHasJustStartedAreOfFourFileSystems) {
  Machine m;
  std::vector<std::string> known;
  std::ifstream filesystems("/proc/filesystems");
  for (std::string word; filesystems >> word;) known.push_back(word);
  std::vector<std::string> ours;
  for (const file_system_type* type : m.k.file_systems) ours.emplace_back(type->name);
  EXPECT_EQ(ours, (std::vector<std::string>{"tmpfs", "sockfs", "pipefs"})) << "anon_inodefs is only mounted";
  for (const std::string& name : ours) EXPECT_NE(std::find(known.begin(), known.end(), name), known.end()) << name;
  EXPECT_EQ(m.k.super_blocks.live(), 4u);
  EXPECT_TRUE(contains_in_order(
      events_of(*m.k.trace(), {0, m.k.trace()->size()}),
      {"call sock_init > register_filesystem", "create super_block in sock_init > kern_mount",
       "set super_block.s_op in kern_mount > pseudo_fs_fill_super",
       "set super_block.s_op->alloc_inode in pseudo_fs_fill_super", "create mount in sock_init > kern_mount"}));
}

TEST(Files, OfASocketAreOneObjectUnderTwoTypes) {
  Machine m;
  m.call(m.server, sys_socket(m.k, AF_INET, SOCK_STREAM, 0));
  EXPECT_TRUE(contains_in_order(
      m.seen(), {"call sock_alloc > alloc_inode > sock_alloc_inode", "create socket_alloc in sock_alloc_inode",
                 "create dentry in sock_alloc_file > alloc_file_pseudo > d_alloc_pseudo > __d_alloc",
                 "create file in sock_alloc_file > alloc_file_pseudo > alloc_empty_file"}));
  inode* inode = file_at(m, 3)->f_inode;
  auto* socket = file_at(m, 3)->private_data.get().as<struct socket>();
  EXPECT_EQ(&container_of(inode, &socket_alloc::vfs_inode)->socket, socket);
  EXPECT_EQ(record::object_of(inode), record::object_of(socket));
  EXPECT_EQ(m.k.trace()->string(file_at(m, 3)->f_dentry->d_name.get().id), "TCP");
}

TEST(Files, EndWithTheirDentryAndItsInode) {
  Machine m;
  m.call(m.server, sys_socket(m.k, AF_INET, SOCK_STREAM, 0));
  m.call(m.server, sys_dup(m.k, 3));
  m.call(m.server, sys_close(m.k, 3));
  EXPECT_EQ(count_of(m.seen(), "call dput"), 0u) << "another number still leads to the file";
  m.call(m.server, sys_close(m.k, 4));
  EXPECT_TRUE(contains_in_order(
      m.seen(),
      {"free tcp_sock in __fput > sock_close",
       "call __fput > dput > __dentry_kill > dentry_unlink_inode > iput > evict > destroy_inode",
       "free socket_alloc in destroy_inode > sock_free_inode", "free dentry in dput > __dentry_kill", "free file"}));
}

TEST(Files, OfAPipeShareADentryAndThoseOfEventfdAndEpollAnInode) {
  Machine m;
  int fds[2] = {};
  ASSERT_EQ(m.call(m.server, sys_pipe2(m.k, fds, 0)), 0);
  EXPECT_EQ(file_at(m, 3)->f_dentry.get(), file_at(m, 4)->f_dentry.get());
  EXPECT_EQ(file_at(m, 3)->f_dentry->d_lockref, 2);
  ASSERT_EQ(m.call(m.server, sys_eventfd2(m.k, 0, 0)), 5);
  ASSERT_EQ(m.call(m.server, sys_epoll_create1(m.k, 0)), 6);
  EXPECT_EQ(file_at(m, 5)->f_inode.get(), file_at(m, 6)->f_inode.get());
  EXPECT_NE(file_at(m, 5)->f_dentry.get(), file_at(m, 6)->f_dentry.get());
}

TEST(Files, InMemoryHaveTheirInodeInsideWhatTmpfsKeeps) {
  Machine m;
  ASSERT_EQ(m.call(m.server, sys_memfd_create(m.k, "notes", 0)), 3);
  EXPECT_TRUE(
      contains_in_order(m.seen(), {"call __shmem_file_setup > __shmem_get_inode > alloc_inode > shmem_alloc_inode",
                                   "create shmem_inode_info", "create dentry", "create file"}));
  ASSERT_EQ(m.call(m.server, sys_write(m.k, 3, "hello", 5)), 5);
  EXPECT_TRUE(contains_in_order(m.seen(), {"call vfs_write > shmem_file_write_iter > generic_perform_write",
                                           "set shmem_inode_info.i_size 0 -> 5", "set file.f_pos 0 -> 5"}));
  inode* inode = file_at(m, 3)->f_inode;
  EXPECT_EQ(container_of(inode, &shmem_inode_info::vfs_inode)->i_size, 5);
  EXPECT_NE(static_cast<void*>(container_of(inode, &shmem_inode_info::vfs_inode)), static_cast<void*>(inode));
  m.call(m.server, sys_close(m.k, 3));
  EXPECT_TRUE(
      contains_in_order(m.seen(), {"call evict > shmem_evict_inode", "call evict > destroy_inode > shmem_destroy_inode",
                                   "call evict > destroy_inode > shmem_free_in_core_inode"}));
}

TEST(Files, HavePositionsUpToTheLargestNumber) {
  Machine m;
  constexpr long kMost = std::numeric_limits<long>::max();
  ASSERT_EQ(m.call(m.server, sys_memfd_create(m.k, "notes", 0)), 3);
  int real = memfd_create("notes", 0);
  auto seek = [&](long offset, int whence) {
    long ours = m.call(m.server, sys_lseek(m.k, 3, offset, whence));
    long theirs = lseek(real, offset, whence);
    EXPECT_EQ(ours, theirs < 0 ? -errno : theirs) << offset << " " << whence;
  };
  auto write = [&](const char* data, std::size_t size) {
    long ours = m.call(m.server, sys_write(m.k, 3, data, size));
    long theirs = ::write(real, data, size);
    EXPECT_EQ(ours, theirs < 0 ? -errno : theirs) << size;
  };
  seek(kMost, SEEK_SET);
  EXPECT_EQ(m.call(m.server, sys_read(m.k, 3, m.buffer, 1)), -EINVAL);
  write("x", 1);
  write("", 0);
  seek(1, SEEK_CUR);
  seek(kMost - 1, SEEK_SET);
  write("x", 1);
  seek(0, SEEK_END);
  close(real);
}

TEST(Files, AreSmallEnoughForAMillionSockets) {
  EXPECT_LE(sizeof(dentry), 32u);
  EXPECT_LE(sizeof(inode), 24u);
  EXPECT_LE(sizeof(file), 64u);
}

}  // namespace
}  // namespace wakepath::testing_kernel
