// What addr() and `expect` read out of the model: the same things that the kernel tells through its oracles.

#include "src/scenario/model_machine.hh"

#include "sim/kernel/af_inet.hh"
#include "sim/kernel/tcp.hh"
#include "sim/kernel/timerfd.hh"
#include "sim/trace/cursor.hh"
#include "src/scenario/model_address.hh"

namespace wakepath::scenario {
namespace {

using kernel::TcpState;

kernel::Address local_of(const kernel::Kernel& k, const kernel::sock_common& c) { return inet_name(k, c, false); }
kernel::Address remote_of(const kernel::Kernel& k, const kernel::sock_common& c) { return inet_name(k, c, true); }

kernel::u16 inet_sport(const kernel::sock* sk) { return reinterpret_cast<const kernel::inet_sock*>(sk)->inet_sport; }

template <typename List>
long length(const List& list) {
  return static_cast<long>(list.size());
}

}  // namespace

std::string ModelMachine::asleep_in(const std::string& name) {
  const trace::Trace& trace = *kernel_->trace();
  trace::Cursor cursor(trace);
  cursor.seek(trace.size());
  std::vector<std::string> functions;
  if (const trace::Task* task = cursor.world().task(actors_.at(name).task->thread->id())) {
    for (const trace::Frame& frame : task->stack) {
      const trace::FunctionInfo& function = trace.schema().functions[frame.function];
      const bool leads_in = function.name.starts_with("__x64_sys") || function.name.starts_with("__sys_");
      if (!leads_in && function.layer != trace::Layer::kScheduler) {
        functions.push_back(function.name);
      }
    }
  }
  return innermost(functions);
}

kernel::files_struct* ModelMachine::table(const std::string& process) const {
  for (const auto& [name, actor] : actors_) {
    if (actor.process == process && actor.task->files != nullptr) {
      return actor.task->files;
    }
  }
  return nullptr;
}

kernel::file* ModelMachine::file(const std::string& process, int fd) const {
  const kernel::files_struct* files = table(process);
  if (files == nullptr || fd < 0 || static_cast<size_t>(fd) >= files->by_number.size()) {
    return nullptr;
  }
  const kernel::fd_slot* slot = files->by_number[static_cast<size_t>(fd)];
  return slot != nullptr ? static_cast<kernel::file*>(slot->file) : nullptr;
}

namespace {

kernel::sock* socket_of(const kernel::file* f) {
  if (f == nullptr || f->f_op != &kernel::socket_file_ops) {
    return nullptr;
  }
  return f->private_data.get().as<kernel::socket>()->sk;
}

}  // namespace

kernel::sock* ModelMachine::socket(const std::string& process, int fd) const { return socket_of(file(process, fd)); }

kernel::eventpoll* ModelMachine::epoll(const std::string& process, int fd) const {
  const kernel::file* f = file(process, fd);
  return f != nullptr && f->f_op == &kernel::eventpoll_fops ? f->private_data.get().as<kernel::eventpoll>() : nullptr;
}

std::optional<Duration> ModelMachine::runs_out(const std::string& process, int fd) {
  const kernel::file* f = file(process, fd);
  if (f == nullptr || f->f_op != &kernel::timerfd_fops) {
    return std::nullopt;
  }
  const uint64_t expires = f->private_data.get().as<kernel::timerfd_ctx>()->expires.get().ns;
  return expires > kernel_->now_ns() ? std::optional(Duration(static_cast<int64_t>(expires - kernel_->now_ns())))
                                     : std::nullopt;
}

std::vector<int> ModelMachine::watched_for_reading(const std::string& process, int fd) {
  std::vector<int> out;
  if (const kernel::eventpoll* ep = epoll(process, fd)) {
    for (const kernel::epitem* item : ep->rbr) {
      if ((static_cast<kernel::u32>(item->event_events.get()) & EPOLLIN) != 0) {
        out.push_back(item->ffd_fd);
      }
    }
  }
  return out;
}

void ModelMachine::remember() {
  for (const auto& [name, actor] : actors_) {
    const kernel::files_struct* files = actor.task->files;
    if (files == nullptr) {
      continue;
    }
    for (const kernel::fd_slot* slot : files->fd_array) {
      const kernel::sock* sk = socket_of(slot->file);
      if (sk == nullptr) {
        known_.erase({actor.process, slot->fd});
        continue;
      }
      Known& known = known_[{actor.process, slot->fd}];
      const trace::ObjectId id = record::object_of(sk);
      if (known.socket != id || sk->common.skc_state != TcpState::CLOSE) {  // a finished one has lost its addresses
        known = {id, local_of(*kernel_, sk->common), remote_of(*kernel_, sk->common)};
      }
    }
  }
}

std::optional<Address> ModelMachine::address(const std::string& process, int fd, bool peer) {
  const kernel::sock* sk = socket(process, fd);
  if (sk == nullptr) {
    return std::nullopt;
  }
  if (sk->common.skc_family == AF_UNIX) {
    const kernel::sock* whose = peer ? kernel::unix_sk(sk)->peer.get() : sk;
    return whose != nullptr ? std::optional(from_model(kernel::unix_address_of(whose))) : std::nullopt;
  }
  const TcpState state = sk->common.skc_state;
  if (peer && (state == TcpState::CLOSE || state == TcpState::SYN_SENT || sk->common.skc_dport == 0)) {
    return std::nullopt;
  }
  // as getsockname(): the port that the socket has had stays, also when the connection is over
  kernel::Address found = peer ? remote_of(*kernel_, sk->common) : local_of(*kernel_, sk->common);
  if (!peer) {
    found.port = inet_sport(sk);
  }
  return from_model(found);
}

/// As socket diagnostics find it: in the tables, by the socket itself or, when it has left them, by its addresses.
Observation ModelMachine::state(const std::string& process, int fd) {
  const kernel::sock* sk = socket(process, fd);
  if (sk != nullptr && sk->common.skc_state != TcpState::CLOSE) {
    return Observation::number(static_cast<long>(sk->common.skc_state.get()));
  }
  const auto known = known_.find({process, fd});
  if (known == known_.end()) {
    return {};
  }
  const Known& k = known->second;
  auto state = TcpState::CLOSE;
  kernel_->ehash.for_each([&](const kernel::inet_ehash_bucket* bucket) {
    for (const kernel::sock_common* entry : bucket->chain) {
      if (local_of(*kernel_, *entry) != k.local || remote_of(*kernel_, *entry) != k.remote) {
        continue;
      }
      const auto* tw = reinterpret_cast<const kernel::tcp_timewait_sock*>(entry);
      state = entry->skc_state == TcpState::TIME_WAIT ? tw->tw_sk.tw_substate.get() : entry->skc_state.get();
    }
  });
  return Observation::number(static_cast<long>(state));
}

/// As unix_diag and the counting commands of ioctl() tell.
Observation ModelMachine::of_unix_socket(const kernel::sock* sk, const std::string& field) {
  const bool listens = sk->common.skc_state == TcpState::LISTEN;
  if (field == "state") {
    return Observation::number(static_cast<long>(sk->common.skc_state.get()));
  }
  if (field == "accept_queue" || field == "backlog") {
    const long number = field == "backlog" ? sk->sk_max_ack_backlog : sk->sk_receive_queue.qlen;
    return listens ? Observation::number(number) : Observation{};
  }
  if (field == "recv_bytes" && !listens) {
    const kernel::sk_buff* first = sk->sk_receive_queue.list.front();
    const long datagram = first != nullptr ? first->len : 0;
    return Observation::number(sk->sk_type == SOCK_DGRAM ? datagram : kernel::unix_sk(sk)->inq_len);
  }
  if (field == "send_bytes") {
    return Observation::number(sk->sk_wmem_alloc);
  }
  if (field == "error") {
    return Observation::number(sk->sk_err);
  }
  if (field == "waiters") {
    return sk->sk_wq != nullptr ? Observation::number(length(sk->sk_wq->wait.head)) : Observation{};
  }
  return {};
}

Observation ModelMachine::of_socket(kernel::sock* sk, const std::string& field) const {
  const TcpState state = sk->common.skc_state;
  const bool listens = state == TcpState::LISTEN;
  const bool connecting = state == TcpState::SYN_SENT || state == TcpState::SYN_RECV;
  const kernel::tcp_sock* tp = kernel::tcp_sk(sk);
  if (field == "accept_queue" || field == "backlog") {
    return listens ? Observation::number(field == "backlog" ? sk->sk_max_ack_backlog : sk->sk_ack_backlog)
                   : Observation{};
  }
  if (field == "recv_bytes" && !listens) {  // tcp_inq(): a FIN that has come counts one byte too many
    const long bytes = static_cast<int32_t>(tp->rcv_nxt - tp->copied_seq);
    const bool fin = (sk->sk_flags & kernel::SOCK_DONE_BIT) != 0;
    return Observation::number(connecting ? 0 : bytes > 0 && fin ? bytes - 1 : bytes);
  }
  if (field == "send_bytes" && !listens) {
    return Observation::number(connecting ? 0 : static_cast<int32_t>(tp->write_seq - tp->snd_una));
  }
  if (field == "error") {
    return Observation::number(sk->sk_err);
  }
  if (field == "waiters") {
    return sk->sk_wq != nullptr ? Observation::number(length(sk->sk_wq->wait.head)) : Observation{};
  }
  return {};
}

Observation ModelMachine::observe(const std::string& process, int fd, const std::string& field) {
  const kernel::sock* found = field != "inode" ? socket(process, fd) : nullptr;
  if (found != nullptr && found->common.skc_family == AF_UNIX) {
    return of_unix_socket(found, field);
  }
  if (field == "state") {
    return state(process, fd);
  }
  if (field == "inode") {
    const kernel::file* f = file(process, fd);
    return f != nullptr && f->f_inode != nullptr ? Observation::number(static_cast<long>(f->f_inode->i_ino.get()))
                                                 : Observation{};
  }
  if (const kernel::eventpoll* ep = epoll(process, fd)) {
    return field == "items"        ? Observation::number(length(ep->rbr))
           : field == "ready_list" ? Observation::number(length(ep->rdllist))
           : field == "waiters"    ? Observation::number(length(ep->wq.head))
                                   : Observation{};
  }
  kernel::sock* sk = socket(process, fd);
  return sk != nullptr ? of_socket(sk, field) : Observation{};
}

Observation ModelMachine::contains(const std::string& process, int fd, const std::string& list, int member) {
  const kernel::eventpoll* ep = epoll(process, fd);
  if (ep == nullptr) {
    return {};
  }
  for (const kernel::epitem* item : ep->rbr) {
    if (item->ffd_fd == member) {
      return Observation::number(list == "items" || item->rdllink.linked() ? 1 : 0);
    }
  }
  return Observation::number(0);
}

/// Follows recorded fields by name from the object behind a descriptor: pointers lead on, the last one is the value.
Observation ModelMachine::observe_model(const std::string& process, int fd, const std::vector<std::string>& fields) {
  const kernel::file* f = file(process, fd);
  if (f == nullptr || f->private_data.get().ref().object == 0) {
    return {};
  }
  trace::Cursor cursor(*kernel_->trace());
  cursor.seek(kernel_->trace()->size());
  const trace::Schema& schema = kernel_->trace()->schema();
  const trace::Object* object = cursor.world().find(f->private_data.get().ref().object);
  for (size_t i = 0; i < fields.size() && object != nullptr; ++i) {
    const trace::Kind& kind = schema.kinds[object->kind];
    const std::optional<trace::FieldId> id = kind.find_field(fields[i]);
    if (!id) {
      throw UnknownField(fields[i], kind.name);
    }
    const bool last = i + 1 == fields.size();
    if (kind.fields[*id].type == trace::FieldType::kList) {
      return last ? Observation::number(static_cast<long>(object->list(*id).size())) : Observation{};
    }
    const uint64_t value = object->values[*id];
    if (last) {
      return Observation::number(static_cast<long>(value));
    }
    object = cursor.world().find(trace::Ref::unpack(value).object);
  }
  return {};
}

}  // namespace wakepath::scenario
