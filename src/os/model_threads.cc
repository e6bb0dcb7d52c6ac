#include "src/os/model_threads.hh"

#include <fmt/format.h>

#include <algorithm>
#include <cerrno>
#include <climits>
#include <cstdio>
#include <cstdlib>
#include <system_error>
#include <utility>

namespace wakepath::os {
namespace {

/// Calls after a cancel() until a program that does not stop counts as stuck for good.
constexpr uint64_t kPatience = 2'000'000;

/// What a thread that was just made does before its body begins: nothing, but it waits for its turn.
kernel::MaySleep<long> begins() { co_return 0; }

}  // namespace

uint64_t next_random(uint64_t& state) {
  uint64_t z = state += 0x9e3779b97f4a7c15;
  z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9;
  z = (z ^ (z >> 27)) * 0x94d049bb133111eb;
  return z ^ (z >> 31);
}

/// A host thread belongs to one machine at a time; a first thread may be another machine's, too, as in a test that
/// compares two of them.
struct ModelThreads::Here {
  const ModelThreads* machine = nullptr;
  Thread* thread = nullptr;
  Here* outer = nullptr;
  static Here*& innermost() {
    thread_local Here* here = nullptr;
    return here;
  }
  Here(const ModelThreads* of, Thread* as) : machine(of), thread(as), outer(innermost()) { innermost() = this; }
  /// Not always the innermost: of two machines the first may go first.
  ~Here() {
    Here** link = &innermost();
    while (*link != this) link = &(*link)->outer;
    *link = outer;
  }
};

ModelThreads::ModelThreads(kernel::Kernel& k, const ModelOsOptions& options)
    : k_(k), options_(options), choices_(options.schedule_seed) {
  k_.scheduler.preemptible(options_.preemptible);
  holder_ = &add(options_.first_thread, k_.spawn_process(options_.first_thread));
  first_ = std::make_unique<Here>(this, holder_);
}

ModelThreads::~ModelThreads() {
  cancel();
  for (size_t i = 1; i < threads_.size(); ++i) join(threads_[i]->id);
  k_.exit_task(threads_.front()->task);
}

ModelThreads::Thread& ModelThreads::add(const std::string& name, kernel::task_struct* task) {
  auto thread = std::make_unique<Thread>();
  thread->id = static_cast<int>(threads_.size()) + 1;
  thread->name = name.substr(0, 15);
  thread->task = task;
  const size_t place = task->thread->id();
  of_task_.resize(std::max(of_task_.size(), place + 1));
  of_task_[place] = thread.get();
  threads_.push_back(std::move(thread));
  return *threads_.back();
}

ModelThreads::Thread& ModelThreads::here() const {
  for (const Here* at = Here::innermost(); at != nullptr; at = at->outer)
    if (at->machine == this) return *at->thread;
  std::fputs("ModelOs: a call by a thread that is none of this machine's\n", stderr);
  std::abort();
}

ThreadInfo ModelThreads::self() const {
  const Thread& thread = here();
  return {.id = thread.id, .name = thread.name};
}

void ModelThreads::begin_step(const Thread& thread, const char* name, long subject) {
  ++calls_;
  if (options_.call_is_step && k_.recorder.enabled())
    k_.recorder.step(calls_, fmt::format("{}: {}({})", thread.name, name, subject));
}

void ModelThreads::end_step() {
  if (options_.call_is_step && k_.recorder.enabled()) k_.recorder.step_end(calls_);
}

long ModelThreads::call(const char* name, long subject, kernel::MaySleep<long> call) {
  Thread& self = here();
  if (cancelled_ && ++calls_since_cancel_ > kPatience) {
    std::fprintf(stderr, "ModelOs: the program does not stop although its calls are cancelled\n%s%s", problem_.c_str(),
                 who_waits().c_str());
    std::abort();
  }
  self.doing = name;
  self.subject = subject;
  self.in_call = true;
  begin_step(self, name, subject);
  k_.start(self.task, std::move(call));
  Thread& following = next();
  end_step();
  if (&following != &self) {
    give_baton(following);
    wait_for_baton(self);
  }
  return self.result;
}

void ModelThreads::run_until_quiet() {
  Thread& self = here();
  settle();  // whoever shares the kernel may have let it run
  wants_quiet_ = &self;
  Thread& following = next();
  if (&following == &self) return;
  give_baton(following);
  wait_for_baton(self);
}

void ModelThreads::note(std::string_view text) {
  k_.recorder.run(here().task->thread->id(), trace::kNoCause);
  k_.recorder.note(trace::NoteKind::kLog, text);
  k_.recorder.run(0, trace::kNoCause);
}

int ModelThreads::start(const std::string& name, std::function<void()> body) {
  Thread& born = add(name, k_.spawn_thread(name, here().task));
  try {
    born.host = std::thread([this, &born, body = std::move(body)]() mutable { run(born, std::move(body)); });
  } catch (const std::system_error& error) {
    born.running = 0;
    born.joined = true;
    k_.exit_task(born.task);
    settle();
    return -error.code().value();
  }
  born.doing = "start";
  born.in_call = true;
  k_.start(born.task, begins());
  return born.id;
}

/// The whole life of a started thread.
void ModelThreads::run(Thread& thread, std::function<void()> body) {
  Here me(this, &thread);
  wait_for_baton(thread);
  body();
  body = nullptr;  // what it holds belongs to the program, which must not run without the baton
  // In one go, as the kernel does it (mm_release): who finds it ended may join the host thread.
  begin_step(thread, "exit", thread.id);
  thread.running = 0;
  k_.start(thread.task, kernel::sys_futex_wake(k_, thread.running, INT_MAX));
  k_.scheduler.run_task(*thread.task->thread);
  k_.exit_task(thread.task);  // which lets the others run
  settle();
  Thread& following = next();
  end_step();
  give_baton(following);
}

int ModelThreads::join(int id) {
  if (id < 2 || static_cast<size_t>(id) > threads_.size()) return -ESRCH;
  Thread& thread = *threads_[static_cast<size_t>(id) - 1];
  if (std::exchange(thread.joined, true)) return -ESRCH;
  while (thread.running != 0) call("thread_join", id, kernel::sys_futex_wait(k_, thread.running, 1, kernel::kForever));
  thread.host.join();
  return 0;
}

size_t ModelThreads::choose(size_t count) {
  return options_.schedule_seed == 0 || count == 1 ? 0 : next_random(choices_) % count;
}

/// Runs the engine until somebody's call has returned, or until it is quiet and somebody waits for that. Whoever that
/// is has the baton next.
ModelThreads::Thread& ModelThreads::next() {
  for (;;) {
    const size_t count = returned_.size() + k_.scheduler.runnable_tasks().size();
    if (count > 0) {
      if (Thread* thread = run_engine(choose(count))) return *thread;
    } else if (wants_quiet_ != nullptr) {
      if (k_.scheduler.interrupt && k_.scheduler.interrupt()) continue;
      return *std::exchange(wants_quiet_, nullptr);
    } else if (!pass_time()) {
      give_up("nobody can run any more, and no timer is armed:\n");
    }
  }
}

/// The choice among those whose calls have returned and those who can run in the kernel. A thread whose call is done.
ModelThreads::Thread* ModelThreads::run_engine(size_t choice) {
  if (choice < returned_.size()) {
    Thread* thread = returned_[choice];
    returned_.erase(returned_.begin() + static_cast<std::ptrdiff_t>(choice));
    return thread;
  }
  engine::Task& task = *k_.scheduler.runnable_tasks()[choice - returned_.size()];
  Thread* thread = task.id() < of_task_.size() ? of_task_[task.id()] : nullptr;
  k_.scheduler.run_slice(task);
  if (thread == nullptr) return nullptr;
  if (cancelled_ && task.in_call() && !task.runnable()) drop(*thread);
  if (task.in_call()) return nullptr;
  if (std::exchange(thread->in_call, false)) thread->result = task.result();
  auto before = std::find(returned_.begin(), returned_.end(), thread);
  if (before != returned_.end()) returned_.erase(before);
  return thread;
}

/// Notes whose calls have returned while the engine ran without run_engine().
void ModelThreads::settle() {
  for (const auto& thread : threads_) {
    if (!thread->in_call || thread->task->thread->in_call()) continue;
    thread->in_call = false;
    thread->result = thread->task->call_result();
    returned_.push_back(thread.get());
  }
}

/// The call of a sleeping thread ends as if it had never been made, but for what it did before it slept.
void ModelThreads::drop(Thread& thread) {
  k_.scheduler.kill(*thread.task->thread);
  thread.in_call = false;
  thread.result = -ECANCELED;
  returned_.push_back(&thread);
}

/// Nobody can run: on to the next timer. False when there is none.
bool ModelThreads::pass_time() {
  if (k_.scheduler.interrupt && k_.scheduler.interrupt()) return true;
  const auto deadline = k_.scheduler.next_deadline();
  if (!deadline) return false;
  if (*deadline > options_.time_limit_ns && !cancelled_) {
    give_up(fmt::format("still waiting after {} s of virtual time:\n", options_.time_limit_ns / 1'000'000'000));
    return true;
  }
  k_.scheduler.advance_clock_to(*deadline);
  return true;
}

void ModelThreads::give_up(std::string why) {
  if (cancelled_) {  // somebody holds the baton or is in a call, always
    std::fprintf(stderr, "ModelOs: no thread is left to go on\n%s", problem_.c_str());
    std::abort();
  }
  problem_ = std::move(why) + who_waits();
  cancel();
}

void ModelThreads::cancel() {
  cancelled_ = true;
  for (const auto& thread : threads_)
    if (thread->in_call && !thread->task->thread->runnable()) drop(*thread);
  settle();
}

std::string ModelThreads::who_waits() const {
  std::string out;
  for (const auto& thread : threads_) {
    if (!thread->in_call) continue;
    out += fmt::format("  {} {} waits in {}({})\n", thread->id, thread->name, thread->doing, thread->subject);
  }
  return out;
}

void ModelThreads::give_baton(Thread& to) {
  {
    std::lock_guard hold(baton_lock_);
    holder_ = &to;
  }
  to.turn.notify_one();
}

void ModelThreads::wait_for_baton(Thread& thread) {
  std::unique_lock hold(baton_lock_);
  thread.turn.wait(hold, [&] { return holder_ == &thread; });
}

}  // namespace wakepath::os
