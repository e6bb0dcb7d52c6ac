#include "src/scenario/model_machine.hh"

#include <fmt/format.h>
#include <signal.h>

#include <algorithm>

#include "src/scenario/model_calls.hh"
#include "src/scenario/step_text.hh"
#include "src/scenario/views.hh"

namespace wakepath::scenario {
namespace {

using namespace std::chrono_literals;

constexpr Duration kQuietLimit = 300ms;  // SCENARIO.md: for unacknowledged data time passes, at most this

long number_of(const std::string& name, const std::string& value) {
  try {
    return std::stol(value);
  } catch (const std::exception&) {
    throw Unavailable(fmt::format("{} is no number the model understands: {}", name, value));
  }
}

kernel::Config configure(const Scenario& scenario) {
  kernel::Config config;
  if (scenario.profile == "4.19") config.profile = kernel::Profile::v4_19;
  if (scenario.cpus > 1) {
    throw Unavailable("the model has one CPU so far");
  }
  config.nic = scenario.device_nic;
  for (const auto& [name, value] : scenario.kernel) {
    if (name == "net.core.somaxconn") {
      config.somaxconn = static_cast<kernel::u32>(number_of(name, value));
    } else if (name == "net.ipv4.ip_local_port_range") {
      const size_t gap = value.find_first_of(" \t");
      config.port_low = static_cast<kernel::u16>(number_of(name, value.substr(0, gap)));
      config.port_high = static_cast<kernel::u16>(number_of(name, gap == std::string::npos ? "" : value.substr(gap)));
    } else if (name == "net.unix.max_dgram_qlen") {
      config.max_dgram_qlen = static_cast<kernel::u32>(number_of(name, value));
    } else if (name == "net.ipv4.tcp_abort_on_overflow") {
      config.tcp_abort_on_overflow = number_of(name, value) != 0;
    } else if (name == "net.ipv4.tcp_syn_retries") {
      config.tcp_syn_retries = static_cast<int>(number_of(name, value));
    } else if (name == "net.core.netdev_budget") {
      config.netdev_budget = static_cast<int>(number_of(name, value));
    } else {
      throw Unavailable(fmt::format("the model does not know the sysctl {} yet", name));
    }
  }
  return config;
}

}  // namespace

std::optional<std::string> ModelMachine::unknown(const CallStep& call) const { return unknown_to_model(call); }

void ModelMachine::open(const Scenario& scenario) { kernel_ = std::make_unique<kernel::Kernel>(configure(scenario)); }

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
  record::Recorder& recorder = kernel_->recorder;
  recorder.step(static_cast<uint64_t>(step.number), step_text(step));
  if (step.kind == Step::Kind::say) {
    recorder.note(trace::NoteKind::kSay, step.say.in("en"));
  } else if (step.kind == Step::Kind::mark) {
    recorder.note(trace::NoteKind::kMark, step.mark);
  } else if (step.kind == Step::Kind::ask) {
    recorder.note(trace::NoteKind::kAsk, question_text(step.ask, "en"));
  }
}

void ModelMachine::end_step(const Step& step) {
  remember();
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

void ModelMachine::settle() {
  kernel_->run_until_idle();
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

Duration ModelMachine::now() { return Duration(static_cast<int64_t>(kernel_->now_ns())); }

void ModelMachine::advance(Duration limit) {
  const uint64_t last = kernel_->now_ns() + static_cast<uint64_t>(limit.count());
  const std::optional<uint64_t> next = kernel_->scheduler.next_deadline();
  kernel_->scheduler.advance_to(next ? std::min(*next, last) : last);
}

/// SYN_SENT is quiet, and so is a zero-window probe: it has nothing in flight.
bool ModelMachine::unacknowledged() const {
  using kernel::TcpState;
  for (const auto& [hash, bucket] : kernel_->ehash) {
    for (const kernel::sock_common* entry : bucket->chain) {
      switch (entry->skc_state.get()) {
        case TcpState::ESTABLISHED:
        case TcpState::FIN_WAIT1:
        case TcpState::CLOSE_WAIT:
        case TcpState::LAST_ACK:
        case TcpState::CLOSING:
          if (reinterpret_cast<const kernel::tcp_sock*>(entry)->packets_out > 0) {
            return true;
          }
          break;
        default:
          break;
      }
    }
  }
  return false;
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
  const uint64_t limit = sends ? sk->sndtimeo_ns : sk->rcvtimeo_ns;
  return limit == kernel::kForever ? std::nullopt : std::optional(Duration(static_cast<int64_t>(limit)));
}

FileResult run_on_model(const Scenario& scenario, const RunOptions& options, std::shared_ptr<trace::Trace>* trace) {
  ModelMachine machine;
  FileResult result = run(scenario, machine, options);
  if (!options.views.empty() && machine.trace()) {
    write_model_views(options.views, *machine.trace());
  }
  if (trace != nullptr) {
    *trace = machine.trace();
  }
  return result;
}

}  // namespace wakepath::scenario
