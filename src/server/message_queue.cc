#include "src/server/message_queue.hh"

#include <utility>

namespace wakepath::server {

probe::MessageStep MessageQueue::step_of(const Entry& entry) const {
  return {.serial = entry.serial,
          .service = service_,
          .type = name_of(entry.message.type),
          .socket = entry.message.id,
          .bytes = entry.message.data.size(),
          .waiting = entries_.size()};
}

// The probe is told under the lock, or it could hear of the taking before the pushing.

void MessageQueue::push(Message message) {
  os::Lock hold(lock_);
  entries_.push_back({++last_serial_, std::move(message)});
  probe_.message_pushed(step_of(entries_.back()));
}

bool MessageQueue::take(Message& message, uint64_t& serial) {
  os::Lock hold(lock_);
  if (entries_.empty()) return false;
  Entry entry = std::move(entries_.front());
  entries_.pop_front();
  probe_.message_taken(step_of(entry));
  message = std::move(entry.message);
  serial = entry.serial;
  return true;
}

}  // namespace wakepath::server
