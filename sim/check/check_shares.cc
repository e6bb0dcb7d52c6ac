#include <fmt/format.h>

#include <map>

#include "sim/check/check.hh"

namespace wakepath::check {

using namespace kernel;  // NOLINT

namespace {

/// A descriptor table counts the tasks that share it.
void check_tables(const Kernel& k, Complaints& out) {
  std::map<trace::ObjectId, int> users;
  for (const task_struct* task : k.task_by_id)
    if (task != nullptr && task->files != nullptr) ++users[record::object_of(task->files.get())];
  k.files_structs.for_each([&](const files_struct& table) {
    int counted = users[record::object_of(&table)];
    if (table.count != counted)
      out.push_back(fmt::format("{}: count is {}, but {} tasks use it", named("files_struct", &table),
                                table.count.get(), counted));
  });
}

/// A pipe counts its bytes, and the open files at each of its ends.
void check_pipes(const Kernel& k, Complaints& out) {
  std::map<trace::ObjectId, std::pair<u32, u32>> ends;
  k.files.for_each([&](const file& f) {
    if (f.f_op.get() != &pipefifo_fops) return;
    auto& [readers, writers] = ends[record::object_of(f.private_data.get().as<pipe_inode_info>())];
    ++((f.f_flags & O_WRONLY) != 0 ? writers : readers);
  });
  k.pipes.for_each([&](const pipe_inode_info& pipe) {
    std::size_t bytes = 0;
    for (const pipe_page& page : pipe.pages) bytes += page.data.size() - page.read;
    if (pipe.bytes != bytes)
      out.push_back(
          fmt::format("{}: bytes is {}, but its pages hold {}", named("pipe", &pipe), pipe.bytes.get(), bytes));
    auto [readers, writers] = ends[record::object_of(&pipe)];
    if (pipe.readers != readers || pipe.writers != writers)
      out.push_back(fmt::format("{}: {} readers and {} writers, but {} and {} open files", named("pipe", &pipe),
                                pipe.readers.get(), pipe.writers.get(), readers, writers));
  });
}

/// An urgent byte waits in the queue of its receiver, unread; bytes are counted at least as often as they are there.
void check_unix_streams(const Kernel& k, Complaints& out) {
  k.unix_socks.for_each([&](const unix_sock& u) {
    if (u.sk.sk_type != SOCK_STREAM || u.sk.common.skc_state == TcpState::LISTEN) return;
    bool found = u.oob_skb == nullptr;
    int unread = 0;
    for (const sk_buff* skb : u.sk.sk_receive_queue.list) {
      found = found || (skb == u.oob_skb && skb->len == 1 && !unix_skb_spent(skb));
      unread += static_cast<int>(skb->len - skb->consumed);
    }
    if (!found) out.push_back(named("unix_sock", &u) + ": oob_skb is no unread byte of its queue");
    if (u.inq_len < unread)
      out.push_back(
          fmt::format("{}: inq_len is {}, but {} bytes are unread", named("unix_sock", &u), u.inq_len.get(), unread));
  });
}

/// A sock of AF_UNIX is held by its socket (or by who makes it), by those that it is the peer of, and by calls.
void check_unix_references(const Kernel& k, Complaints& out) {
  std::map<trace::ObjectId, int> references;
  k.unix_socks.for_each([&](const unix_sock& u) {
    if (u.peer != nullptr) ++references[record::object_of(u.peer.get())];
  });
  k.unix_socks.for_each([&](const unix_sock& u) {
    int counted = references[record::object_of(&u)] + u.held + (sock_flag(&u.sk, SOCK_DEAD_BIT) ? 0 : 1);
    if (u.sk.common.skc_refcnt != counted)
      out.push_back(fmt::format("{}: skc_refcnt is {}, but {} references are known", named("unix_sock", &u),
                                u.sk.common.skc_refcnt.get(), counted));
  });
}

}  // namespace

void check_shares(const Kernel& k, Complaints& out) {
  check_tables(k, out);
  check_pipes(k, out);
  check_unix_streams(k, out);
  check_unix_references(k, out);
}

}  // namespace wakepath::check
