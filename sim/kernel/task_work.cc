#include "sim/kernel/task_work.hh"

#include <utility>
#include <vector>

#include "sim/kernel/kernel.hh"

namespace wakepath::kernel {

void fput_by_task_work(Kernel& k, struct file* file) {
  task_struct* task = k.current() != nullptr ? k.current() : k.exiting;
  if (task == nullptr)
    __fput(k, file);  // the machine itself is being taken apart
  else
    task->task_works.push_back(file);
}

void task_work_run(Kernel& k, task_struct* task) {
  if (task->task_works.empty()) return;
  Call call(k, Fn::task_work_run, task);
  while (!task->task_works.empty()) {
    // a file that ends may be the last to hold another (a socket's rights): that one is for the next round
    std::vector<struct file*> works = std::exchange(task->task_works, {});
    for (auto file = works.rbegin(); file != works.rend(); ++file) {
      Call work(k, Fn::____fput, *file);
      __fput(k, *file);
    }
  }
}

engine::MaySleep<long> run_then_task_work(Kernel& k, task_struct* task, engine::MaySleep<long> call) {
  long result = co_await std::move(call);
  task_work_run(k, task);
  co_return result;
}

}  // namespace wakepath::kernel
