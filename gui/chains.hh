#pragma once

#include <map>
#include <set>
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
  static constexpr trace::Position kNever = ~trace::Position{0};
  struct Chain {
    trace::ObjectId root = 0;
    /// The task that calls most functions about it (a listener: since it listens); else the one that made its file, or
    /// on whose stack it appeared.
    trace::TaskId owner = 0;
    trace::Position born = 0;
    trace::Position died = 0;            ///< position of the last kDestroy; 0 while anything of it lives
    trace::Position closed = kNever;     ///< from here on no descriptor leads to it
    trace::Position listening = kNever;  ///< since when it accepts connections
    trace::Position bound = kNever;      ///< since when it has a port
    bool epoll = false;

    [[nodiscard]] bool dead(trace::Position at) const { return died != 0 && died < at; }
    friend bool operator==(const Chain&, const Chain&) = default;
    /// How much it matters while it is not in play: 2 listeners and eventpolls, 1 other sockets with a port, 0 the
    /// rest.
    [[nodiscard]] int rank(trace::Position at) const;
  };
  /// Columns that a task needs so that all its chains that live at the same time have one.
  struct Needs {
    unsigned epolls = 0;     ///< wide ones
    unsigned plain = 0;      ///< for all others
    unsigned important = 0;  ///< for those of the others that have a port and are open
    bool listens = false;
  };
  /// What brings objects and tasks into play, in order.
  struct Use {
    enum class Type : std::uint8_t { kStep, kSyscall, kTask, kSpawn, kObject };
    Type type{};
    std::uint32_t id = 0;  ///< task or object
    trace::Position at = 0;
  };

  explicit Chains(const trace::Trace& trace);
  /// True when chains or columns changed.
  bool update();

  /// nullptr for an object that is in no chain; a file that leads nowhere (/dev/null) is in none.
  [[nodiscard]] const Chain* chain_of(trace::ObjectId id) const;
  /// For an object shown inside another one's card: that one, as last known; else the object itself.
  [[nodiscard]] trace::ObjectId home(trace::ObjectId id) const;
  [[nodiscard]] const std::map<trace::ObjectId, Chain>& all() const { return chains_; }
  [[nodiscard]] const std::map<trace::TaskId, Needs>& needs() const { return needs_; }
  [[nodiscard]] const std::vector<Use>& uses() const { return uses_; }
  [[nodiscard]] const std::set<trace::TaskId>& tasks() const { return tasks_; }
  [[nodiscard]] bool has_steps() const { return has_steps_; }
  /// Grows when chains change.
  [[nodiscard]] std::uint64_t revision() const { return revision_; }
  /// The other end of a connection of this machine, by its ports; 0 when there is none.
  [[nodiscard]] trace::ObjectId peer_of(trace::ObjectId sock, trace::Position at) const;
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
    trace::Position listening = kNever;
    trace::Position bound = kNever;
    std::uint64_t port = 0;  // the last ones that were not zero
    std::uint64_t peer_port = 0;
  };
  trace::ObjectId find(trace::ObjectId id) const;
  void join(trace::ObjectId a, trace::ObjectId b);
  void create(const trace::Record& record, trace::Position position);
  void set_pointer(const trace::Record& record);
  void set_socket(const trace::Record& record, trace::Position position);
  void use(Use::Type type, std::uint32_t id, trace::Position at);
  void called(const trace::Record& record, trace::Position position);
  /// The chains as the trace tells them up to now.
  [[nodiscard]] std::map<trace::ObjectId, Chain> gather() const;
  void choose_owners(std::map<trace::ObjectId, Chain>& chains) const;
  void count_needs();

  const trace::Trace* trace_;
  trace::Position seen_ = 0;
  bool dirty_ = false;
  bool has_shared_ = false;
  std::vector<Role> roles_;
  std::vector<std::vector<bool>> links_;  // by kind and field: this pointer makes a chain
  enum class Watched : std::uint8_t { kNo, kState, kPort, kPeerPort };
  std::vector<std::vector<Watched>> watched_;  // by kind and field
  std::vector<std::vector<bool>> homes_;       // by kind and field: this pointer names the home
  std::vector<Node> nodes_;
  std::vector<std::vector<trace::ObjectId>> subjects_;  // by task: what the functions on its stack are about
  std::map<trace::ObjectId, Chain> chains_;
  std::map<trace::TaskId, Needs> needs_;
  std::vector<Use> uses_;
  std::map<std::pair<trace::ObjectId, trace::TaskId>, std::uint32_t> calls_;  // in process context
  std::map<std::pair<std::uint64_t, std::uint64_t>, std::vector<trace::ObjectId>> by_ports_;
  std::set<trace::TaskId> tasks_;
  bool has_steps_ = false;
  std::uint64_t revision_ = 0;
};

}  // namespace wakepath::gui
