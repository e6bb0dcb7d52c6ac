#pragma once

#include <map>
#include <memory>

#include "sim/syscalls/syscalls.hh"
#include "src/scenario/machine.hh"
#include "src/scenario/model_services.hh"
#include "src/scenario/outcome.hh"
#include "src/scenario/runner.hh"

namespace wakepath::scenario {

/// The modelled kernel: virtual time, everything recorded. Each step of the scenario is a step of the trace.
class ModelMachine : public Machine {
 public:
  /// With a deliberate fault of the model, for tests of what finds faults.
  explicit ModelMachine(kernel::Mutant mutant = kernel::Mutant::none) : mutant_(mutant) {}
  std::string_view name() const override { return "model"; }
  std::optional<std::string> unknown(const CallStep& call) const override;
  void open(const Scenario& scenario) override;
  std::map<std::string, int> listeners() const override;
  void add_actor(const std::string& actor, const std::string& process) override;
  void begin_step(const Step& step) override;
  void end_step(const Step& step) override;
  void start(const std::string& actor, const Request& request) override;
  void signal(const std::string& actor, int number, bool restart) override;
  void fault(const Fault& fault) override;
  void settle() override;
  std::optional<Outcome> take(const std::string& actor) override;
  std::optional<Duration> timer(const std::string& actor) override;
  std::optional<Duration> runs_out(const std::string& process, int fd) override;
  std::vector<int> watched_for_reading(const std::string& process, int fd) override;
  bool returned(const std::string& actor) override;
  std::string asleep_in(const std::string& actor) override;
  void wire(const Wire& wire, const std::string& process, int fd) override;
  Duration now() override;
  void advance(Duration limit) override;
  std::optional<Address> address(const std::string& process, int fd, bool peer) override;
  Observation observe(const std::string& process, int fd, const std::string& field) override;
  Observation contains(const std::string& process, int fd, const std::string& list, int member) override;
  Observation observe_model(const std::string& process, int fd, const std::vector<std::string>& fields) override;

  /// As RunOptions has them; before open().
  void tap(std::function<void(uint64_t, const std::string&, const Step*)> listener) { tap_ = std::move(listener); }
  void compare(const Comparison* comparison) { comparison_ = comparison; }
  /// What happened; shared, it may outlive the machine. Null before open().
  std::shared_ptr<trace::Trace> trace() const { return kernel_ ? kernel_->trace() : nullptr; }

 protected:
  /// For those who look closer. Null before open().
  kernel::Kernel* kernel() const { return kernel_.get(); }
  /// All actors end and their tables are closed, as when the machine is switched off with care. Not for files with
  /// services.
  void exit_all();

 private:
  struct Actor {
    kernel::task_struct* task = nullptr;
    std::string process;
    Request request;
    std::string buffer;  ///< the call's data, both ways; lives until the call is done
    std::vector<kernel::user_epoll_event> events;
    std::vector<pollfd> polls;  ///< of poll, ppoll
    kernel::SelectSets sets;    ///< of select
    kernel::Address address;
    std::optional<kernel::Address> from;  ///< of recvfrom
    std::vector<Fault> faults;            ///< still to come
    std::vector<int> rights;              ///< descriptors that recvmsg gave
    int fds[2] = {-1, -1};
    std::vector<int> value;
    bool in_call = false;
    bool at_once = false;  ///< fork, thread, exit: done already
  };
  /// The connection behind a descriptor; kept after close(), to tell about FIN_WAIT and TIME_WAIT.
  struct Known {
    trace::ObjectId socket = 0;
    kernel::Address local, remote;
  };

  void run_until_quiet();
  kernel::MaySleep<long> call(Actor& actor);
  kernel::MaySleep<long> call_on_socket(Actor& actor);
  kernel::MaySleep<long> call_on_socket_to_nowhere(const Request& request);
  kernel::MaySleep<long> call_that_waits(Actor& actor);
  kernel::MaySleep<long> call_with_bytes(Actor& actor);
  kernel::MaySleep<long> call_with_pieces(Actor& actor);
  Outcome outcome(Actor& actor);
  bool unacknowledged() const;
  void remember();
  kernel::files_struct* table(const std::string& process) const;
  kernel::file* file(const std::string& process, int fd) const;
  kernel::sock* socket(const std::string& process, int fd) const;
  kernel::eventpoll* epoll(const std::string& process, int fd) const;
  Observation state(const std::string& process, int fd);
  static Observation of_unix_socket(const kernel::sock* sk, const std::string& field);
  Observation of_socket(kernel::sock* sk, const std::string& field) const;

  kernel::Mutant mutant_;
  std::function<void(uint64_t, const std::string&, const Step*)> tap_;
  const Step* step_ = nullptr;
  const Comparison* comparison_ = nullptr;
  std::unique_ptr<kernel::Kernel> kernel_;
  std::map<std::string, Actor> actors_;
  std::map<std::pair<std::string, int>, Known> known_;
  std::unique_ptr<ModelServices>
      services_;  ///< null when the file has none; their process has an idle actor of its own
};

/// Runs a scenario on the modelled kernel. `trace`, when given, receives the recording (null when nothing ran).
FileResult run_on_model(const Scenario& scenario, const RunOptions& options,
                        std::shared_ptr<trace::Trace>* trace = nullptr);

}  // namespace wakepath::scenario
