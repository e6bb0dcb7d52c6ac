#pragma once

#include <string_view>

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <memory>

#include "src/os/call_log.hh"
#include "src/os/recorded_os.hh"
#include "src/probe/probe.hh"

namespace wakepath::mirror {

/// Writes the server's own steps into the log of its calls, each at its place among its thread's calls. The words that
/// the steps are told with (SlotChange::from and the like) have to last: their addresses are what is kept.
class StepLog final : public probe::Probe {
 public:
  /// `calls`: steps of connections whose calls are not recorded by it are left out.
  explicit StepLog(os::CallLog& log, const os::RecordedOs* calls = nullptr)
      : log_(log), calls_(calls), passed_by_(calls != nullptr ? new std::atomic<uint64_t>[kPlaces]() : nullptr) {}

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
  static constexpr std::size_t kPlaces = 1 << 16;
  bool passes_by(uint64_t socket) const {
    return calls_ != nullptr && socket != 0 && passed_by_[socket % kPlaces].load(std::memory_order_relaxed) == socket;
  }

  os::CallLog& log_;
  const os::RecordedOs* calls_;
  /// Sockets whose steps are left out, by the end of their ids: one that another has taken the place of is told again.
  std::unique_ptr<std::atomic<uint64_t>[]> passed_by_;
};

/// Tells `probe` what StepLog has written as that note.
void tell(const os::LogItem& note, probe::Probe& probe);

}  // namespace wakepath::mirror
