#pragma once

#include <map>
#include <vector>

#include "sim/trace/trace.hh"

namespace wakepath::gui {

/// Where on the stage an object of a kind stands.
enum class Role : std::uint8_t {
  kTask,     ///< a card in the lane of user threads
  kFile,     ///< file: a card in a chain's column
  kSocket,   ///< socket_alloc and the like, eventfd, pipe
  kEpoll,    ///< eventpoll: a wide card
  kSock,     ///< tcp_sock, udp_sock, tcp_timewait_sock
  kMember,   ///< shown inside another card: sk_buff, epitem, wait_queue_entry, fd, …
  kSoftnet,  ///< softnet_data
  kShared,   ///< everything else: tables that belong to nobody
};
[[nodiscard]] Role role_of(const trace::Kind& kind);

/// Objects that belong together, such as file, socket_alloc and tcp_sock of one connection: they share a column of
/// the stage. The column is found from the whole trace and not from one moment, so that nothing moves while stepping.
/// Grows with the trace; `update()` reads only what is new.
class Chains {
 public:
  struct Chain {
    trace::ObjectId root = 0;
    trace::TaskId owner = 0;  ///< the task that made its file; else the one on whose stack it appeared
    trace::Position born = 0;
    trace::Position died = 0;  ///< position of the last kDestroy; 0 while anything of it lives
    unsigned slot = 0;         ///< column within its owner's group; a dead chain's slot is given away
    bool epoll = false;
  };
  /// Columns that a task needs: one entry a slot, true where an eventpoll ever stands (those are wide).
  using Slots = std::map<trace::TaskId, std::vector<bool>>;

  explicit Chains(const trace::Trace& trace);
  /// True when chains or columns changed.
  bool update();

  /// nullptr for an object that is in no chain; a file that leads nowhere (/dev/null) is in none.
  [[nodiscard]] const Chain* chain_of(trace::ObjectId id) const;
  /// For an object shown inside another one's card: that one, as last known; else the object itself.
  [[nodiscard]] trace::ObjectId home(trace::ObjectId id) const;
  [[nodiscard]] const Slots& slots() const { return slots_; }
  [[nodiscard]] Role role(trace::KindId kind) const { return kind < roles_.size() ? roles_[kind] : Role::kShared; }
  /// True when the trace has objects that stand in the column of shared tables.
  [[nodiscard]] bool has_shared() const { return has_shared_; }

 private:
  struct Node {
    trace::ObjectId parent = 0;  // union-find; 0: in no chain
    trace::ObjectId home = 0;
    trace::KindId kind = 0;
    trace::TaskId creator = 0;
    trace::Position born = 0;
    trace::Position died = 0;
  };
  trace::ObjectId find(trace::ObjectId id) const;
  void join(trace::ObjectId a, trace::ObjectId b);
  void create(const trace::Record& record, trace::Position position);
  void set_pointer(const trace::Record& record);
  void assign_slots();

  const trace::Trace* trace_;
  trace::Position seen_ = 0;
  bool dirty_ = false;
  bool has_shared_ = false;
  std::vector<Role> roles_;
  std::vector<std::vector<bool>> links_;  // by kind and field: this pointer makes a chain
  std::vector<std::vector<bool>> homes_;  // by kind and field: this pointer names the home
  std::vector<Node> nodes_;
  std::vector<std::vector<trace::ObjectId>> subjects_;  // by task: what the functions on its stack are about
  std::map<trace::ObjectId, Chain> chains_;
  Slots slots_;
};

}  // namespace wakepath::gui
