#include "sim/kernel/kernel.hh"

#include <utility>

#include "sim/kernel/tcp.hh"

namespace wakepath::kernel {

namespace {

struct KindOrder {
  enum : std::size_t {
    kTask,
    kFiles,
    kFd,
    kFile,
    kSocketAlloc,
    kEventpoll,
    kEpitem,
    kEpitemsHead,
    kEppollEntry,
    kWaitEntry,
    kTcpSock,
    kRequest,
    kTimewait,
    kSkb,
    kBindBucket,
    kHashBucket,
    kSoftnet,
    kPipe
  };
};

trace::Schema empty_schema() {
  trace::Schema schema;
  schema.producer = "modelled kernel, profile 6.18";
  schema.functions = {
#define WP_FUNCTION(name, layer, source, sentence) {#name, trace::Layer::layer, source, sentence},
#include "sim/kernel/functions.def"
#undef WP_FUNCTION
  };
  schema.rules = {
#define WP_RULE(name, sentence) {#name, sentence, 0},
#define WP_ERROR(name, error, sentence) {#name, sentence, error},
#include "sim/kernel/rules.def"
#undef WP_RULE
  };
  schema.symbols = {"NULL",
                    "socket_file_ops",
                    "eventpoll_fops",
                    "pipefifo_fops",
                    "null_fops",
                    "inet_stream_ops",
                    "tcp_prot",
                    "ep_poll_callback",
                    "ep_autoremove_wake_function",
                    "autoremove_wake_function",
                    "woken_wake_function",
                    "default_wake_function",
                    "sock_def_readable",
                    "sock_def_wakeup",
                    "sock_def_error_report",
                    "sk_stream_write_space"};
  return schema;
}

MaySleep<long> null_read(Kernel&, file*, void*, std::size_t) { co_return 0; }
MaySleep<long> null_write(Kernel&, file*, const void*, std::size_t size) { co_return static_cast<long>(size); }

/// drivers/char/mem.c: /dev/null, on which 0, 1 and 2 of every process stand. It has no poll(): epoll_ctl gives EPERM.
const file_operations null_fops = {null_read, null_write, nullptr, nullptr};

}  // namespace

KernelKinds::KernelKinds(const std::string& compared_with) : schema(empty_schema()) {
  schema.compared_with = compared_with;
  using trace::Layer;
  auto add = [this]<class T>(std::type_identity<T>, const record::KindWords& words) {
    layouts.push_back(record::describe_kind<T>(schema, words));
  };
  add(std::type_identity<task_struct>{},
      {"task_struct", Layer::kUser, "include/linux/sched.h", "A thread, as the kernel sees it.", -1, true});
  add(std::type_identity<files_struct>{}, {"files_struct", Layer::kVfs, "include/linux/fdtable.h",
                                           "A process's descriptor table; its threads share it.", 704});
  add(std::type_identity<fd_slot>{}, {"fd", Layer::kVfs, "include/linux/fdtable.h",
                                      "One used place of fdtable.fd[]: a number and the file behind it."});
  add(std::type_identity<file>{}, {"file", Layer::kVfs, "include/linux/fs.h",
                                   "An open file: what a descriptor refers to. f_op tells of which kind.", 184});
  add(std::type_identity<socket_alloc>{}, {"socket_alloc", Layer::kSocket, "include/net/sock.h",
                                           "One object of sockfs: the socket and its inode side by side.", 768});
  add(std::type_identity<eventpoll>{},
      {"eventpoll", Layer::kEpoll, "fs/eventpoll.c", "An epoll: what it watches, what is ready, who waits.", 208});
  add(std::type_identity<epitem>{},
      {"epitem", Layer::kEpoll, "fs/eventpoll.c", "One watched descriptor of an epoll.", 120});
  add(std::type_identity<epitems_head>{},
      {"epitems_head", Layer::kEpoll, "fs/eventpoll.c", "The epoll items that watch one file.", 16});
  add(std::type_identity<eppoll_entry>{}, {"eppoll_entry", Layer::kEpoll, "fs/eventpoll.c",
                                           "The card that an epoll item leaves on a file's wait queue.", 64});
  add(std::type_identity<wait_queue_entry>{}, {"wait_queue_entry", Layer::kScheduler, "include/linux/wait.h",
                                               "A sleeper's place on a wait queue, on the sleeper's own stack.", 40});
  add(std::type_identity<tcp_sock>{},
      {"tcp_sock", Layer::kTcp, "include/linux/tcp.h",
       "The protocol half of a TCP socket: sock, inet_sock, inet_connection_sock and tcp_sock in one.", 2304});
  add(std::type_identity<tcp_request_sock>{}, {"tcp_request_sock", Layer::kTcp, "include/linux/tcp.h",
                                               "A connection in the making, then one that waits to be accepted.", 312});
  add(std::type_identity<tcp_timewait_sock>{}, {"tcp_timewait_sock", Layer::kTcp, "include/linux/tcp.h",
                                                "What remembers a connection for a minute after its end.", 248});
  add(std::type_identity<sk_buff>{},
      {"sk_buff", Layer::kIp, "include/linux/skbuff.h", "A segment: on a queue, or on its way.", 224});
  add(std::type_identity<inet_bind_bucket>{},
      {"inet_bind_bucket", Layer::kTcp, "include/net/inet_hashtables.h", "Who has a local port.", 88});
  add(std::type_identity<inet_ehash_bucket>{},
      {"inet_ehash_bucket", Layer::kTcp, "include/net/inet_hashtables.h", "One chain of a hash table of sockets."});
  add(std::type_identity<softnet_data>{},
      {"softnet_data", Layer::kSoftirq, "include/linux/netdevice.h", "One CPU's receive side: its backlog queue."});
  add(std::type_identity<pipe_inode_info>{},
      {"pipe_inode_info", Layer::kVfs, "include/linux/pipe_fs_i.h", "A pipe: bytes in order, and who waits for them."});
}

Kernel::Kernel(const Config& c)
    : kinds_(c.compared_with),
      trace_(std::make_shared<trace::Trace>(kinds_.schema)),
      config(c),
      recorder(*trace_, c.record),
      scheduler(recorder),
      tasks(recorder, kinds_.layouts[KindOrder::kTask]),
      files_structs(recorder, kinds_.layouts[KindOrder::kFiles]),
      fd_slots(recorder, kinds_.layouts[KindOrder::kFd]),
      files(recorder, kinds_.layouts[KindOrder::kFile]),
      socket_allocs(recorder, kinds_.layouts[KindOrder::kSocketAlloc]),
      eventpolls(recorder, kinds_.layouts[KindOrder::kEventpoll]),
      epitems(recorder, kinds_.layouts[KindOrder::kEpitem]),
      epitems_heads(recorder, kinds_.layouts[KindOrder::kEpitemsHead]),
      eppoll_entries(recorder, kinds_.layouts[KindOrder::kEppollEntry]),
      wait_entries(recorder, kinds_.layouts[KindOrder::kWaitEntry]),
      tcp_socks(recorder, kinds_.layouts[KindOrder::kTcpSock]),
      request_socks(recorder, kinds_.layouts[KindOrder::kRequest]),
      timewait_socks(recorder, kinds_.layouts[KindOrder::kTimewait]),
      skbs(recorder, kinds_.layouts[KindOrder::kSkb]),
      bind_buckets(recorder, kinds_.layouts[KindOrder::kBindBucket]),
      hash_buckets(recorder, kinds_.layouts[KindOrder::kHashBucket]),
      softnets(recorder, kinds_.layouts[KindOrder::kSoftnet]),
      pipes(recorder, kinds_.layouts[KindOrder::kPipe]),
      next_port(c.port_low),
      task_by_id(1, nullptr) {
  name_symbols();
  softnet = softnets.make();
}

/// Tasks may sleep in the middle of a call: their frames hold objects of the arenas, so they go first, unrecorded.
Kernel::~Kernel() {
  recorder.disable();
  for (task_struct* task : task_by_id)
    if (task != nullptr) scheduler.kill(*task->thread);
}

void Kernel::name_symbols() {
  auto function = [this](auto* f, std::string_view name) {
    recorder.name_symbol(reinterpret_cast<const void*>(f), name);
  };
  recorder.name_symbol(&socket_file_ops, "socket_file_ops");
  recorder.name_symbol(&eventpoll_fops, "eventpoll_fops");
  recorder.name_symbol(&pipefifo_fops, "pipefifo_fops");
  recorder.name_symbol(&null_fops, "null_fops");
  recorder.name_symbol(&inet_stream_ops, "inet_stream_ops");
  recorder.name_symbol(&tcp_prot, "tcp_prot");
  function(ep_poll_callback, "ep_poll_callback");
  function(ep_autoremove_wake_function, "ep_autoremove_wake_function");
  function(autoremove_wake_function, "autoremove_wake_function");
  function(woken_wake_function, "woken_wake_function");
  function(default_wake_function, "default_wake_function");
  function(sock_def_readable, "sock_def_readable");
  function(sock_def_wakeup, "sock_def_wakeup");
  function(sock_def_error_report, "sock_def_error_report");
  function(sk_stream_write_space, "sk_stream_write_space");
}

task_struct* Kernel::current() const {
  engine::Task* thread = scheduler.current();
  return thread != nullptr ? task_by_id[thread->id()] : nullptr;
}

task_struct* Kernel::spawn(std::string_view name, files_struct* table, int tgid) {
  engine::Task& thread = scheduler.add_task();
  task_struct* task = tasks.make();
  task->thread = &thread;
  task->comm = record::Text{recorder.enabled() ? recorder.trace().intern(name) : 0};
  task->pid = 1000 + thread.id();
  task->tgid = tgid != 0 ? tgid : 1000 + thread.id();
  task->files = table;
  ++table->count;
  task_by_id.push_back(task);
  recorder.spawn(thread.id(), record::object_of(task));
  return task;
}

task_struct* Kernel::spawn_process(std::string_view name) {
  files_struct* table = files_structs.make();
  task_struct* task = spawn(name, table, 0);
  file* null = alloc_file_pseudo(*this, nullptr, static_cast<file_flags>(O_RDWR), &null_fops);
  for (int fd = 0; fd < 3; ++fd) {
    fd_slot* slot = fd_slots.make();
    slot->fd = fd;
    slot->file = null;
    table->fd_array.push_back(slot);
    table->by_number.push_back(slot);
  }
  null->f_ref = 3;
  return task;
}

task_struct* Kernel::spawn_thread(std::string_view name, task_struct* of) { return spawn(name, of->files, of->tgid); }

task_struct* Kernel::spawn_fork(std::string_view name, task_struct* parent) {
  files_struct* table = files_structs.make();
  task_struct* task = spawn(name, table, 0);
  table->by_number.resize(parent->files->by_number.size(), nullptr);
  for (fd_slot* theirs : parent->files->fd_array) {
    if (theirs->file == nullptr) continue;  // only reserved: the child does not see it
    fd_slot* slot = fd_slots.make();
    slot->fd = theirs->fd;
    slot->file = theirs->file;
    slot->close_on_exec = theirs->close_on_exec;
    ++slot->file->f_ref;
    table->fd_array.push_back(slot);
    table->by_number[static_cast<std::size_t>(slot->fd.get())] = slot;
  }
  return task;
}

void Kernel::exit_task(task_struct* task) {
  scheduler.kill(*task->thread);
  task->__state = TaskState::TASK_DEAD;
  files_struct* table = task->files;
  task->files = nullptr;
  // closing may send: it runs on the exiting task's stack
  recorder.run(task->thread->id(), trace::kNoCause);
  put_files_struct(*this, table);
  recorder.run(0, trace::kNoCause);
  scheduler.run_until_idle();
}

}  // namespace wakepath::kernel
