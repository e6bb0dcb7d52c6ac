// User-level events of the server, as words in the same trace.

#include "src/mirror/mirror.hh"

namespace wakepath::mirror {

void Mirror::note(const std::string& text) {
  if (stopped_.load()) return;
  Passing passing(gate_);
  const auto found = by_thread_.find(std::this_thread::get_id());  // a thread that has made no call has no task
  if (found != by_thread_.end()) kernel_.recorder.run(found->second->task->thread->id(), trace::kNoCause);
  kernel_.recorder.note(trace::NoteKind::kLog, text);
  kernel_.recorder.run(0, trace::kNoCause);
}

}  // namespace wakepath::mirror
