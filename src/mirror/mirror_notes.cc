// User-level events of the server, as words in the same trace.

#include "src/mirror/mirror.hh"
#include "src/mirror/step_log.hh"

namespace wakepath::mirror {

void Mirror::noted(const os::LogItem& item) {
  noting_ = item.record.thread;
  tell(item, *this);
}

void Mirror::note(const std::string& text) {
  const auto found = actors_.find(noting_);  // a thread that has made no call has no task
  if (found != actors_.end()) kernel_.recorder.run(found->second.task->thread->id(), trace::kNoCause);
  kernel_.recorder.note(trace::NoteKind::kLog, text);
  kernel_.recorder.run(0, trace::kNoCause);
}

}  // namespace wakepath::mirror
