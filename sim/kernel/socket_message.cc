// Models: sendmsg() and recvmsg() of net/socket.c, scm_fp_copy() and scm_detach_fds() of net/core/scm.c, Linux 6.18.
// Left out: control messages other than SCM_RIGHTS; sendmmsg(), recvmmsg().

#include "sim/kernel/kernel.hh"
#include "sim/kernel/uaccess.hh"

namespace wakepath::kernel {

namespace {

constexpr std::size_t kMaxRights = 253;  // SCM_MAX_FD

void add_dontwait(const struct file* file, int* flags) {
  if ((file->f_flags & O_NONBLOCK) != 0) *flags |= MSG_DONTWAIT;
}

/// References that a message holds until somebody takes them: given back otherwise, also when the sleeper is killed.
struct RightsGuard {
  Kernel& k;
  std::vector<struct file*>& files;
  ~RightsGuard() {
    for (struct file* file : files) {
      --file->held;
      fput_deferred(k, file);
    }
    files.clear();
  }
};

long scm_fp_copy(Kernel& k, const std::vector<int>& rights, OutMessage& message) {
  Call call(k, Fn::scm_fp_copy, nullptr);
  if (rights.size() > kMaxRights) return call.result(k.error(Rule::scm_too_many, nullptr));
  if (k.allocation_fails()) return call.result(k.error(Rule::no_memory, nullptr));  // the list
  for (int fd : rights) {
    struct file* file = fd_file(k, fd);
    if (file == nullptr) return call.result(k.error(Rule::fd_not_open, nullptr));
    ++file->f_ref;
    ++file->held;
    message.rights.push_back(file);
  }
  return call.result(0);
}

/// A descriptor for each file, as long as there are any; the rest is closed.
void scm_detach_fds(Kernel& k, InMessage& message, std::vector<int>* rights) {
  Call call(k, Fn::scm_detach_fds, nullptr);
  std::vector<struct file*> left = std::move(message.rights);
  message.rights.clear();
  RightsGuard guard{k, left};
  while (!left.empty()) {
    int fd = get_unused_fd(k, (message.flags & MSG_CMSG_CLOEXEC) != 0);
    if (fd < 0) {
      message.out_flags |= MSG_CTRUNC;
      return;
    }
    --left.front()->held;
    fd_install(k, fd, left.front());
    left.erase(left.begin());
    rights->push_back(fd);
  }
}

}  // namespace

MaySleep<long> __sys_sendmsg(Kernel& k, int fd, OutMessage& message, const std::vector<int>& rights) {
  Call call(k, Fn::__sys_sendmsg, nullptr);
  HeldFile held(k, fd);
  long error = 0;
  struct socket* socket = sock_from_fd(k, held, &error);
  if (error != 0) co_return call.result(error);
  if (!access_ok(message.data)) co_return call.result(k.error(Rule::bad_address, socket));
  add_dontwait(held.get(), &message.flags);
  RightsGuard guard{k, message.rights};
  if (socket->sk->common.skc_family == AF_UNIX && !rights.empty())  // others do not look at SCM_RIGHTS
    if (error = scm_fp_copy(k, rights, message); error != 0) co_return call.result(error);
  co_return call.result(co_await socket->ops->sendmsg(k, socket, message));
}

MaySleep<long> __sys_recvmsg(Kernel& k, int fd, InMessage& message, std::vector<int>* rights) {
  Call call(k, Fn::__sys_recvmsg, nullptr);
  HeldFile held(k, fd);
  long error = 0;
  struct socket* socket = sock_from_fd(k, held, &error);
  if (error != 0) co_return call.result(error);
  if (!access_ok(message.buffer)) co_return call.result(k.error(Rule::bad_address, socket));
  add_dontwait(held.get(), &message.flags);
  message.takes_rights = true;
  RightsGuard guard{k, message.rights};
  long result = co_await socket->ops->recvmsg(k, socket, message);
  if (!message.rights.empty()) scm_detach_fds(k, message, rights);
  co_return call.result(result);
}

}  // namespace wakepath::kernel
