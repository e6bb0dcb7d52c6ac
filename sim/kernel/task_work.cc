#include "sim/kernel/task_work.hh"

#include <utility>
#include <vector>

#include "sim/kernel/kernel.hh"
#include "sim/kernel/tcp_close.hh"

namespace wakepath::kernel {

void fput_by_task_work(Kernel& k, struct file* file) {
  task_struct* task = k.current() != nullptr ? k.current() : k.exiting;
  if (task == nullptr)
    __fput(k, file);  // the machine itself is being taken apart
  else {
    task->task_works.push_back(file);
    ++k.task_works;
  }
}

namespace {

/// The task's works, taken from it; what is not done when it is killed goes back.
class Works {
 public:
  Works(Kernel& k, task_struct* task) : k_(k), task_(task), files_(std::exchange(task->task_works, {})) {}
  ~Works() { task_->task_works.insert(task_->task_works.begin(), files_.begin(), files_.end()); }
  Works(const Works&) = delete;
  Works& operator=(const Works&) = delete;
  /// The latest; nullptr: none is left.
  struct file* take() {
    if (files_.empty()) return nullptr;
    struct file* latest = files_.back();
    files_.pop_back();
    --k_.task_works;
    return latest;
  }

 private:
  Kernel& k_;
  task_struct* task_;
  std::vector<struct file*> files_;
};

}  // namespace

engine::MaySleep<> task_work_run_and_linger(Kernel& k, task_struct* task) {
  Call call(k, Fn::task_work_run, task);
  while (!task->task_works.empty()) {
    Works works(k, task);
    while (struct file* file = works.take()) {
      Call work(k, Fn::____fput, file);
      if (lingers(file))
        co_await __fput_and_linger(k, file);
      else
        __fput(k, file);
    }
  }
}

void task_work_run(Kernel& k, task_struct* task) {
  if (task->task_works.empty()) return;
  Call call(k, Fn::task_work_run, task);
  while (!task->task_works.empty()) {
    // a file that ends may be the last to hold another (a socket's rights): that one is for the next round
    Works works(k, task);
    while (struct file* file = works.take()) {
      Call work(k, Fn::____fput, file);
      __fput(k, file);
    }
  }
}

engine::MaySleep<long> run_then_task_work(Kernel& k, task_struct* task, engine::MaySleep<long> call) {
  long result = co_await std::move(call);
  if (!task->task_works.empty()) co_await task_work_run_and_linger(k, task);
  co_return result;
}

}  // namespace wakepath::kernel
