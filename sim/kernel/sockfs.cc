// Models: of net/socket.c (Linux 6.18) sockfs: a socket and its inode in one object, and its file.
// What is left out stands at the top of socket.hh.

#include <fmt/format.h>
#include <linux/magic.h>
#include <sys/stat.h>

#include "sim/kernel/kernel.hh"

namespace wakepath::kernel {

namespace {

inode* SOCK_INODE(struct socket* socket) { return &container_of(socket, &socket_alloc::socket)->vfs_inode; }
socket_alloc* whole_of(inode* inode) { return container_of(inode, &socket_alloc::vfs_inode); }

}  // namespace

void socket_wq::describe(record::KindBuilder<socket_wq>& b) {
  b.embed(&socket_wq::wait, "wait", "wait_queue_head", 0, 24);
}

void socket::describe(record::KindBuilder<struct socket>& b) {
  b.field(&socket::state, "state")
      .field(&socket::type, "type")
      .field(&socket::file, "file")
      .field(&socket::sk, "sk")
      .field(&socket::ops, "ops");
  if (b.variant() == static_cast<unsigned>(Profile::v4_19))
    b.field(&socket::wq_apart, "wq");
  else
    b.embed(&socket::wq_inside, "wq", "socket_wq", 64, 64);
}

void socket_alloc::describe(record::KindBuilder<socket_alloc>& b) {
  b.embed(&socket_alloc::socket, "socket", "socket", 0, 128)
      .embed(&socket_alloc::vfs_inode, "vfs_inode", "inode", 128, 616);
}

inode* sock_alloc_inode(Kernel& k) {
  Call call(k, Fn::sock_alloc_inode, nullptr);
  socket_alloc* whole = k.alloc(k.socket_allocs);
  if (whole == nullptr) return nullptr;
  if (k.linux_4_19()) whole->socket.wq_apart = k.socket_wqs.make();
  whole->socket.state = SocketState::SS_UNCONNECTED;
  return &whole->vfs_inode;
}

void sock_free_inode(Kernel& k, inode* inode) {
  Call call(k, Fn::sock_free_inode, inode);
  k.socket_allocs.free(whole_of(inode));
}

void sock_destroy_inode(Kernel& k, inode* inode) {
  Call call(k, Fn::sock_destroy_inode, inode);
  k.socket_wqs.free(whole_of(inode)->socket.wq_apart);
  k.socket_allocs.free(whole_of(inode));
}

std::string sockfs_dname(const Kernel&, const dentry* dentry) {
  return fmt::format("socket:[{}]", dentry->d_inode->i_ino.get());
}

const super_operations sockfs_ops = {sock_alloc_inode, nullptr, sock_free_inode, nullptr, simple_statfs};
const super_operations sockfs_ops_4_19 = {sock_alloc_inode, sock_destroy_inode, nullptr, nullptr, simple_statfs};
const dentry_operations sockfs_dentry_operations = {sockfs_dname};
const file_system_type sock_fs_type = {"sockfs", SOCKFS_MAGIC, &sockfs_ops, &sockfs_dentry_operations};
const file_system_type sock_fs_type_4_19 = {"sockfs", SOCKFS_MAGIC, &sockfs_ops_4_19, &sockfs_dentry_operations};

struct socket* sock_alloc(Kernel& k) {
  Call call(k, Fn::sock_alloc, nullptr);
  inode* inode = alloc_inode(k, k.sock_mnt->mnt_sb);
  if (inode == nullptr) return nullptr;
  inode->i_ino = k.next_ino++;
  inode->i_mode = record::Hex{S_IFSOCK | 0777};
  return &whole_of(inode)->socket;
}

void sock_release(Kernel& k, struct socket* socket) {
  if (socket->ops != nullptr) socket->ops->release(k, socket);
  if (socket->file == nullptr)
    iput(k, SOCK_INODE(socket));
  else
    socket->file = nullptr;
}

file* sock_alloc_file(Kernel& k, struct socket* socket, int flags, const char* name) {
  Call call(k, Fn::sock_alloc_file, socket);
  auto kept = static_cast<file_flags>(O_RDWR | (flags & O_NONBLOCK));
  file* file = alloc_file_pseudo(k, SOCK_INODE(socket), k.sock_mnt, name, kept, &socket_file_ops);
  if (file == nullptr) {
    sock_release(k, socket);
    return nullptr;
  }
  socket->file = file;
  file->private_data = socket;
  return file;
}

long sock_map_fd(Kernel& k, struct socket* socket, int flags) {
  int fd = get_unused_fd(k, (flags & O_CLOEXEC) != 0);
  if (fd < 0) {
    sock_release(k, socket);
    return fd;
  }
  file* file = sock_alloc_file(k, socket, flags, socket->sk->sk_prot->name);
  if (file == nullptr) {
    put_unused_fd(k, fd);
    return k.error(why_no_file(k), nullptr);
  }
  fd_install(k, fd, file);
  return fd;
}

}  // namespace wakepath::kernel
