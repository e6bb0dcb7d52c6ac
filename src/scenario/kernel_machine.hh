#pragma once

#include <map>
#include <memory>
#include <set>

#include "src/scenario/kernel_oracle.hh"
#include "src/scenario/kernel_place.hh"
#include "src/scenario/kernel_services.hh"
#include "src/scenario/kernel_worker.hh"
#include "src/scenario/machine.hh"

namespace wakepath::scenario {

/// The running Linux kernel. Lives in a process of its own (run_on_kernel), which is killed at the end: actors may end
/// blocked, so a KernelMachine is never destroyed there.
class KernelMachine : public Machine {
 public:
  /// `views`: a folder for /proc's texts at each mark (views.hh); empty: none.
  explicit KernelMachine(std::string views = "") : views_(std::move(views)) {}
  std::string_view name() const override { return "kernel"; }
  void open(const Scenario& scenario) override;
  std::map<std::string, int> listeners() const override;
  void add_actor(const std::string& actor, const std::string& process) override;
  void end_step(const Step& step) override;
  void start(const std::string& actor, const Request& request) override;
  void signal(const std::string& actor, int number, bool restart) override;
  void settle() override;
  std::optional<Outcome> take(const std::string& actor) override;
  std::optional<Duration> timer(const std::string& actor) override;
  std::optional<Duration> runs_out(const std::string& process, int fd) override;
  std::vector<int> watched_for_reading(const std::string& process, int fd) override;
  bool returned(const std::string& actor) override;
  std::string asleep_in(const std::string& actor) override;
  Duration now() override;
  void advance(Duration limit) override;
  std::optional<Address> address(const std::string& process, int fd, bool peer) override;
  Observation observe(const std::string& process, int fd, const std::string& field) override;
  Observation contains(const std::string& process, int fd, const std::string& list, int member) override;
  /// Ends the processes of the actors, asleep or not.
  void kill_processes();

 private:
  /// A process of the scenario: its first thread, which never makes a call of the scenario, so that it is free to ask
  /// about descriptors while the actors, its other threads, sleep.
  struct Process {
    std::unique_ptr<Worker> observer;
    int actors = 0;
  };
  struct Actor {
    std::string process;
    std::unique_ptr<Worker> worker;
    Request request;
    Outcome outcome;
    bool in_call = false;  ///< started and not taken
    bool at_once = false;  ///< fork, thread, execve, exit: done by the runner, the outcome is ready
  };
  /// What is known about the socket behind a descriptor; kept after close(), to tell about FIN_WAIT and TIME_WAIT.
  struct Known {
    uint64_t inode = 0;
    std::string local, remote;
  };

  void add_process(const std::string& name);
  void start_services(const Scenario& scenario);
  void become_a_program(Actor& actor);
  void leave(Actor& actor);
  bool all_still();
  bool unacknowledged();
  void remember();
  void remember_if_asked();
  const TcpSocket* find_socket(const std::string& process, int fd);
  Observation list_length(const std::string& process, int fd, const std::string& list);
  Observation queued(const std::string& process, int fd, unsigned long what);

  std::string views_;
  Place place_;
  SockDiag* diag_ = nullptr;  ///< made in the namespace; lives as long as the process
  std::map<std::string, Process> processes_;
  std::map<std::string, Actor> actors_;
  std::unique_ptr<Worker> starter_;  ///< of the services
  std::unique_ptr<KernelServices> services_;
  std::map<std::pair<std::string, int>, Known> known_;
  std::set<uint16_t> ports_;  ///< of this file's sockets, where the network is shared with others
  std::vector<TcpSocket> sockets_;
  bool asked_ = true;     ///< the file has an `expect`, or sockets of others are about: addresses must be remembered
  bool ipv6_ = false;     ///< the file has made such a socket
  bool settled_ = false;  ///< nothing was started and no time has passed since the last settle()
};

}  // namespace wakepath::scenario
