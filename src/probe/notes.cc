#include "src/probe/notes.hh"

#include <fmt/format.h>

#include "sim/trace/hand_over.hh"

namespace wakepath::probe {

void Notes::service_begins(uint32_t service, std::string_view name) {
  note(fmt::format("{}{}{}{}{}", trace::kService, service, trace::kNamed, name, trace::kBegins));
}

void Notes::slot_changed(const SlotChange& change) {
  note(fmt::format("{}{}{}{}{}{}{}) {}{}{}", trace::kSlot, change.slot, trace::kNamed, trace::kOfSocket, change.socket,
                   trace::kAtDescriptor, change.fd, change.from, trace::kBecomes, change.to));
}

void Notes::command_sent(const CommandStep& step) {
  if (step.in_place) return;  // nothing goes anywhere
  note(fmt::format("command {} {} for socket {}{}", step.serial, step.name, step.socket, trace::kIntoPipe));
}

void Notes::command_executed(const CommandStep& step) {
  note(fmt::format("command {} {} for socket {}{}{}", step.serial, step.name, step.socket, trace::kExecuted,
                   step.in_place ? " where it is given" : ""));
}

void Notes::sent(const SendStep& step) {
  note(fmt::format("{}{}: {} of {}{}, {} wait", trace::kOfSocket, step.socket, step.taken, step.bytes,
                   trace::kSentByCaller, step.waiting));
}

void Notes::message_pushed(const MessageStep& step) {
  note(fmt::format("message {} {} of socket {}{}{}, {} waiting", step.serial, step.type, step.socket, trace::kPushed,
                   step.service, step.waiting));
}

void Notes::message_taken(const MessageStep& step) {
  note(fmt::format("message {} {} of socket {}{}{}", step.serial, step.type, step.socket, trace::kTaken, step.service));
}

void Notes::callback_entered(const CallbackStep& step) { callback(step, trace::kBegins); }

void Notes::callback_left(const CallbackStep& step) { callback(step, trace::kEnds); }

void Notes::callback(const CallbackStep& step, std::string_view which) {
  note(fmt::format("{}{}{}{}{}, socket {}", trace::kCallback, step.name, trace::kOfService, step.service, which,
                   step.socket));
}

}  // namespace wakepath::probe
