#pragma once

#include <functional>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "src/proof/program.hh"
#include "src/proof/random.hh"
#include "src/scenario/machine.hh"
#include "src/scenario/outcome.hh"

namespace wakepath::proof {

/// What a descriptor refers to, as far as a generator must know it to make calls with a meaning.
enum class Sort {
  tcp,
  udp,
  unix_stream,
  unix_dgram,
  unix_seqpacket,
  pipe_read,
  pipe_write,
  eventfd,
  timerfd,
  signalfd,
  memory_file,
  epoll
};

/// Something that descriptors refer to.
struct Object {
  Sort sort = Sort::tcp;
  bool ipv6 = false;
  bool bound = false, listening = false, connected = false;  ///< calls of that name have succeeded
  bool tried = false;                                        ///< to connect, with success or without
  bool nonblocking = false;                                  ///< O_NONBLOCK
  std::string address;                                       ///< that it was bound to, when the file names it
  int peer = -1;                                             ///< the other end of a pipe or a pair
  long inode = -1;                                           ///< of a socket
  struct Item {
    int fd;
    int object;
  };
  std::vector<Item> items;  ///< of an epoll: what it watches
};

struct Descriptor {
  std::string process;
  int fd = -1;
  std::string name;
  int object = -1;
};

/// The state of a program while it is made: who may act, what is open, who is blocked in what. It learns from results
/// of the model; what changes behind a program's back (TCP states, queues) it asks the model for.
class World {
 public:
  World(std::uint64_t seed, scenario::Machine& machine) : random(seed), machine_(machine) {}

  Random random;
  bool floods = false;  ///< TCP is sent more than a window at a time, and in many small pieces

  struct Actor {
    std::string name, process;
    int blocked_in = 0;    ///< a step's number, 0: idle
    std::string function;  ///< of the call that it is blocked in
    std::vector<int> on;   ///< the object of that call's first argument; of poll() and select() all that they look at
  };

  // --- actors ---
  Actor& actor(const std::string& name) { return actors_.at(name); }
  [[nodiscard]] const std::map<std::string, Actor>& actors() const { return actors_; }
  [[nodiscard]] const std::string& process_of(const std::string& actor) const { return actors_.at(actor).process; }
  [[nodiscard]] std::vector<std::string> idle() const;
  [[nodiscard]] std::vector<std::string> blocked() const;
  /// A new process with one thread.
  std::string new_process();
  /// A name for a thread or a child process that the program makes next.
  std::string new_actor_name(const std::string& of);
  [[nodiscard]] std::size_t threads_of(const std::string& process) const;

  // --- descriptors ---
  using Wanted = std::function<bool(const Object&, const Descriptor&)>;
  [[nodiscard]] std::vector<Descriptor> descriptors(const std::string& process, const Wanted& wanted) const;
  /// One that fits, of that process; nothing when there is none.
  std::optional<Descriptor> pick(const std::string& process, const Wanted& wanted);
  /// The same, of any process.
  std::optional<Descriptor> pick_anywhere(const Wanted& wanted);
  /// As it stands in a call: mostly one that fits; now and then another one, a closed one, a number that is none.
  /// Empty when none fits.
  std::string fd(const std::string& process, const Wanted& wanted);
  /// The same for calls to which anything may be given.
  std::string any_fd(const std::string& process);
  [[nodiscard]] const Object& object(int id) const { return objects_.at(static_cast<std::size_t>(id)); }
  [[nodiscard]] const std::vector<Object>& objects() const { return objects_; }
  /// The descriptor behind an argument of a process; nothing for numbers that nobody has.
  [[nodiscard]] std::optional<Descriptor> behind(const std::string& process, const std::string& arg) const;
  /// A name that no step has bound.
  std::string fresh(const std::string& prefix) { return prefix + std::to_string(++names_); }

  /// A TCP state (include/net/tcp_states.h); 0 when it is no TCP socket.
  [[nodiscard]] long tcp_state(const Descriptor& d) const;
  [[nodiscard]] bool is_listener(const Descriptor& d) const;
  [[nodiscard]] bool is_connected(const Descriptor& d) const;
  /// Whether a call that reads, accepts or waits there would have to sleep. False where the model cannot be asked.
  [[nodiscard]] bool has_nothing(const Descriptor& d) const;
  /// The other end of a connection or a pipe, when somebody has it open.
  std::optional<Descriptor> other_end(const Descriptor& d);
  /// `addr(a.l3)`. Not for what came in a message: it has no name.
  static std::string addr_of(const Descriptor& d) { return "addr(" + d.process + "." + d.name + ")"; }
  /// Whether every addr() and peer() in the step can be read now.
  [[nodiscard]] bool addresses_exist(const ProgramStep& step) const;
  /// Whether the names that stand as whole arguments have been bound: a call may have been left out.
  [[nodiscard]] bool names_exist(const ProgramStep& step) const;

  // --- what happens ---
  /// A step begins; its number. What its arguments refer to is kept until it has returned.
  void begin(int number, const ProgramStep& step);
  /// A call has returned: the tables change.
  void learn(const scenario::Entry& entry);

  /// How long until the first timerfd expires that does so soon; nothing when none will.
  [[nodiscard]] std::optional<scenario::Duration> soon() const;

  [[nodiscard]] int forks() const { return forks_; }
  [[nodiscard]] int duplicates() const { return duplicates_; }

 private:
  struct Begun {
    ProgramStep step;
    std::string process;
    std::optional<Descriptor> first, third;  ///< behind the first argument; of epoll_ctl, behind the third
  };

  [[nodiscard]] std::vector<int> looked_at(const Begun& begun) const;
  int make(Object object);
  void install(const Begun& begun, std::size_t target, int fd, int object);
  void close(const std::string& process, int fd);
  void forget_dead_items();
  void made(const Begun& begun, const scenario::Entry& entry);
  void received(const Begun& begun, const std::vector<int>& fds);
  void changed(const Begun& begun, const scenario::Entry& entry);
  void epoll_changed(const Begun& begun);
  void timer_changed(const Begun& begun);
  void actors_changed(const Begun& begun);

  scenario::Machine& machine_;
  std::map<std::string, Actor> actors_;
  std::vector<Object> objects_;
  std::map<std::pair<std::string, int>, Descriptor> open_;      ///< by process and number
  std::map<std::pair<std::string, std::string>, int> numbers_;  ///< by process and name, also after close()
  std::map<int, Begun> begun_;
  std::map<int, scenario::Duration> timers_;  ///< by object: when a timerfd expires that does so soon
  int names_ = 0, processes_ = 0, forks_ = 0, duplicates_ = 0;
  std::map<std::string, int> born_;  ///< actors by family_of()
};

/// The process that an actor stems from, as far as its name tells: `a` of a, of its threads and of its children.
std::string family_of(const std::string& actor);

/// A number in an argument list; nothing when it is none.
std::optional<int> as_number(const std::string& text);

}  // namespace wakepath::proof
