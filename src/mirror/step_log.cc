#include "src/mirror/step_log.hh"

#include <cstring>
#include <type_traits>

namespace wakepath::mirror {

namespace {

enum Note : uint8_t {
  kServiceBegins,
  kSlotChanged,
  kCommandSent,
  kCommandExecuted,
  kSent,
  kMessagePushed,
  kMessageTaken,
  kCallbackEntered,
  kCallbackLeft,
};

template <class Step>
std::string_view bytes_of(const Step& step) {
  static_assert(std::is_trivially_copyable_v<Step>);
  return {reinterpret_cast<const char*>(&step), sizeof step};
}

template <class Step>
Step step_of(std::string_view bytes) {
  Step step{};
  std::memcpy(static_cast<void*>(&step), bytes.data(), sizeof step);
  return step;
}

}  // namespace

void StepLog::service_begins(uint32_t service, std::string_view name) {
  log_.note(kServiceBegins, {bytes_of(service), name});
}
void StepLog::slot_changed(const probe::SlotChange& change) {
  if (calls_ != nullptr && change.fd >= 0 && calls_->passes_by(change.fd))
    passed_by_[change.socket % kPlaces].store(change.socket, std::memory_order_relaxed);
  if (!passes_by(change.socket)) log_.note(kSlotChanged, {bytes_of(change)});
}
void StepLog::command_sent(const probe::CommandStep& step) {
  if (!passes_by(step.socket)) log_.note(kCommandSent, {bytes_of(step)});
}
void StepLog::command_executed(const probe::CommandStep& step) {
  if (!passes_by(step.socket)) log_.note(kCommandExecuted, {bytes_of(step)});
}
void StepLog::sent(const probe::SendStep& step) {
  if (!passes_by(step.socket)) log_.note(kSent, {bytes_of(step)});
}
void StepLog::message_pushed(const probe::MessageStep& step) {
  if (!passes_by(step.socket)) log_.note(kMessagePushed, {bytes_of(step)});
}
void StepLog::message_taken(const probe::MessageStep& step) {
  if (!passes_by(step.socket)) log_.note(kMessageTaken, {bytes_of(step)});
}
void StepLog::callback_entered(const probe::CallbackStep& step) {
  if (!passes_by(step.socket)) log_.note(kCallbackEntered, {bytes_of(step)});
}
void StepLog::callback_left(const probe::CallbackStep& step) {
  if (!passes_by(step.socket)) log_.note(kCallbackLeft, {bytes_of(step)});
}

void tell(const os::LogItem& note, probe::Probe& probe) {
  const std::string_view bytes = note.bytes;
  switch (note.note) {
    case kServiceBegins:
      return probe.service_begins(step_of<uint32_t>(bytes), bytes.substr(sizeof(uint32_t)));
    case kSlotChanged:
      return probe.slot_changed(step_of<probe::SlotChange>(bytes));
    case kCommandSent:
      return probe.command_sent(step_of<probe::CommandStep>(bytes));
    case kCommandExecuted:
      return probe.command_executed(step_of<probe::CommandStep>(bytes));
    case kSent:
      return probe.sent(step_of<probe::SendStep>(bytes));
    case kMessagePushed:
      return probe.message_pushed(step_of<probe::MessageStep>(bytes));
    case kMessageTaken:
      return probe.message_taken(step_of<probe::MessageStep>(bytes));
    case kCallbackEntered:
      return probe.callback_entered(step_of<probe::CallbackStep>(bytes));
    case kCallbackLeft:
      return probe.callback_left(step_of<probe::CallbackStep>(bytes));
    default:
      return;
  }
}

}  // namespace wakepath::mirror
