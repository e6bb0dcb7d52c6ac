#pragma once

#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "sim/kernel/kernel.hh"
#include "sim/kernel/select.hh"
#include "src/os/call_record.hh"

namespace wakepath::mirror {

/// One call of the model, made after a real one: its output parameters. Lives from its start until it is compared.
struct Replay {
  std::string buffer;
  std::vector<kernel::user_epoll_event> events;
  std::vector<pollfd> polled;
  kernel::SelectSets sets;  ///< of select
  kernel::Address address;
  std::optional<kernel::Address> from;  ///< recvfrom
  int fds[2] = {-1, -1};
  std::vector<int> value;
  std::size_t most_sent = kAll;  ///< Of a send, when the kernel took less (Freedom::send_count).
  static constexpr std::size_t kAll = ~std::size_t{0};

  /// The same call on the model, not started yet; nullopt for what the model does not have. `record` must outlive the
  /// call.
  std::optional<kernel::MaySleep<long>> call(kernel::Kernel& k, const os::CallRecord& record);
  /// In what the model's answer differs from the kernel's: "" when in nothing. `with_data`: the bytes are known.
  std::string difference(const os::CallRecord& record, long result, bool with_data) const;
  /// poll: whether it found all that the kernel has found, and maybe more.
  bool polled_more(const os::CallRecord& record) const;
  /// epoll_wait: whether the model reports all that the kernel has reported, in its order, and more besides. What is
  /// registered with `data` may lack the bits that `lost(data)` gives.
  bool holds_more(const os::CallRecord& record, long result, const std::function<uint32_t(uint64_t)>& lost) const;

 private:
  /// What poll or select has found on the model.
  std::vector<pollfd> found(const os::CallRecord& record) const;
  std::string data_differs(const os::CallRecord& record, long result) const;
};

/// The descriptor that a call is about (epoll_ctl: the epoll's); -1 when it has none.
int descriptor_of(const os::CallRecord& record);
/// It waits for several descriptors.
inline bool waits(os::Call call) { return call == os::Call::epoll_wait || call == os::Call::poll; }
/// fcntl(F_DUPFD) and its like.
bool copies_descriptor(const os::CallRecord& record);
kernel::Address address_of(const os::Address& address);

}  // namespace wakepath::mirror
