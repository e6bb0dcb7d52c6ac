#include "sim/kernel/select.hh"

#include <algorithm>

#include "sim/kernel/kernel.hh"
#include "sim/kernel/signal.hh"
#include "sim/kernel/uaccess.hh"

namespace wakepath::kernel {

namespace {

constexpr u32 kPollIn = EPOLLRDNORM | EPOLLRDBAND | EPOLLIN | EPOLLHUP | EPOLLERR | POLLNVAL;
constexpr u32 kPollOut = EPOLLWRBAND | EPOLLWRNORM | EPOLLOUT | EPOLLERR | POLLNVAL;
constexpr u32 kPollEx = EPOLLPRI | POLLNVAL;

/// The first entries stand on the caller's stack, the others in pages. False: there is no page.
bool poll_get_entry(Kernel& k, poll_wqueues* pwq) {
  constexpr u32 kInline = 9;    // N_INLINE_POLL_ENTRIES
  constexpr u32 kPerPage = 63;  // a page without its poll_table_page, by entries of 64 bytes
  const bool page_full = pwq->used >= kInline && (pwq->used - kInline) % kPerPage == 0;
  if (page_full && k.allocation_fails()) {
    pwq->error = k.error(Rule::no_memory, pwq);
    return false;
  }
  ++pwq->used;
  return true;
}

void __pollwait(Kernel& k, struct file* file, wait_queue_head* queue, poll_table* table) {
  Call call(k, Fn::__pollwait, file);
  if (!poll_get_entry(k, table->pwq)) return;
  poll_table_entry* entry = k.poll_entries.make();
  ++file->f_ref;
  entry->filp = file;
  entry->wait_address = queue;
  entry->key = table->_key;
  entry->pwq = table->pwq;
  entry->fd = table->pwq->asking;
  entry->wait.func = pollwake;
  entry->wait.private_ = table->pwq->polling_task;
  table->pwq->entries.push_back(entry);
  Call add(k, Fn::add_wait_queue, queue);
  queue->head.push_front(&entry->wait);
}

/// poll_initwait() to poll_freewait(), also when the sleeper is killed.
class PollWait {
 public:
  explicit PollWait(Kernel& k) : k_(k), pwq_(k.poll_wqueues_.make()) {
    pwq_->polling_task = k.current();
    table = {__pollwait, {}, nullptr, pwq_};
  }
  ~PollWait() {
    Call call(k_, Fn::poll_freewait, pwq_);
    while (poll_table_entry* entry = pwq_->entries.pop_front()) {
      {
        Call remove(k_, Fn::remove_wait_queue, &entry->wait);
        unlink_wait_entry(&entry->wait);
      }
      struct file* file = entry->filp;
      k_.poll_entries.free(entry);
      fput(k_, file);
    }
    k_.poll_wqueues_.free(pwq_);
  }
  PollWait(const PollWait&) = delete;
  PollWait& operator=(const PollWait&) = delete;

  /// What becomes of a round that has found nothing; 0: it may sleep.
  [[nodiscard]] long error() const { return pwq_->error; }
  /// No more entries: they hang already, or the call will not sleep.
  void only_ask() { table._qproc = nullptr; }

  /// Sleeps unless somebody came since the last look. False when the time has passed.
  MaySleep<bool> poll_schedule_timeout(u64 deadline_ns) {
    Call call(k_, Fn::poll_schedule_timeout, pwq_);
    bool in_time = true;
    co_await k_.scheduler.preempt();
    set_current_state(k_, TaskState::TASK_INTERRUPTIBLE);
    if (!pwq_->triggered || k_.mutant(Mutant::no_second_look))
      in_time = co_await schedule_hrtimeout_range(k_, deadline_ns);
    set_current_state(k_, TaskState::TASK_RUNNING);
    pwq_->triggered = false;
    co_return call.result(in_time);
  }

  poll_table table;

 private:
  Kernel& k_;
  poll_wqueues* pwq_;
};

u64 deadline_of(const Kernel& k, int timeout_ms) {
  return timeout_ms < 0 ? kForever : k.now_ns() + static_cast<u64>(timeout_ms) * kNsPerMs;
}

/// Asks one file. The bits that are wanted and there, or POLLNVAL.
u32 do_pollfd(Kernel& k, const struct pollfd& fd, poll_table* table) {
  if (fd.fd < 0) return 0;
  HeldFile held(k, fd.fd);
  if (!held) return POLLNVAL;
  table->pwq->asking = fd.fd;
  u32 filter = static_cast<u16>(fd.events) | EPOLLERR | EPOLLHUP;
  table->_key = static_cast<poll_t>(filter);
  return static_cast<u32>(vfs_poll(k, held.get(), table)) & filter;
}

MaySleep<long> do_poll(Kernel& k, struct pollfd* fds, std::size_t size, PollWait& wait, int timeout_ms) {
  Call call(k, Fn::do_poll, nullptr);
  bool timed_out = timeout_ms == 0;
  if (timed_out) wait.only_ask();
  u64 deadline = deadline_of(k, timeout_ms);
  for (;;) {
    long count = 0;
    for (std::size_t i = 0; i < size; ++i) {
      fds[i].revents = static_cast<short>(do_pollfd(k, fds[i], &wait.table));
      if (fds[i].revents == 0) continue;
      ++count;
      wait.only_ask();  // no need to wait: there is something
    }
    wait.only_ask();
    if (count == 0) count = signal_pending(k) ? -ERESTARTNOHAND : wait.error();
    if (count != 0 || timed_out) co_return call.result(count);
    k.rule(Rule::poll_sleeps, k.current());
    timed_out = !co_await wait.poll_schedule_timeout(deadline);
  }
}

/// How many slots the kernel's table has: it begins with 64 and grows by doubling. select() does not look beyond.
int max_fds(const Kernel& k) {
  std::size_t used = k.current()->files->by_number.size();
  std::size_t slots = 64;
  while (slots < used) slots *= 2;
  return static_cast<int>(slots);
}

bool asks(const std::vector<bool>& set, int fd) {
  auto at = static_cast<std::size_t>(fd);
  return at < set.size() && set[at];
}

/// Precondition of select(): every descriptor that it names is open. One more than the highest, or -EBADF.
long max_select_fd(Kernel& k, int n, const SelectSets& sets) {
  long highest = 0;
  for (int fd = 0; fd < n; ++fd) {
    if (!asks(sets.in, fd) && !asks(sets.out, fd) && !asks(sets.ex, fd)) continue;
    if (fd_file(k, fd) == nullptr) return k.error(Rule::fd_not_open, nullptr);
    highest = fd + 1;
  }
  return highest;
}

u32 select_poll_one(Kernel& k, int fd, const SelectSets& sets, poll_table* table) {
  HeldFile held(k, fd);
  if (!held) return POLLNVAL;
  u32 key = kPollEx;
  if (asks(sets.in, fd)) key |= kPollIn;
  if (asks(sets.out, fd)) key |= kPollOut;
  table->_key = static_cast<poll_t>(key);
  table->pwq->asking = fd;
  return static_cast<u32>(vfs_poll(k, held.get(), table));
}

/// One round over all descriptors. How many bits it has set in `found`.
long select_round(Kernel& k, int n, const SelectSets& asked, SelectSets* found, PollWait& wait) {
  long count = 0;
  auto note = [&](const std::vector<bool>& set, std::vector<bool>& result, int fd, bool there) {
    if (!there || !asks(set, fd)) return;
    result[static_cast<std::size_t>(fd)] = true;
    ++count;
    wait.only_ask();
  };
  for (int fd = 0; fd < n; ++fd) {
    if (!asks(asked.in, fd) && !asks(asked.out, fd) && !asks(asked.ex, fd)) continue;
    u32 mask = select_poll_one(k, fd, asked, &wait.table);
    note(asked.in, found->in, fd, (mask & kPollIn) != 0);
    note(asked.out, found->out, fd, (mask & kPollOut) != 0);
    note(asked.ex, found->ex, fd, (mask & kPollEx) != 0);
  }
  return count;
}

/// Whole words of 64 bits are copied to the caller; what stands beyond them stays as it was.
void copy_back(std::vector<bool>* set, const std::vector<bool>& found) {
  for (std::size_t fd = 0; fd < set->size() && fd < (found.size() + 63) / 64 * 64; ++fd)
    (*set)[fd] = fd < found.size() && found[fd];
}

MaySleep<long> do_select(Kernel& k, int n, const SelectSets& asked, SelectSets* found, int timeout_ms) {
  Call call(k, Fn::do_select, nullptr);
  long highest = max_select_fd(k, n, asked);
  if (highest < 0) co_return call.result(highest);
  PollWait wait(k);
  bool timed_out = timeout_ms == 0;
  if (timed_out) wait.only_ask();
  u64 deadline = deadline_of(k, timeout_ms);
  for (;;) {
    long count = select_round(k, static_cast<int>(highest), asked, found, wait);
    wait.only_ask();
    if (count != 0 || timed_out || signal_pending(k)) co_return call.result(count);
    if (wait.error() != 0) co_return call.result(wait.error());
    k.rule(Rule::poll_sleeps, k.current());
    timed_out = !co_await wait.poll_schedule_timeout(deadline);
  }
}

}  // namespace

int pollwake(Kernel& k, wait_queue_entry* wait, bool sync, poll_t key) {
  auto* entry = container_of(wait, &poll_table_entry::wait);
  Call call(k, Fn::pollwake, entry->pwq);
  if (key != POLL_NONE && (static_cast<u32>(key) & static_cast<u32>(entry->key.get())) == 0) return call.result(0);
  entry->pwq->triggered = true;
  return call.result(default_wake_function(k, wait, sync, key));
}

void poll_table_entry::describe(record::KindBuilder<poll_table_entry>& b) {
  b.field(&poll_table_entry::filp, "filp")
      .field(&poll_table_entry::key, "key")
      .embed(&poll_table_entry::wait, "wait", "wait_queue_entry", -1, 40)
      .field(&poll_table_entry::wait_address, "wait_address")
      .field(&poll_table_entry::pwq, "pwq");
}

void poll_wqueues::describe(record::KindBuilder<poll_wqueues>& b) {
  b.field(&poll_wqueues::polling_task, "polling_task")
      .field(&poll_wqueues::triggered, "triggered")
      .field(&poll_wqueues::entries, "entries");
}

MaySleep<long> do_sys_poll(Kernel& k, struct pollfd* fds, std::size_t count, int timeout_ms) {
  Call call(k, Fn::do_sys_poll, nullptr);
  if (count > rlimit_nofile(k)) co_return call.result(k.error(Rule::poll_too_many, nullptr));
  if (count > 0 && (!access_ok(fds) || !user_has(k, fds, sizeof *fds)))
    co_return call.result(k.error(Rule::bad_address, nullptr));
  constexpr std::size_t kOnStack = 30;   // N_STACK_PPS
  constexpr std::size_t kPerPage = 510;  // POLLFD_PER_PAGE
  for (std::size_t copied = kOnStack; copied < count; copied += kPerPage)
    if (k.allocation_fails()) co_return call.result(k.error(Rule::no_memory, nullptr));
  PollWait wait(k);
  co_return call.result(co_await do_poll(k, fds, count, wait, timeout_ms));
}

MaySleep<long> core_sys_select(Kernel& k, int n, SelectSets* sets, int timeout_ms) {
  Call call(k, Fn::core_sys_select, nullptr);
  if (n < 0) co_return call.result(k.error(Rule::select_negative, nullptr));
  if (sets == nullptr) co_return call.result(k.error(Rule::bad_address, nullptr));
  n = std::min(n, max_fds(k));
  auto size = static_cast<std::size_t>(n);
  constexpr std::size_t kOnStack = 320;  // the six sets of so many descriptors fit into SELECT_STACK_ALLOC
  if (size > kOnStack && k.allocation_fails()) co_return call.result(k.error(Rule::no_memory, nullptr));
  SelectSets found{std::vector<bool>(size), std::vector<bool>(size), std::vector<bool>(size)};
  long count = co_await do_select(k, n, *sets, &found, timeout_ms);
  if (count == 0 && signal_pending(k)) count = -ERESTARTNOHAND;
  if (count >= 0) {
    copy_back(&sets->in, found.in);
    copy_back(&sets->out, found.out);
    copy_back(&sets->ex, found.ex);
  }
  co_return call.result(count);
}

}  // namespace wakepath::kernel
