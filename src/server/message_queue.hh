#pragma once

#include <deque>

#include "src/os/mutex.hh"
#include "src/probe/probe.hh"
#include "src/server/message.hh"

namespace wakepath::server {

/// The queue of one service. Any thread pushes; whoever runs the service takes.
class MessageQueue {
 public:
  MessageQueue(os::Os& os, probe::Probe& probe, ServiceId service) : probe_(probe), service_(service), lock_(os) {}

  void push(Message message);
  /// The oldest message, and its serial number for the probe; false when there is none.
  bool take(Message& message, uint64_t& serial);

 private:
  struct Entry {
    uint64_t serial;
    Message message;
  };
  probe::MessageStep step_of(const Entry& entry) const;

  probe::Probe& probe_;
  ServiceId service_;
  os::Mutex lock_;
  uint64_t last_serial_ = 0;
  std::deque<Entry> entries_;
};

}  // namespace wakepath::server
