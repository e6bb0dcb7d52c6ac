// User-level events of the server, as words in the same trace.

#include <fmt/format.h>

#include "sim/trace/hand_over.hh"
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

void Mirror::service_begins(uint32_t service, std::string_view name) {
  note(fmt::format("service {}: {} begins", service, name));
}

void Mirror::slot_changed(const probe::SlotChange& change) {
  note(fmt::format("slot {}: socket {} (descriptor {}) {} -> {}", change.slot, change.socket, change.fd, change.from,
                   change.to));
}

void Mirror::command_sent(const probe::CommandStep& step) {
  if (step.in_place) return;  // nothing goes anywhere
  note(fmt::format("command {} {} for socket {}{}", step.serial, step.name, step.socket, trace::kIntoPipe));
}

void Mirror::command_executed(const probe::CommandStep& step) {
  note(fmt::format("command {} {} for socket {}{}{}", step.serial, step.name, step.socket, trace::kExecuted,
                   step.in_place ? " where it is given" : ""));
}

void Mirror::sent(const probe::SendStep& step) {
  note(fmt::format("socket {}: {} of {} bytes sent by the caller, {} wait", step.socket, step.taken, step.bytes,
                   step.waiting));
}

void Mirror::message_pushed(const probe::MessageStep& step) {
  note(fmt::format("message {} {} of socket {}{}{}, {} waiting", step.serial, step.type, step.socket, trace::kPushed,
                   step.service, step.waiting));
}

void Mirror::message_taken(const probe::MessageStep& step) {
  note(fmt::format("message {} {} of socket {}{}{}", step.serial, step.type, step.socket, trace::kTaken, step.service));
}

void Mirror::callback_entered(const probe::CallbackStep& step) {
  note(fmt::format("callback {} of service {} begins, socket {}", step.name, step.service, step.socket));
}

void Mirror::callback_left(const probe::CallbackStep& step) {
  note(fmt::format("callback {} of service {} ends, socket {}", step.name, step.service, step.socket));
}

}  // namespace wakepath::mirror
