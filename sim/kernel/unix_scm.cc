// Models: SCM_RIGHTS: net/core/scm.c, unix_scm_to_skb(), unix_destruct_scm() of net/unix/af_unix.c, and
// net/unix/garbage.c of Linux 6.18. Left out: the kernel's search for strongly connected components. The model asks,
// until nothing changes: is a socket in flight held by a descriptor, or by a message that somebody can still receive?
// The answer is the same. The collector runs when the call that made it necessary has ended, not in a thread of its
// own.

#include <algorithm>

#include "sim/kernel/kernel.hh"
#include "sim/kernel/unix_sock.hh"

namespace wakepath::kernel {

void scm_fp::describe(record::KindBuilder<scm_fp>& b) { b.field(&scm_fp::file, "file"); }

void scm_fp_list::describe(record::KindBuilder<scm_fp_list>& b) {
  b.field(&scm_fp_list::count, "count").field(&scm_fp_list::count_unix, "count_unix").field(&scm_fp_list::fp, "fp");
}

namespace {

/// The sock of a file that is a socket of AF_UNIX, or nullptr.
sock* unix_get_socket(const struct file* file) {
  if (file->f_op.get() != &socket_file_ops) return nullptr;
  sock* sk = file->private_data.get().as<struct socket>()->sk;
  return sk != nullptr && sk->common.skc_family == AF_UNIX ? sk : nullptr;
}

void unix_del_edges(Kernel& k, scm_fp_list* fpl) {
  if (fpl->receiver == nullptr) return;
  for (const scm_fp* place : fpl->fp)
    if (sock* sk = unix_get_socket(place->file); sk != nullptr) --unix_sk(sk)->inflight;
  auto gone = [&](const unix_edge& edge) { return edge.message == fpl; };
  k.unix_edges.erase(std::remove_if(k.unix_edges.begin(), k.unix_edges.end(), gone), k.unix_edges.end());
  fpl->receiver = nullptr;
}

/// Takes the files out of the buffer. They keep their references.
std::vector<struct file*> unix_detach_fds(Kernel& k, sk_buff* skb) {
  scm_fp_list* fpl = skb->fp;
  unix_del_edges(k, fpl);
  std::vector<struct file*> files;
  while (scm_fp* place = fpl->fp.pop_front()) {
    files.push_back(place->file);
    k.scm_fps.free(place);
  }
  skb->fp = nullptr;
  k.scm_fp_lists.free(fpl);
  return files;
}

/// scm_fp_destroy(): the files are closed when the running call returns.
void scm_fp_destroy(Kernel& k, const std::vector<struct file*>& files) {
  for (auto it = files.rbegin(); it != files.rend(); ++it) fput_deferred(k, *it);
}

}  // namespace

void unix_destruct_scm(Kernel& k, sk_buff* skb) {
  Call call(k, Fn::unix_destruct_scm, skb);
  if (skb->fp != nullptr) scm_fp_destroy(k, unix_detach_fds(k, skb));
  sock_wfree(k, skb);
}

namespace {

/// unix_prepare_fpl(): a vertex for each socket of AF_UNIX that will be on its way, and the edges, all together.
bool unix_prepare_fpl(Kernel& k, const OutMessage& message) {
  bool any = false;
  for (const struct file* file : message.rights) {
    if (unix_get_socket(file) == nullptr) continue;
    any = true;
    if (k.allocation_fails()) return false;
  }
  return !any || !k.allocation_fails();
}

}  // namespace

bool unix_scm_to_skb(Kernel& k, OutMessage& message, sk_buff* skb) {
  skb->destructor = unix_destruct_scm;
  if (message.rights.empty()) return true;
  if (k.allocation_fails() || !unix_prepare_fpl(k, message)) return false;  // scm_fp_dup()
  scm_fp_list* fpl = k.scm_fp_lists.make();
  skb->fp = fpl;
  fpl->count = static_cast<int>(message.rights.size());
  for (struct file* file : message.rights) {
    scm_fp* place = k.scm_fps.make();
    place->file = file;
    --file->held;
    fpl->fp.push_back(place);
    if (unix_get_socket(file) != nullptr) ++fpl->count_unix;
  }
  message.rights.clear();
  return true;
}

void unix_add_edges(Kernel& k, sk_buff* skb, sock* receiver) {
  scm_fp_list* fpl = skb->fp;
  if (fpl == nullptr) return;
  fpl->receiver = receiver;
  for (const scm_fp* place : fpl->fp) {
    sock* sk = unix_get_socket(place->file);
    if (sk == nullptr) continue;
    ++unix_sk(sk)->inflight;
    k.unix_edges.push_back({sk, fpl});
  }
}

void scm_recv_unix(Kernel& k, sk_buff* skb, InMessage& message, bool peek) {
  Call call(k, Fn::scm_recv_unix, skb);
  std::vector<struct file*> files;
  if (peek) {
    for (const scm_fp* place : skb->fp->fp) {
      ++place->file->f_ref;
      files.push_back(place->file);
    }
  } else {
    files = unix_detach_fds(k, skb);
  }
  if (message.takes_rights) {
    for (struct file* file : files) ++file->held;
    message.rights = std::move(files);
  } else {
    k.rule(Rule::unix_rights_dropped, skb);
    message.out_flags |= MSG_CTRUNC;
    scm_fp_destroy(k, files);
  }
}

void unix_schedule_gc(Kernel& k) {
  if (!k.unix_edges.empty()) k.unix_gc_scheduled = true;
}

namespace {

/// Who would have to be read for this message to be received: a connection that nobody has accepted is its listener's.
const sock* unix_edge_successor(const scm_fp_list* message) {
  const sock* listener = unix_sk(message->receiver)->listener;
  return listener != nullptr ? listener : message->receiver;
}

/// Can one get from `from` to `to` along messages in flight?
bool leads_to(const Kernel& k, const sock* from, const sock* to) {
  std::vector<const sock*> open = {from};
  for (std::size_t i = 0; i < open.size(); ++i) {
    for (const unix_edge& edge : k.unix_edges) {
      const sock* next = unix_edge_successor(edge.message);
      if (edge.inflight != open[i]) continue;
      if (next == to) return true;
      if (std::find(open.begin(), open.end(), next) == open.end()) open.push_back(next);
    }
  }
  return false;
}

/// unix_vertex_dead(): only messages hold it, and they wait in sockets of its own circle.
bool unix_vertex_dead(const Kernel& k, const sock* sk) {
  const struct file* file = sk->sk_socket->file;
  if (file->f_ref != unix_sk(sk)->inflight) return false;
  for (const unix_edge& edge : k.unix_edges)
    if (edge.inflight == sk && !leads_to(k, unix_edge_successor(edge.message), sk)) return false;
  return true;
}

/// The sockets of all circles in which every member is dead.
std::vector<sock*> unreachable(const Kernel& k) {
  std::vector<sock*> found;
  for (const unix_edge& edge : k.unix_edges) {
    sock* sk = edge.inflight;
    if (std::find(found.begin(), found.end(), sk) != found.end()) continue;
    bool dead = true;
    for (const unix_edge& other : k.unix_edges) {
      const sock* member = other.inflight;
      bool same_circle = member == sk || (leads_to(k, sk, member) && leads_to(k, member, sk));
      if (same_circle && !unix_vertex_dead(k, member)) dead = false;
    }
    if (dead) found.push_back(sk);
  }
  return found;
}

void collect_queue(sock* sk, std::vector<sk_buff*>* hitlist) {
  unix_sk(sk)->inq_len = 0;
  unix_sk(sk)->oob_skb = nullptr;
  while (sk_buff* skb = __skb_dequeue(sk->sk_receive_queue)) hitlist->push_back(skb);
}

}  // namespace

void unix_gc(Kernel& k) {
  Call call(k, Fn::unix_gc, nullptr);
  std::vector<sk_buff*> hitlist;
  for (sock* sk : unreachable(k)) {
    if (sk->common.skc_state != TcpState::LISTEN) {
      collect_queue(sk, &hitlist);
      continue;
    }
    for (sk_buff* embryo : sk->sk_receive_queue.list) collect_queue(embryo->sk, &hitlist);
  }
  for (sk_buff* skb : hitlist) kfree_skb(k, skb);
}

}  // namespace wakepath::kernel
