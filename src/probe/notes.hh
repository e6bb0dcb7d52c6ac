#pragma once

#include <string>

#include "src/probe/probe.hh"

namespace wakepath::probe {

/// A probe that puts what it is told into words, one sentence an event: the notes that a trace has of a server's own
/// steps, the same whoever makes the trace. Those who draw and explain find the words of sim/trace/hand_over.hh in
/// them.
class Notes : public Probe {
 public:
  void service_begins(uint32_t service, std::string_view name) override;
  void slot_changed(const SlotChange& change) override;
  void command_sent(const CommandStep& step) override;
  void command_executed(const CommandStep& step) override;
  void sent(const SendStep& step) override;
  void message_pushed(const MessageStep& step) override;
  void message_taken(const MessageStep& step) override;
  void callback_entered(const CallbackStep& step) override;
  void callback_left(const CallbackStep& step) override;

 protected:
  /// Called by the thread to which it happened, as the functions of Probe are.
  virtual void note(const std::string& text) = 0;

 private:
  void callback(const CallbackStep& step, std::string_view which);
};

}  // namespace wakepath::probe
