#pragma once

#include <string_view>

#include "src/os/call_log.hh"
#include "src/probe/probe.hh"

namespace wakepath::mirror {

/// Writes the server's own steps into the log of its calls, each at its place among its thread's calls. The words that
/// the steps are told with (SlotChange::from and the like) have to last: their addresses are what is kept.
class StepLog final : public probe::Probe {
 public:
  explicit StepLog(os::CallLog& log) : log_(log) {}

  void service_begins(uint32_t service, std::string_view name) override;
  void slot_changed(const probe::SlotChange& change) override;
  void command_sent(const probe::CommandStep& step) override;
  void command_executed(const probe::CommandStep& step) override;
  void sent(const probe::SendStep& step) override;
  void message_pushed(const probe::MessageStep& step) override;
  void message_taken(const probe::MessageStep& step) override;
  void callback_entered(const probe::CallbackStep& step) override;
  void callback_left(const probe::CallbackStep& step) override;

 private:
  os::CallLog& log_;
};

/// Tells `probe` what StepLog has written as that note.
void tell(const os::LogItem& note, probe::Probe& probe);

}  // namespace wakepath::mirror
