#include "sim/kernel/smp.hh"

#include <utility>

#include "sim/kernel/kernel.hh"

namespace wakepath::kernel {

void rq::describe(record::KindBuilder<rq>& b) {
  b.field(&rq::cpu, "cpu")
      .field(&rq::curr, "curr")
      .field(&rq::cfs_tasks, "cfs_tasks")
      .field(&rq::wake_list, "call_single_queue");
}

namespace {

bool available_idle_cpu(const rq* rq) { return rq->cfs_tasks.empty() && rq->wake_list.empty(); }

/// The CPU that the task ran on last, if it is idle; else one that is; else the former.
unsigned select_task_rq(Kernel& k, task_struct* task) {
  Call call(k, Fn::select_task_rq_fair, task);
  if (available_idle_cpu(k.runqueues[task->cpu])) return task->cpu;
  for (const rq* rq : k.runqueues)
    if (available_idle_cpu(rq)) return call.result(rq->cpu.get());
  return call.result(task->cpu.get());
}

void set_task_cpu(Kernel& k, task_struct* task, unsigned cpu) {
  if (task->cpu == cpu) return;
  task->cpu = cpu;
  k.scheduler.place(*task->thread, cpu);
}

void ttwu_do_activate(Kernel& k, rq* rq, task_struct* task) {
  Call call(k, Fn::ttwu_do_activate, task);
  rq->cfs_tasks.push_back(task);
  task->__state = TaskState::TASK_RUNNING;
  k.scheduler.wake(*task->thread, task->wake_cause);
}

/// For an idle CPU that is not the waker's: it makes the task runnable itself, which spares its lock a journey.
void ttwu_queue_wakelist(Kernel& k, rq* rq, task_struct* task) {
  Call call(k, Fn::ttwu_queue_wakelist, task);
  rq->wake_list.push_back(task);
  Call send(k, Fn::send_call_function_single_ipi, rq);
}

MaySleep<long> from_entry_to_exit(Kernel& k, task_struct* task, MaySleep<long> call) {
  task_runs(k, task);
  long result = co_await std::move(call);
  task_leaves(k, task);
  co_return result;
}

}  // namespace

void sched_init_smp(Kernel& k, unsigned cpus) {
  for (unsigned cpu = 0; cpu < cpus; ++cpu) {
    rq* rq = k.runqueues.emplace_back(k.rqs.make());
    rq->cpu = cpu;
  }
  k.scheduler.set_cpus(cpus);
}

void wake_up_new_task(Kernel& k, task_struct* task) {
  if (k.runqueues.empty()) return;
  set_task_cpu(k, task, static_cast<unsigned>((task->thread->id() - 1) % k.runqueues.size()));
}

void ttwu_queue(Kernel& k, task_struct* task, std::uint32_t cause) {
  task->wake_cause = cause;
  task->__state = TaskState::TASK_WAKING;
  set_task_cpu(k, task, select_task_rq(k, task));
  rq* rq = k.runqueues[task->cpu];
  if (rq->cpu != k.scheduler.cpu() && rq->cfs_tasks.empty())
    ttwu_queue_wakelist(k, rq, task);
  else
    ttwu_do_activate(k, rq, task);
}

bool call_function_interrupt(Kernel& k) {
  for (rq* rq : k.runqueues) {
    if (rq->wake_list.empty()) continue;
    k.scheduler.go_to_cpu(rq->cpu);
    k.recorder.run(0, trace::kNoCause);
    HardirqScope hardirq(k);
    Call interrupt(k, Fn::sysvec_call_function_single, rq);
    Call pending(k, Fn::sched_ttwu_pending, rq);
    while (task_struct* task = rq->wake_list.pop_front()) ttwu_do_activate(k, rq, task);
    return true;
  }
  return false;
}

void task_runs(Kernel& k, task_struct* task) {
  if (!k.runqueues.empty()) k.runqueues[task->cpu]->curr = task;
}

void task_leaves(Kernel& k, task_struct* task) {
  if (k.runqueues.empty()) return;
  rq* rq = k.runqueues[task->cpu];
  if (rq->curr == task) rq->curr = nullptr;
  if (task->group_node.linked()) rq->cfs_tasks.erase(task);
  if (task->wake_entry.linked()) rq->wake_list.erase(task);
}

MaySleep<long> run_on_its_cpu(Kernel& k, task_struct* task, MaySleep<long> call) {
  k.runqueues[task->cpu]->cfs_tasks.push_back(task);
  return from_entry_to_exit(k, task, std::move(call));
}

}  // namespace wakepath::kernel
