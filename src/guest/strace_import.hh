#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "src/guest/strace_log.hh"
#include "src/mirror/mirror.hh"
#include "src/os/call_log.hh"

namespace wakepath::guest {

/// What of a log has not reached the mirror, and how much.
struct StraceLeft {
  std::map<std::string, uint64_t> not_followed;  ///< calls of its business that cannot be told, by reason
  uint64_t outside = 0;                          ///< calls of other processes
  std::set<std::string> own_addresses;           ///< of the machine; in the recording they are 127.0.0.1
  uint64_t unseen_closes = 0;                    ///< descriptors that were given out again, and nobody saw them closed
};

/// The process of a log that has most to do with sockets, pipes and epolls.
int busiest_process(const StraceLog& log);

/// Tells the calls of one process, and those of the processes that it came from until they made it, as the recorder of
/// our own server would (src/os/recorded_os.hh): what cannot sleep stands once, what sleeps at entry and return.
/// Of a call that another one came between, nobody knows when it took effect: what gives (send, close, shutdown) is
/// told at its entry, what has found something (data, a connection, events) at its return, and what has found nothing
/// at its entry.
class StraceTeller {
 public:
  /// `log` must outlive it, and whoever keeps what it tells.
  StraceTeller(const StraceLog& log, int process);
  /// Calls `take` for each item in order.
  StraceLeft tell(const std::function<void(os::LogItem&)>& take);

 private:
  struct Descriptor {
    bool followed = false;  ///< the model has it, or would say why not; else it is a file
    bool datagram = false;
    bool nonblocking = false;
    bool close_on_exec = false;
  };
  /// What the log says of a descriptor, at some event.
  struct Trait {
    enum class Kind : uint8_t { address, reading, use, end } kind = Kind::end;
    std::size_t event = 0;
    std::size_t call = 0;  ///< of a reading
    std::optional<os::Endpoint> own = {}, peer = {};
  };

  void look_ahead();
  void add_addresses(int fd, std::size_t event, std::string_view decoration);
  void match_connects();
  void learn_own_addresses();
  /// An address of the machine as the one that it has in the model.
  void stand_in(os::Address& address) const;
  void stand_in(os::Endpoint& endpoint) const;
  bool is_ours(std::size_t event) const;
  void entered(std::size_t event);
  void returned(std::size_t event);
  bool concerns(const StraceCall& call);
  bool may_sleep(const StraceCall& call);
  static int64_t ran_out_at(const StraceCall& call);
  void learn(const StraceCall& call);
  bool makes_followed(std::size_t event) const;
  void give_up_unused(std::size_t fork);
  void give_up(const StraceCall& call, int fd);
  void give_up_at_exec(const StraceCall& call);
  os::CallRecord record_of(const StraceCall& call, std::size_t event, bool entering);
  void add_sights(std::size_t event, os::CallRecord& record);
  std::optional<os::Sight> sight_of_end(int fd, std::size_t event) const;
  /// The address of a descriptor that the log tells first from there on, before the descriptor is given up.
  std::optional<os::Endpoint> address_of(int fd, std::size_t event, bool of_peer) const;
  void emit(os::LogItem::Kind kind, const StraceCall& call, os::CallRecord&& record, int64_t at_ns);
  Descriptor* find(int fd);

  const StraceLog& log_;
  const int process_;
  std::map<int, std::size_t> until_;  ///< processes whose calls are told, and up to which event
  std::map<int, std::vector<Trait>> traits_;
  std::map<int, Descriptor> descriptors_;
  std::set<uint32_t> own_;                              ///< addresses of the machine that are not loopback's
  std::set<std::size_t> shared_pipes_;                  ///< calls that made pipes which other processes use
  std::map<std::pair<int, uint64_t>, int> registered_;  ///< descriptors, by epoll descriptor and data
  std::vector<bool> sleeping_;                          ///< by call: it has been told to sleep
  const std::function<void(os::LogItem&)>* take_ = nullptr;
  os::LogItem item_;
  StraceLeft left_;
  uint64_t sequence_ = 0;
  int64_t now_ = 0;
};

/// Follows one process of a log. The mirror keeps nothing of the log.
StraceLeft follow_strace(const StraceLog& log, int process, mirror::Mirror& mirror);

}  // namespace wakepath::guest
