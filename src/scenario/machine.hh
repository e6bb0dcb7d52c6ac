#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <stdexcept>
#include <string>
#include <string_view>
#include <vector>

#include "src/scenario/ast.hh"
#include "src/scenario/signatures.hh"

namespace wakepath::scenario {

/// A call with everything looked up: what a machine is asked to do.
struct Request {
  Call call = Call::close;
  std::string name;                 ///< of the call
  std::vector<long> numbers;        ///< descriptors, flags, counts, timeouts in ms: the integer arguments in order
  std::string data;                 ///< of send, sendto, write
  std::vector<std::string> pieces;  ///< of writev, sendmsg
  std::vector<int> rights;          ///< of sendmsg: descriptors in the message
  Address address;                  ///< of bind, connect, sendto
  std::vector<int> value;           ///< of setsockopt
  struct Poll {
    int fd;
    short events;
    uint64_t token;
  };
  std::vector<Poll> polls;                  ///< of poll, ppoll; of select: one for each descriptor of each set
  std::optional<std::vector<int>> signals;  ///< the mask of epoll_pwait, ppoll, sigprocmask, signalfd4
  uint64_t token = 0;                       ///< of epoll_ctl: epoll_event.data
  // Where the pointers of the call lead, when not to the above.
  Pointer buffer = Pointer::good;  ///< bytes, events, an option's value, two descriptors, times, a list of buffers
  std::vector<Pointer> pieces_at;  ///< of readv, writev, sendmsg: each buffer's
  Pointer address_at = Pointer::good;
  Pointer length_at = Pointer::good;  ///< of the address's length, or of the option's
  Pointer signals_at = Pointer::good;
  std::string new_actor;    ///< of fork, thread
  std::string new_process;  ///< of fork, thread
};

/// The timeout that the call itself names, in ms, -1 for ever; nothing when it has no such argument.
inline std::optional<long> timeout_argument(const Request& r) {
  switch (r.call) {
    case Call::epoll_wait:
    case Call::epoll_pwait:
      return r.numbers[2];
    case Call::poll:
    case Call::ppoll:
    case Call::select:
      return r.numbers[0];
    default:
      return std::nullopt;
  }
}

/// What a call gave.
struct Outcome {
  long ret = 0;   ///< -1 for an error
  int error = 0;  ///< errno
  std::optional<std::string> data;
  std::optional<Address> address;
  struct Event {
    uint32_t events;
    uint64_t token;
  };
  std::optional<std::vector<Event>> events;
  std::vector<int> value;
  std::vector<int> fds;  ///< of pipe2, socketpair; of recvmsg: the descriptors that came
};

/// What an `expect` reads: a number that lies between two bounds (equal ones, mostly), or nothing.
struct Observation {
  bool observable = false;
  long low = 0;
  long high = 0;
  static Observation number(long n) { return {true, n, n}; }
  static Observation at_least(long n) { return {true, n, 0x7fffffffffffffff}; }
};

/// Thrown by a machine that cannot run the file here; exit status 3.
struct Unavailable : std::runtime_error {
  using std::runtime_error::runtime_error;
};
/// Thrown by a machine when the file asks for something that this place does not offer (`needs`): skipped.
struct Skip : std::runtime_error {
  using std::runtime_error::runtime_error;
};

/// Thrown by observe_model(): the object has no such field; the file is wrong.
struct UnknownField : std::runtime_error {
  UnknownField(const std::string& field, const std::string& object)
      : std::runtime_error("found '" + field + "', expected a field of " + object) {}
};

/// Where a scenario runs: the modelled kernel or the running one. The runner owns names, steps and comparison; a
/// machine knows actors, descriptors and time. Not thread safe; one scenario a machine.
class Machine {
 public:
  virtual ~Machine() = default;
  virtual std::string_view name() const = 0;
  /// What in this call the machine does not know yet, in words; nothing when it can make the call.
  virtual std::optional<std::string> unknown(const CallStep&) const { return std::nullopt; }

  /// Makes the place ready: sysctls, network, services. Throws Unavailable or Skip, or FileError for a service that
  /// does not start.
  virtual void open(const Scenario& scenario) = 0;
  /// The descriptor at which each service of the file listens, by its name, in kServicesProcess.
  virtual std::map<std::string, int> listeners() const { return {}; }
  /// A new actor: the first of a process gets a table with descriptors 0 to 2; the others share that of the process.
  virtual void add_actor(const std::string& actor, const std::string& process) = 0;

  virtual void begin_step(const Step&) {}
  virtual void end_step(const Step& step) = 0;

  /// Starts a call in an actor that is idle. fork, thread and exit are calls too and never block.
  virtual void start(const std::string& actor, const Request& request) = 0;
  /// Sends the actor a signal for which it has an empty handler, set with SA_RESTART or without.
  virtual void signal(const std::string& actor, int number, bool restart) = 0;
  /// The actor's next calls of that kind fail (`fault` of scenarios/README.md: the model only).
  virtual void fault(const Fault& fault);
  /// Lets things run until every actor is idle or blocked, every thread of the services sleeps, and no TCP data or FIN
  /// is unacknowledged; time passes for the latter alone, at most 300 ms.
  virtual void settle() = 0;
  /// The result of the actor's call once it has returned; taken only once.
  virtual std::optional<Outcome> take(const std::string& actor) = 0;
  /// How long a timer of the blocked call itself (a timeout) can take to end it; nothing when only another actor can.
  virtual std::optional<Duration> timer(const std::string& actor) = 0;
  /// How long until the timerfd behind a descriptor runs out; nothing when it is none, or is not running.
  virtual std::optional<Duration> runs_out(const std::string& /*process*/, int /*fd*/) { return std::nullopt; }
  /// The descriptors that an epoll watches for reading, by their numbers; none when it is no epoll.
  virtual std::vector<int> watched_for_reading(const std::string& /*process*/, int /*fd*/) { return {}; }
  virtual bool returned(const std::string& actor) = 0;  ///< take() would give something
  /// The kernel's functions in which a blocked actor sleeps, as far as that can be seen, the innermost last:
  /// "tcp_recvmsg > tcp_recvmsg_locked > sk_wait_data". Only to be shown.
  virtual std::string asleep_in(const std::string& /*actor*/) { return ""; }

  /// What the wire does from now on to segments of the socket behind that descriptor; `from` empty: to all segments.
  /// not_run() keeps files that have such a step from machines that cannot do it.
  virtual void wire(const Wire& wire, const std::string& process, int fd);

  virtual Duration now() = 0;
  /// Lets time pass up to the next thing that may happen, at most `limit`.
  virtual void advance(Duration limit) = 0;

  virtual std::optional<Address> address(const std::string& process, int fd, bool peer) = 0;
  /// A field of the socket or epoll behind a descriptor: state, accept_queue, backlog, recv_bytes, send_bytes, inode,
  /// error, waiters; for lists (`items`, `ready_list`) their length.
  virtual Observation observe(const std::string& process, int fd, const std::string& field) = 0;
  /// Whether the list of an epoll has an entry for that descriptor: 1 or 0.
  virtual Observation contains(const std::string& process, int fd, const std::string& list, int member) = 0;
  /// A field that only the model has, after `model.`. Throws UnknownField.
  virtual Observation observe_model(const std::string& process, int fd, const std::vector<std::string>& fields);
};

/// The last few functions of a stack, in one line.
inline std::string innermost(const std::vector<std::string>& stack) {
  constexpr size_t kShown = 3;
  std::string out;
  for (size_t i = stack.size() > kShown ? stack.size() - kShown : 0; i < stack.size(); ++i) {
    out += (out.empty() ? "" : " > ") + stack[i];
  }
  return out;
}

inline void Machine::fault(const Fault&) { throw Unavailable("a fault is for the model only"); }

inline void Machine::wire(const Wire&, const std::string&, int) {
  throw Unavailable(std::string(name()) + " has no modelled wire: write `only: model`");
}

inline Observation Machine::observe_model(const std::string&, int, const std::vector<std::string>&) { return {}; }

}  // namespace wakepath::scenario
