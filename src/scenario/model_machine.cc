#include "src/scenario/model_machine.hh"

#include <fmt/format.h>
#include <signal.h>

#include <algorithm>
#include <charconv>

#include "sim/kernel/packet.hh"
#include "src/scenario/compared.hh"
#include "src/scenario/model_calls.hh"
#include "src/scenario/scope.hh"
#include "src/scenario/step_text.hh"
#include "src/scenario/views.hh"

namespace wakepath::scenario {
namespace {

using namespace std::chrono_literals;

constexpr Duration kQuietLimit = 300ms;  // scenarios/README.md: for unacknowledged data time passes, at most this

/// As two numbers when they are some; else in words.
void diverge(record::Recorder& recorder, const Difference& difference) {
  long model = 0, kernel = 0;
  const auto number = [](const std::string& text, long& value) {
    const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
    return error == std::errc{} && end == text.data() + text.size();
  };
  if (number(difference.model, model) && number(difference.kernel, kernel))
    return recorder.divergence(difference.field, model, kernel);
  recorder.divergence(fmt::format("{}: model {}, kernel {}", difference.field, difference.model, difference.kernel), 0,
                      0);
}

kernel::Config configure(const Scenario& scenario) {
  kernel::Config config;
  if (scenario.profile == "4.19") config.profile = kernel::Profile::v4_19;
  config.cpus = static_cast<unsigned>(scenario.cpus);
  config.nic = scenario.device_nic;
  for (const auto& [name, value] : scenario.kernel) {
    try {
      if (!kernel::set_sysctl(config, name, value)) {
        throw Unavailable(fmt::format("the model does not know {}: {} yet", name, value));
      }
    } catch (const std::invalid_argument& problem) {
      throw Unavailable(problem.what());
    }
  }
  return config;
}

}  // namespace

std::optional<std::string> ModelMachine::unknown(const CallStep& call) const { return unknown_to_model(call); }

void ModelMachine::open(const Scenario& scenario) {
  kernel::Config config = configure(scenario);
  config.mutant = mutant_;
  if (comparison_ != nullptr) config.compared_with = comparison_->with;
  kernel_ = std::make_unique<kernel::Kernel>(config);
  if (tap_)
    kernel_->tap = [this](const kernel::sk_buff& skb) {
      tap_(kernel_->now_ns(), kernel::packet_bytes(*kernel_, skb), step_);
    };
  if (!scenario.services.empty()) {
    services_ = std::make_unique<ModelServices>(*kernel_, scenario);
    actors_[kServicesProcess] = {.task = services_->first_task(), .process = kServicesProcess};
  }
}

std::map<std::string, int> ModelMachine::listeners() const {
  return services_ != nullptr ? services_->listeners() : Machine::listeners();
}

void ModelMachine::run_until_quiet() {
  if (services_ != nullptr) {
    services_->run_until_quiet();
  } else {
    kernel_->run_until_idle();
  }
}

void ModelMachine::add_actor(const std::string& name, const std::string& process) {
  kernel::task_struct* sibling = nullptr;
  for (const auto& [other_name, other] : actors_) {
    sibling = other.process == process && sibling == nullptr ? other.task : sibling;
  }
  Actor& actor = actors_[name];
  actor.process = process;
  actor.task = sibling != nullptr ? kernel_->spawn_thread(name, sibling) : kernel_->spawn_process(name);
}

void ModelMachine::begin_step(const Step& step) {
  step_ = &step;
  record::Recorder& recorder = kernel_->recorder;
  recorder.step(static_cast<uint64_t>(step.number), step_text(step));
  if (step.kind == Step::Kind::say) {
    recorder.note(trace::NoteKind::kSay, trace::note_of(step.say));
  } else if (step.kind == Step::Kind::mark) {
    recorder.note(trace::NoteKind::kMark, step.mark);
  } else if (step.kind == Step::Kind::ask) {
    recorder.note(trace::NoteKind::kAsk, trace::note_of(step.ask));
  }
}

void ModelMachine::end_step(const Step& step) {
  remember();
  if (comparison_ != nullptr)
    if (const auto found = comparison_->by_step.find(step.number); found != comparison_->by_step.end())
      for (const Difference& difference : found->second) diverge(kernel_->recorder, difference);
  kernel_->recorder.step_end(static_cast<uint64_t>(step.number));
}

void ModelMachine::start(const std::string& name, const Request& request) {
  remember();
  Actor& actor = actors_.at(name);
  actor.request = request;
  actor.in_call = true;
  actor.at_once = request.call == Call::fork || request.call == Call::thread || request.call == Call::exit;
  if (request.call == Call::exit) {
    kernel_->exit_task(actor.task);
  } else if (actor.at_once) {
    Actor& born = actors_[request.new_actor];
    born.process = request.new_process;
    born.task = request.call == Call::fork ? kernel_->spawn_fork(request.new_actor, actor.task)
                                           : kernel_->spawn_thread(request.new_actor, actor.task);
  } else {
    kernel_->start(actor.task, call(actor));
  }
}

void ModelMachine::signal(const std::string& name, int number, bool restart) {
  kernel::task_struct* task = actors_.at(name).task;
  kernel::set_empty_handler(*kernel_, task, number, restart);
  kernel::send_signal(*kernel_, task, number, SI_TKILL);
}

void ModelMachine::fault(const Fault& fault) { actors_.at(fault.actor).faults.push_back(fault); }

void ModelMachine::exit_all() {
  for (auto& [name, actor] : actors_) {
    if (actor.task->files != nullptr) {
      kernel_->exit_task(actor.task);
    }
  }
}

void ModelMachine::settle() {
  run_until_quiet();
  const Duration until = now() + kQuietLimit;
  while (unacknowledged() && now() < until) {
    advance(until - now());
  }
}

bool ModelMachine::returned(const std::string& name) {
  const Actor& actor = actors_.at(name);
  return actor.in_call && (actor.at_once || actor.task->call_done());
}

std::optional<Outcome> ModelMachine::take(const std::string& name) {
  if (!returned(name)) {
    return std::nullopt;
  }
  Actor& actor = actors_.at(name);
  actor.in_call = false;
  return actor.at_once ? Outcome{} : outcome(actor);
}

void ModelMachine::wire(const Wire& wire, const std::string& process, int fd) {
  const kernel::sock* sk = wire.from.empty() ? nullptr : socket(process, fd);
  if (sk == nullptr && !wire.from.empty()) {
    throw Unavailable(fmt::format("{} is no socket: nothing comes from it", wire.from));
  }
  kernel::set_wire_fault(*kernel_, sk != nullptr ? sk->common.skc_rcv_saddr.get().value : 0,
                         sk != nullptr ? sk->common.skc_num.get() : kernel::u16{0}, static_cast<kernel::u32>(wire.drop),
                         static_cast<kernel::u32>(wire.reorder), static_cast<kernel::u64>(wire.delay.count()));
}

Duration ModelMachine::now() { return Duration(static_cast<int64_t>(kernel_->now_ns())); }

void ModelMachine::advance(Duration limit) {
  const uint64_t last = kernel_->now_ns() + static_cast<uint64_t>(limit.count());
  const std::optional<uint64_t> next = kernel_->scheduler.next_deadline();
  const uint64_t target = next ? std::min(*next, last) : last;
  if (services_ == nullptr) {
    kernel_->scheduler.advance_to(target);
    return;
  }
  services_->run_until_quiet();
  kernel_->scheduler.advance_clock_to(target);
  services_->run_until_quiet();
}

/// SYN_SENT is quiet, and so is a zero-window probe: it has nothing in flight.
bool ModelMachine::unacknowledged() const {
  using kernel::TcpState;
  bool waits = false;
  kernel_->tcp_socks.for_each([&](const kernel::tcp_sock& tp) {
    switch (tp.inet_conn.icsk_inet.sk.common.skc_state.get()) {
      case TcpState::ESTABLISHED:
      case TcpState::FIN_WAIT1:
      case TcpState::CLOSE_WAIT:
      case TcpState::LAST_ACK:
      case TcpState::CLOSING:
        waits |= tp.packets_out > 0;
        break;
      default:
        break;
    }
  });
  return waits;
}

std::optional<Duration> ModelMachine::timer(const std::string& name) {
  const Actor& actor = actors_.at(name);
  const Request& r = actor.request;
  if (const std::optional<long> ms = timeout_argument(r)) {
    return *ms < 0 ? std::nullopt : std::optional<Duration>(std::chrono::milliseconds(*ms));
  }
  const kernel::sock* sk = r.numbers.empty() ? nullptr : socket(actor.process, static_cast<int>(r.numbers[0]));
  if (sk == nullptr) {
    return std::nullopt;
  }
  const bool sends = r.call == Call::connect || r.call == Call::write || r.call == Call::writev ||
                     r.call == Call::send || r.call == Call::sendto || r.call == Call::sendmsg;
  const uint64_t limit = sends ? sock_sndtimeo(sk, false) : sock_rcvtimeo(sk, false);
  return limit == kernel::kForever ? std::nullopt : std::optional(Duration(static_cast<int64_t>(limit)));
}

FileResult run_on_model(const Scenario& scenario, const RunOptions& options, std::shared_ptr<trace::Trace>* trace) {
  ModelMachine machine;
  machine.tap(options.tap);
  machine.compare(options.comparison);
  FileResult result = run(scenario, machine, options);
  if (!options.views.empty() && machine.trace()) {
    try {
      write_model_views(options.views, *machine.trace());
    } catch (const FileError& error) {
      result.error = Problem{scenario.file, error.at, error.sentence, "", true};
      result.ok = false;
    }
  }
  if (trace != nullptr) {
    *trace = machine.trace();
  }
  return result;
}

}  // namespace wakepath::scenario
