#include <sys/signalfd.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <unistd.h>

#include <algorithm>
#include <cstring>

#include "src/scenario/kernel_handlers.hh"

namespace wakepath::scenario {
namespace {

/// To be asked before the call: when it returns, the descriptor may have been closed.
bool is_signalfd(int fd) {
  char kind[64] = "";
  const std::string link = "/proc/thread-self/fd/" + std::to_string(fd);
  return readlink(link.c_str(), kind, sizeof kind - 1) > 0 && std::strcmp(kind, "anon_inode:[signalfd]") == 0;
}

/// Who sent a signal is not compared: pid and uid of what a signalfd gives are put to 0.
void hide_senders(std::string& data) {
  for (size_t at = 0; at + sizeof(signalfd_siginfo) <= data.size(); at += sizeof(signalfd_siginfo)) {
    std::memset(&data[at + offsetof(signalfd_siginfo, ssi_pid)], 0, sizeof(signalfd_siginfo::ssi_pid));
    std::memset(&data[at + offsetof(signalfd_siginfo, ssi_uid)], 0, sizeof(signalfd_siginfo::ssi_uid));
  }
}

/// A list of buffers that is not there is one of one buffer.
size_t list_size(const Request& r, const std::vector<iovec>& parts) {
  return r.buffer == Pointer::good ? parts.size() : 1;
}

/// Room for as many descriptors as one message can carry, and a few more.
struct Control {
  alignas(cmsghdr) char bytes[CMSG_SPACE(256 * sizeof(int))] = {};
};

}  // namespace

void receive(const Request& r, Outcome& out) {
  std::string buffer(static_cast<size_t>(r.numbers[1]), '\0');
  sockaddr_storage from{};
  socklen_t size = sizeof from;
  const bool wants_address = r.call == Call::recvfrom;
  long n = 0;
  const bool signals = is_signalfd(fd_of(r));
  void* const where = pointer_to(r.buffer, buffer.data());
  if (r.call == Call::read) {
    n = syscall(SYS_read, fd_of(r), where, buffer.size());
  } else {
    n = syscall(SYS_recvfrom, fd_of(r), where, buffer.size(), at(r, 2),
                pointer_to(r.address_at, wants_address ? &from : nullptr),
                pointer_to(r.length_at, wants_address ? &size : nullptr));
  }
  finish(out, n);
  if (n >= 0) {
    buffer.resize(std::min(static_cast<size_t>(n), buffer.size()));  // MSG_TRUNC gives more than was stored
    if (signals) {
      hide_senders(buffer);
    }
    out.data = std::move(buffer);
    if (wants_address && size > 0 && r.address_at == Pointer::good && r.length_at == Pointer::good) {
      out.address = from_sockaddr(from, size);
    }
  }
}

void receive_pieces(const Request& r, Outcome& out) {
  std::vector<std::string> buffers;
  std::vector<iovec> parts;
  for (size_t i = 1; i < r.numbers.size(); ++i) {
    buffers.emplace_back(static_cast<size_t>(r.numbers[i]), '\0');
  }
  for (size_t i = 0; i < buffers.size(); ++i) {
    parts.push_back({pointer_to(r.pieces_at[i], buffers[i].data()), buffers[i].size()});
  }
  const bool signals = is_signalfd(fd_of(r));
  const long n = syscall(SYS_readv, fd_of(r), pointer_to(r.buffer, parts.data()), list_size(r, parts));
  finish(out, n);
  if (n >= 0) {
    std::string all;
    for (const std::string& buffer : buffers) {
      all += buffer;
    }
    all.resize(static_cast<size_t>(n));
    if (signals) {
      hide_senders(all);
    }
    out.data = std::move(all);
  }
}

void receive_message(const Request& r, Outcome& out) {
  std::string buffer(static_cast<size_t>(r.numbers[1]), '\0');
  iovec part{pointer_to(r.buffer, buffer.data()), buffer.size()};
  Control control;
  msghdr message{};
  message.msg_iov = &part;
  message.msg_iovlen = 1;
  message.msg_control = control.bytes;
  message.msg_controllen = sizeof control.bytes;
  const long n = syscall(SYS_recvmsg, fd_of(r), &message, at(r, 2));
  finish(out, n);
  if (n < 0) {
    return;
  }
  buffer.resize(std::min(static_cast<size_t>(n), buffer.size()));
  out.data = std::move(buffer);
  for (cmsghdr* header = CMSG_FIRSTHDR(&message); header != nullptr; header = CMSG_NXTHDR(&message, header)) {
    if (header->cmsg_level == SOL_SOCKET && header->cmsg_type == SCM_RIGHTS) {
      out.fds.resize((header->cmsg_len - CMSG_LEN(0)) / sizeof(int));
      std::memcpy(out.fds.data(), CMSG_DATA(header), out.fds.size() * sizeof(int));
    }
  }
}

void send_bytes(const Request& r, Outcome& out) {
  void* const where = pointer_to(r.buffer, r.data.data());
  if (r.call == Call::write) {
    finish(out, syscall(SYS_write, fd_of(r), where, r.data.size()));
    return;
  }
  sockaddr_storage address{};
  const bool named = r.call == Call::sendto;
  const socklen_t size = named ? size_at(r, to_sockaddr(r.address, address)) : 0;
  finish(out, syscall(SYS_sendto, fd_of(r), where, r.data.size(), at(r, 1),
                      pointer_to(r.address_at, named ? &address : nullptr), size));
}

void send_pieces(const Request& r, Outcome& out) {
  std::vector<iovec> parts;
  for (size_t i = 0; i < r.pieces.size(); ++i) {
    parts.push_back({pointer_to(r.pieces_at[i], r.pieces[i].data()), r.pieces[i].size()});
  }
  if (r.call == Call::writev) {
    finish(out, syscall(SYS_writev, fd_of(r), pointer_to(r.buffer, parts.data()), list_size(r, parts)));
  } else {
    msghdr message{};
    message.msg_iov = static_cast<iovec*>(pointer_to(r.buffer, parts.data()));
    message.msg_iovlen = list_size(r, parts);
    Control control;
    if (!r.rights.empty()) {
      message.msg_control = control.bytes;
      message.msg_controllen = CMSG_SPACE(r.rights.size() * sizeof(int));
      cmsghdr* header = CMSG_FIRSTHDR(&message);
      header->cmsg_level = SOL_SOCKET;
      header->cmsg_type = SCM_RIGHTS;
      header->cmsg_len = CMSG_LEN(r.rights.size() * sizeof(int));
      std::memcpy(CMSG_DATA(header), r.rights.data(), r.rights.size() * sizeof(int));
    }
    finish(out, syscall(SYS_sendmsg, fd_of(r), &message, at(r, 1)));
  }
}

}  // namespace wakepath::scenario
