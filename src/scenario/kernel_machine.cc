#include "src/scenario/kernel_machine.hh"

#include <signal.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/time.h>
#include <time.h>
#include <unistd.h>

#include <fmt/format.h>

#include <algorithm>

#include "src/scenario/kernel_calls.hh"
#include "src/scenario/kernel_exec.hh"
#include "src/scenario/views.hh"

namespace wakepath::scenario {
namespace {

using namespace std::chrono_literals;

constexpr Duration kQuietLimit = 300ms;  // scenarios/README.md: for unacknowledged data time passes, at most this
constexpr Duration kRunawayLimit = 10s;  // no call of the format computes for that long

void sleep_for(Duration time) {
  const timespec span{time.count() / 1000000000, time.count() % 1000000000};
  nanosleep(&span, nullptr);
}

bool is_retransmitting(const TcpSocket& s) {
  switch (s.state) {
    case 1:   // ESTABLISHED
    case 4:   // FIN_WAIT1
    case 8:   // CLOSE_WAIT
    case 9:   // LAST_ACK
    case 11:  // CLOSING
      return s.send_queue > 0 && s.timer != 4;
    default:
      return false;
  }
}

}  // namespace

void KernelMachine::open(const Scenario& scenario) {
  place_ = enter_place(scenario);
  asked_ = !place_.own_network || std::any_of(scenario.steps.begin(), scenario.steps.end(),
                                              [](const Step& step) { return step.kind == Step::Kind::expect; });
  prctl(PR_SET_TIMERSLACK, 1);  // pauses of settle() as short as they are meant
  diag_ = new SockDiag;
  if (!diag_->works()) {
    throw Unavailable("the kernel refuses NETLINK_SOCK_DIAG, by which a run sees whether TCP is quiet");
  }
  if (!scenario.services.empty()) {
    start_services(scenario);
  }
}

/// In a process of their own, and scheduled as the actors are: who is woken first runs first.
void KernelMachine::start_services(const Scenario& scenario) {
  add_process(kServicesProcess);
  Process& process = processes_[kServicesProcess];
  process.actors = 1;
  process.observer->call([&] { starter_ = std::make_unique<Worker>(Worker::Table::shared, place_.cpu, place_.fifo); });
  services_ = std::make_unique<KernelServices>(process.observer->tid(), *starter_, scenario);
  settle();
}

std::map<std::string, int> KernelMachine::listeners() const {
  return services_ != nullptr ? services_->listeners() : Machine::listeners();
}

void KernelMachine::add_process(const std::string& name) {
  Process& process = processes_[name];
  process.observer = std::make_unique<Worker>(Worker::Table::fresh, place_.cpu, false);
  if (!can_see_sleepers(process.observer->tid())) {
    throw Unavailable("/proc does not tell in which call another process sleeps (kernel.yama.ptrace_scope above 1?)");
  }
}

void KernelMachine::kill_processes() {
  for (auto& [name, process] : processes_) {
    process.observer->kill();
  }
}

void KernelMachine::add_actor(const std::string& name, const std::string& process_name) {
  if (processes_.count(process_name) == 0) {
    add_process(process_name);
  }
  Process& process = processes_[process_name];
  Actor& actor = actors_[name];
  actor.process = process_name;
  process.observer->call(
      [&] { actor.worker = std::make_unique<Worker>(Worker::Table::shared, place_.cpu, place_.fifo); });
  if (place_.without_admin) {
    actor.worker->call(Worker::give_up_admin);  // threads and children of it are born without
  }
  ++process.actors;
}

void KernelMachine::start(const std::string& name, const Request& request) {
  remember_if_asked();
  settled_ = false;
  ipv6_ = ipv6_ || (request.call == Call::socket && request.numbers[0] == AF_INET6);
  Actor& actor = actors_.at(name);
  actor.request = request;
  actor.outcome = {};
  actor.in_call = true;
  actor.at_once = request.call == Call::fork || request.call == Call::thread || request.call == Call::execve ||
                  request.call == Call::exit;
  if (request.call == Call::fork) {
    Process& child = processes_[request.new_process];
    Actor& born = actors_[request.new_actor];
    born.process = request.new_process;
    actor.worker->call([&] { child.observer = std::make_unique<Worker>(Worker::Table::copied, place_.cpu, false); });
    child.observer->call(
        [&] { born.worker = std::make_unique<Worker>(Worker::Table::shared, place_.cpu, place_.fifo); });
    child.actors = 1;
  } else if (request.call == Call::thread) {
    Actor& born = actors_[request.new_actor];
    born.process = request.new_process;
    actor.worker->call([&] { born.worker = std::make_unique<Worker>(Worker::Table::shared, place_.cpu, place_.fifo); });
    ++processes_.at(request.new_process).actors;
  } else if (request.call == Call::execve) {
    become_a_program(actor);
  } else if (request.call == Call::exit) {
    leave(actor);
  } else {
    actor.worker->post([&actor] { actor.outcome = perform(actor.request); });
  }
}

void KernelMachine::end_step(const Step& step) {
  if (step.kind != Step::Kind::mark || views_.empty()) {
    return;
  }
  std::map<std::string, pid_t> tables;
  for (const auto& [name, actor] : actors_) {
    if (processes_.at(actor.process).actors > 0) {
      tables[name] = processes_.at(actor.process).observer->tid();
    }
  }
  if (services_ != nullptr) {
    tables.merge(services_->threads());
    tables[kServicesProcess] = processes_.at(kServicesProcess).observer->tid();
  }
  write_kernel_views(std::filesystem::path(views_) / step.mark, tables);
}

/// The handler is that of the actor's process; it is set anew for each signal, so the flag is the one meant.
void KernelMachine::signal(const std::string& name, int number, bool restart) {
  const Actor& actor = actors_.at(name);
  Worker& observer = *processes_.at(actor.process).observer;
  observer.call([&] {
    struct sigaction action {};
    action.sa_handler = [](int) {};
    action.sa_flags = restart ? SA_RESTART : 0;
    sigaction(number, &action, nullptr);
  });
  settled_ = false;
  syscall(SYS_tgkill, observer.tid(), actor.worker->tid(), number);
}

void KernelMachine::become_a_program(Actor& actor) {
  Process& process = processes_.at(actor.process);
  Exec exec(*process.observer, *actor.worker, place_.cpu);
  process.observer = exec.take_process();
  process.observer->call(
      [&] { actor.worker = std::make_unique<Worker>(Worker::Table::shared, place_.cpu, place_.fifo); });
  if (place_.without_admin) {
    actor.worker->call(Worker::give_up_admin);
  }
  exec.settle_signals(*actor.worker, process.observer->tid());
}

void KernelMachine::leave(Actor& actor) {
  Process& process = processes_.at(actor.process);
  actor.worker->stop();
  if (--process.actors == 0) {
    if (place_.fifo) {  // its end closes the descriptors: whom that wakes must wait until all are closed
      process.observer->call([] { Worker::take_fifo(); });
    }
    process.observer->stop();
  }
}

bool KernelMachine::returned(const std::string& name) {
  const Actor& actor = actors_.at(name);
  return actor.in_call && (actor.at_once || !actor.worker->busy());
}

std::optional<Outcome> KernelMachine::take(const std::string& name) {
  if (!returned(name)) {
    return std::nullopt;
  }
  Actor& actor = actors_.at(name);
  actor.in_call = false;
  return actor.outcome;
}

/// Every actor that is in a call sleeps in just that call, and so do the services.
bool KernelMachine::all_still() {
  if (services_ != nullptr && !services_->quiet()) {
    return false;
  }
  return std::all_of(actors_.begin(), actors_.end(), [](const auto& item) {
    const Actor& actor = item.second;
    return !actor.in_call || actor.at_once || !actor.worker->busy() ||
           actor.worker->sleeps_in(syscall_number(actor.request.call));
  });
}

bool KernelMachine::unacknowledged() {
  const std::vector<TcpSocket> sending = diag_->sending_sockets(ipv6_);
  return std::any_of(sending.begin(), sending.end(), [this](const TcpSocket& s) {
    const bool ours = place_.own_network || ports_.count(s.local_port) || ports_.count(s.remote_port);
    return ours && is_retransmitting(s);
  });
}

void KernelMachine::settle() {
  if (settled_) {
    return;
  }
  const Duration start = now();
  Duration pause = 30us;
  int still = 0;
  while (true) {
    still = all_still() ? still + 1 : 0;
    if (still >= 2) {  // seen twice, with a pause in which anything runnable on this CPU could run
      remember_if_asked();
      if (!unacknowledged() || now() - start >= kQuietLimit) {
        settled_ = true;
        break;
      }
      still = 0;
    }
    if (now() - start > kRunawayLimit) {
      throw Unavailable(services_ != nullptr && !services_->quiet()
                            ? "the services were still busy after 10 s"
                            : "a system call neither returned nor slept within 10 s");
    }
    sleep_for(pause);
    pause = std::min<Duration>(pause * 2, 1ms);
  }
}

/// A call that only a timer of its own can end: its timeout argument, or SO_RCVTIMEO and SO_SNDTIMEO of the socket.
std::optional<Duration> KernelMachine::timer(const std::string& name) {
  Actor& actor = actors_.at(name);
  const Request& r = actor.request;
  if (const std::optional<long> ms = timeout_argument(r)) {
    return *ms < 0 ? std::nullopt : std::optional<Duration>(std::chrono::milliseconds(*ms));
  }
  switch (r.call) {
    case Call::accept:
    case Call::accept4:
    case Call::read:
    case Call::readv:
    case Call::recv:
    case Call::recvfrom:
    case Call::recvmsg:
    case Call::connect:
    case Call::write:
    case Call::writev:
    case Call::send:
    case Call::sendto:
    case Call::sendmsg:
      break;
    default:
      return std::nullopt;
  }
  const bool sends = r.call == Call::connect || r.call == Call::write || r.call == Call::writev ||
                     r.call == Call::send || r.call == Call::sendto || r.call == Call::sendmsg;
  const int fd = static_cast<int>(r.numbers[0]);
  timeval limit{};
  processes_.at(actor.process).observer->call([&] {
    socklen_t size = sizeof limit;
    if (getsockopt(fd, SOL_SOCKET, sends ? SO_SNDTIMEO : SO_RCVTIMEO, &limit, &size) != 0) {
      limit = {};
    }
  });
  if (limit.tv_sec == 0 && limit.tv_usec == 0) {
    return std::nullopt;
  }
  return std::chrono::seconds(limit.tv_sec) + std::chrono::microseconds(limit.tv_usec);
}

Duration KernelMachine::now() {
  timespec time{};
  clock_gettime(CLOCK_MONOTONIC, &time);
  return std::chrono::seconds(time.tv_sec) + std::chrono::nanoseconds(time.tv_nsec);
}

void KernelMachine::advance(Duration limit) {
  settled_ = false;
  sleep_for(std::min<Duration>(limit, 500us));
}

}  // namespace wakepath::scenario
