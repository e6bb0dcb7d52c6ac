#include "sim/check/check.hh"

#include <fmt/format.h>

#include <map>

#include "sim/kernel/tcp_close.hh"

namespace wakepath::check {

using namespace kernel;  // NOLINT: this folder is about nothing else

std::string named(const char* kind, const void* object) {
  return fmt::format("{} {}", kind, record::object_of(object));
}

namespace {

/// The file that a sleeping accept() makes for the connection that will come: that call alone has it.
bool is_unaccepted(const file& f) {
  return f.f_op.get() == &socket_file_ops && f.private_data.get().as<struct socket>()->sk == nullptr;
}

/// Each file but /dev/null's has a dentry, each dentry an inode; the counts are those of who refers to them.
void check_dentries(const Kernel& k, Complaints& out) {
  std::map<trace::ObjectId, int> files;
  std::map<const inode*, int> names;
  k.files.for_each([&](const file& f) {
    if (f.f_dentry == nullptr) return;
    ++files[record::object_of(f.f_dentry.get())];
    if (f.f_inode.get() != f.f_dentry->d_inode.get())
      out.push_back(named("file", &f) + " and its dentry disagree about the inode");
  });
  k.dentries.for_each([&](const dentry& d) {
    ++names[d.d_inode];
    if (d.d_lockref != files[record::object_of(&d)])
      out.push_back(fmt::format("{}: {} references, but {} files", named("dentry", &d), d.d_lockref.get(),
                                files[record::object_of(&d)]));
  });
  auto check_inode = [&](const inode& i) {
    int references = names[&i] + (&i == k.anon_inode_inode ? 1 : 0);
    if (i.i_count != references)
      out.push_back(fmt::format("inode of {}: {} references, but {} dentries", record::object_of(&i), i.i_count.get(),
                                names[&i]));
  };
  k.inodes.for_each(check_inode);
  k.shmem_inodes.for_each([&](const shmem_inode_info& info) { check_inode(info.vfs_inode); });
  k.socket_allocs.for_each([&](const socket_alloc& whole) { check_inode(whole.vfs_inode); });
}

bool is_lingering(const file& f) { return f.f_ref == 0 && lingers(&f); }

void check_sockfs(const Kernel& k, Complaints& out) {
  std::size_t socket_files = 0;
  k.files.for_each([&](const file& f) { socket_files += f.f_op.get() == &socket_file_ops ? 1 : 0; });
  if (socket_files != k.socket_allocs.live())
    out.push_back(fmt::format("{} socket files, but {} sockets", socket_files, k.socket_allocs.live()));
  k.socket_allocs.for_each([&](const socket_alloc& whole) {
    const struct socket& socket = whole.socket;
    if (socket.file == nullptr) out.push_back(named("socket", &whole) + " has no file");
    if (socket.sk == nullptr) return;
    if (socket.sk->sk_socket.get() != &socket) out.push_back(named("socket", &whole) + ": its sock has another socket");
    if (socket.sk->sk_wq.get() != &socket.wq()) out.push_back(named("socket", &whole) + ": its sock waits elsewhere");
  });
}

}  // namespace

void check_files(const Kernel& k, Complaints& out) {
  std::map<trace::ObjectId, int> slots;  // descriptors, files under way in messages, entries of poll()
  k.fd_slots.for_each([&](const fd_slot& slot) {
    if (slot.file != nullptr) ++slots[record::object_of(slot.file.get())];
  });
  k.scm_fps.for_each([&](const scm_fp& place) { ++slots[record::object_of(place.file.get())]; });
  k.poll_entries.for_each([&](const poll_table_entry& entry) { ++slots[record::object_of(entry.filp.get())]; });
  k.files.for_each([&](const file& f) {
    if (is_lingering(f)) return;  // the last reference is gone, but its close() sleeps on the way to its end
    int references = slots[record::object_of(&f)] + f.held + (is_unaccepted(f) ? 1 : 0);
    if (f.f_ref <= 0 || f.f_ref != references)
      out.push_back(fmt::format("{}: f_ref is {}, but {} descriptors, messages, polls and calls refer to it",
                                named("file", &f), f.f_ref.get(), references));
  });
  check_dentries(k, out);
  check_sockfs(k, out);
}

Complaints check_invariants(const Kernel& k) {
  Complaints out;
  check_files(k, out);
  check_epolls(k, out);
  check_sockets(k, out);
  check_datagrams(k, out);
  check_shares(k, out);
  check_sleepers(k, out);
  check_run_queues(k, out);
  return out;
}

Complaints check_all_freed(const Kernel& k) {
  Complaints out;
  auto none = [&](const char* kind, std::size_t live) {
    if (live != 0) out.push_back(fmt::format("{} {} left", live, kind));
  };
  none("files_struct", k.files_structs.live());
  none("fd", k.fd_slots.live());
  none("file", k.files.live());
  none("dentry", k.dentries.live());
  none("inode beside the anonymous one", k.inodes.live() - 1);
  none("shmem_inode_info", k.shmem_inodes.live());
  none("socket_alloc", k.socket_allocs.live());
  none("eventpoll", k.eventpolls.live());
  none("epitem", k.epitems.live());
  none("epitems_head", k.epitems_heads.live());
  none("eppoll_entry", k.eppoll_entries.live());
  none("wait_queue_entry", k.wait_entries.live());
  none("tcp_sock", k.tcp_socks.live());
  none("udp_sock", k.udp_socks.live());
  none("udp_hslot", k.udp_hslots.live() + k.udp_hslots2.live());
  none("tcp_request_sock", k.request_socks.live());
  none("tcp_timewait_sock", k.timewait_socks.live());
  none("sk_buff", k.skbs.live());
  none("inet_bind_bucket", k.bind_buckets.live() + k.bind2_buckets.live());
  none("sock_reuseport", k.reuseports.live());
  none("unix_sock", k.unix_socks.live());
  none("unix_address", k.unix_addresses.live());
  none("scm_fp_list", k.scm_fp_lists.live());
  none("scm_fp", k.scm_fps.live());
  none("pipe_inode_info", k.pipes.live());
  none("eventfd_ctx", k.eventfds.live());
  none("timerfd_ctx", k.timerfds.live());
  none("signalfd_ctx", k.signalfds.live());
  none("poll_table_entry", k.poll_entries.live());
  none("poll_wqueues", k.poll_wqueues_.live());
  none("sighand_struct", k.sighands.live());
  if (k.scheduler.next_deadline()) out.emplace_back("a timer is still armed");
  return out;
}

}  // namespace wakepath::check
