#include "sim/kernel/kernel.hh"

#include <utility>

#include "sim/kernel/datagram.hh"
#include "sim/kernel/ipv6.hh"
#include "sim/kernel/tcp.hh"
#include "sim/kernel/udp.hh"

namespace wakepath::kernel {

namespace {

/// Index of each kind's layout, in the order of kinds.def.
struct KindOrder {
  enum : std::size_t {
#define WP_KIND(type, member, name, layer, source, sentence, bytes, is_task) member,
#include "sim/kernel/kinds.def"
#undef WP_KIND
  };
};

trace::Schema empty_schema() {
  trace::Schema schema;
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
  schema.symbols = {
      "NULL",
#define WP_SYMBOL(name) #name,
#include "sim/kernel/symbols.def"
#undef WP_SYMBOL
  };
  return schema;
}

MaySleep<long> null_read(Kernel&, file*, void*, std::size_t) { co_return 0; }
MaySleep<long> null_write(Kernel&, file*, const void*, std::size_t size) { co_return static_cast<long>(size); }

}  // namespace

/// drivers/char/mem.c: /dev/null, on which 0, 1 and 2 of every process stand. It has no poll(): epoll_ctl gives EPERM.
extern const file_operations null_fops = {null_read, null_write, nullptr, nullptr, nullptr, noop_llseek};

const std::vector<MutantWords>& mutants() {
  static const std::vector<MutantWords> all = {
#define WP_MUTANT(name, sentence) {Mutant::name, #name, sentence},
#include "sim/kernel/mutants.def"
#undef WP_MUTANT
  };
  return all;
}

std::optional<Mutant> mutant_by_name(std::string_view name) {
  for (const MutantWords& words : mutants())
    if (name == words.name) return words.mutant;
  return std::nullopt;
}

KernelKinds::KernelKinds(const Config& config) : schema(empty_schema()) {
  schema.compared_with = config.compared_with;
  name_by_profile(schema, config.profile);
  auto variant = static_cast<unsigned>(config.profile);
#define WP_KIND(type, member, name, layer, source, sentence, bytes, is_task) \
  layouts.push_back(record::describe_kind<struct type>(                      \
      schema, {name, trace::Layer::layer, source, sentence, bytes, is_task}, variant));
#include "sim/kernel/kinds.def"
#undef WP_KIND
}

Kernel::Kernel(const Config& c)
    : kinds_(c),
      trace_(std::make_shared<trace::Trace>(kinds_.schema, c.keep_records)),
      config(c),
      recorder(*trace_, c.record),
      scheduler(recorder, this),
#define WP_KIND(type, member, name, layer, source, sentence, bytes, is_task) \
  member(recorder, kinds_.layouts[KindOrder::member]),
#include "sim/kernel/kinds.def"
#undef WP_KIND
      task_by_id(1, nullptr) {
  recorder.leave_out(absent_functions(config.profile));
  name_symbols();
  mount_file_systems(*this);
  for (unsigned cpu = 0; cpu < config.cpus; ++cpu) softnet_of_cpu.emplace_back(softnets.make())->cpu = cpu;
  if (config.cpus > 1) sched_init_smp(*this, config.cpus);
  if (config.nic) nic_probe(*this);
  if (config.nic || config.cpus > 1)
    scheduler.interrupt = [this] {
      return (nic != nullptr && nic_interrupts(*this)) || call_function_interrupt(*this);
    };
}

/// Tasks may sleep in the middle of a call: their frames hold objects of the arenas, so they go first, unrecorded.
Kernel::~Kernel() {
  recorder.disable();
  for (task_struct* task : task_by_id)
    if (task != nullptr) scheduler.kill(*task->thread);
}

void Kernel::name_symbols() {
#define WP_SYMBOL(name) recorder.name_symbol(reinterpret_cast<const void*>(&(name)), #name);
#include "sim/kernel/symbols.def"
#undef WP_SYMBOL
  recorder.name_symbol(&sock_fs_type_4_19, "sock_fs_type");
  recorder.name_symbol(&sockfs_ops_4_19, "sockfs_ops");
}

task_struct* Kernel::spawn(std::string_view name, files_struct* table, int tgid) {
  engine::Task& thread = scheduler.add_task();
  task_struct* task = tasks.make();
  task->thread = &thread;
  thread.owner = task;
  task->comm = record::Text{recorder.enabled() ? recorder.trace().intern(name) : 0};
  task->pid = 1000 + thread.id();
  task->tgid = tgid != 0 ? tgid : 1000 + thread.id();
  task->files = table;
  task->rlimit_nofile = static_cast<u32>(config.rlimit_nofile);
  if (table != nullptr) ++table->count;
  task_by_id.push_back(task);
  recorder.spawn(thread.id(), record::object_of(task));
  wake_up_new_task(*this, task);
  return task;
}

task_struct* Kernel::spawn_process(std::string_view name) {
  files_struct* table = files_structs.make();
  task_struct* task = spawn(name, table, 0);
  file* null = alloc_empty_file(*this, static_cast<file_flags>(O_RDWR | static_cast<int>(kLargeFile)), &null_fops);
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

task_struct* Kernel::spawn_thread(std::string_view name, task_struct* of) {
  task_struct* task = spawn(name, of->files, of->tgid);
  inherit_signals(*this, task, of);
  task->rlimit_nofile = of->rlimit_nofile;
  return task;
}

task_struct* Kernel::spawn_kthread(std::string_view name) { return spawn(name, nullptr, 0); }

task_struct* Kernel::spawn_fork(std::string_view name, task_struct* parent) {
  constexpr std::size_t kEmbedded = 64;  // NR_OPEN_DEFAULT: slots that need no table of their own
  files_struct* table = alloc(files_structs);
  if (table == nullptr) return nullptr;
  for (int part = 0; part < 3 && parent->files->by_number.size() > kEmbedded; ++part) {  // alloc_fdtable()
    if (!allocation_fails()) continue;
    files_structs.free(table);
    return nullptr;
  }
  task_struct* task = spawn(name, table, 0);
  inherit_signals(*this, task, parent);
  task->rlimit_nofile = parent->rlimit_nofile;
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

void exit_to_user_mode(Kernel& k) {
  task_struct* task = k.current() != nullptr ? k.current() : k.exiting;
  if (task == nullptr) return;  // the machine itself is being taken apart
  if (!k.linux_4_19()) task_work_run(k, task);
  while (k.unix_gc_scheduled) {
    k.unix_gc_scheduled = false;
    unix_gc(k);
    task_work_run(k, task);
  }
}

void Kernel::exit_task(task_struct* task) {
  exiting = task;
  scheduler.kill(*task->thread);
  task_leaves(*this, task);
  task->__state = TaskState::TASK_DEAD;
  files_struct* table = task->files;
  task->files = nullptr;
  // closing may send: it runs on the exiting task's stack
  recorder.run(task->thread->id(), trace::kNoCause);
  {
    Call call(*this, Fn::do_exit, task);
    {
      Call exit_files(*this, Fn::exit_files, task);
      put_files_struct(*this, table);
    }
    exit_to_user_mode(*this);
    put_sighand(*this, task);
    task_work_run(*this, task);
  }
  exiting = nullptr;
  recorder.run(0, trace::kNoCause);
  scheduler.run_until_idle();
}

}  // namespace wakepath::kernel
