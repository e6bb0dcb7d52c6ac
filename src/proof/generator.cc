#include "src/proof/generator.hh"

#include <signal.h>

#include <algorithm>
#include <numeric>
#include <stdexcept>

#include "src/proof/openings.hh"
#include "src/scenario/call_parser.hh"

namespace wakepath::proof {
namespace {

constexpr int kTries = 60;
constexpr int kFavour = 8;            // how much oftener a call comes that a focus favours
constexpr unsigned kFallAsleep = 18;  // per cent of the steps that are free to choose
constexpr unsigned kAstray = 5;       // per cent of the same that get a pointer to nowhere: one in a hundred of all
constexpr unsigned kFloods = 4;       // per cent of the programs that send TCP more than fits
constexpr int kMostBeforeTimer =
    4;  // steps between arming a timerfd and its end: the running kernel needs time for each
constexpr std::chrono::milliseconds kApart{20};  // scenarios/README.md: files do not depend on timers less apart

scenario::CallStep parse(const std::string& text) {
  const scenario::Source source("program", text);
  scenario::Yaml scalar;
  scalar.text = text;
  scalar.offsets.resize(text.size() + 1);
  std::iota(scalar.offsets.begin(), scalar.offsets.end(), std::size_t{0});
  try {
    return scenario::parse_call(source, scalar);
  } catch (const scenario::ParseFailure& failure) {  // a mistake in one of the tables
    throw std::logic_error(text + ": " + failure.problem.text());
  }
}

const std::vector<Kind>& all_kinds() {
  static const std::vector<Kind> all = [] {
    std::vector<Kind> rows;
    for (const auto* part : {&kSocketKinds, &kDataKinds, &kFileKinds, &kEpollKinds}) {
      rows.insert(rows.end(), part->begin(), part->end());
    }
    return rows;
  }();
  return all;
}

const Kind& random_kind(Random& random, const Focus* focus) {
  const auto weight = [focus](const Kind& kind) {
    return kind.weight * (focus != nullptr && focus->favours(kind.function) ? kFavour : 1);
  };
  int sum = 0;
  for (const Kind& kind : all_kinds()) {
    sum += weight(kind);
  }
  int at = static_cast<int>(random.below(static_cast<std::uint64_t>(sum)));
  for (const Kind& kind : all_kinds()) {
    if ((at -= weight(kind)) < 0) {
      return kind;
    }
  }
  return all_kinds().back();
}

/// The timeout that a call names, in ms; nothing when it has none.
std::optional<int> timeout_of(const ProgramStep& step) {
  const std::string& f = step.function;
  const std::size_t at = f == "epoll_wait" || f == "epoll_pwait" ? 2 : f == "poll" || f == "ppoll" ? 1 : 3;
  return at < 3 || f == "select" ? as_number(step.args[at]) : std::nullopt;
}

/// Whether the step takes no time, or all of it: nothing that TCP does, no other timer ends near the one that runs.
bool keeps_clear(const World& world, const ProgramStep& step, scenario::Duration left) {
  static const std::set<std::string> kTakeNoTime = {
      "dup",         "epoll_create1", "epoll_ctl", "eventfd",    "fcntl",         "getpeername",
      "getsockname", "getsockopt",    "ioctl",     "lseek",      "memfd_create",  "pipe2",
      "signalfd4",   "sigprocmask",   "socket",    "socketpair", "timerfd_create"};
  if (const std::optional<int> timeout = timeout_of(step)) {
    return *timeout <= 0 || std::chrono::milliseconds(*timeout) >= left + kApart;
  }
  if (step.function == "read") {
    const std::optional<Descriptor> d = world.behind(world.process_of(step.actor), step.args[0]);
    return d && world.object(d->object).sort == Sort::timerfd;
  }
  return step.function == "timerfd_settime" ? step.args[1] == "0ms" : kTakeNoTime.contains(step.function);
}

}  // namespace

Generator::Generator(std::uint64_t seed, int calls, scenario::Machine& machine, const Focus* focus, OnStep on_step)
    : machine_(machine), focus_(focus), world_(seed, machine), calls_(calls), on_step_(std::move(on_step)) {
  if (focus_ != nullptr ? focus_->floods : world_.random.percent(kFloods)) {
    world_.floods = true;
    // what else decides depends on the pace of a machine
    program_.kernel = {{"net.ipv4.tcp_congestion_control", "reno"}, {"net.ipv4.tcp_moderate_rcvbuf", "0"}};
  }
  for (int i = 0; i < 2; ++i) {
    for (ProgramStep& step : random_opening(world_, focus_)) {
      plan_.push_back(std::move(step));
    }
    if (world_.random.percent(35)) {
      break;
    }
  }
}

void Generator::learn(const std::vector<scenario::Entry>& so_far) {
  learned_.resize(so_far.size());
  for (std::size_t i = first_open_; i < so_far.size(); ++i) {
    if (so_far[i].done && !learned_[i]) {
      world_.learn(so_far[i]);
      learned_[i] = true;
    }
  }
  while (first_open_ < learned_.size() && learned_[first_open_]) {
    ++first_open_;
  }
}

const scenario::Step* Generator::next(const std::vector<scenario::Entry>& so_far) {
  learn(so_far);
  const bool opening_alone = focus_ != nullptr && focus_->cpus > 1;
  if (static_cast<int>(program_.steps.size()) >= calls_ || (opening_alone && plan_.empty())) {
    return nullptr;
  }
  std::optional<ProgramStep> step;
  if (const std::optional<scenario::Duration> left = world_.soon()) {
    return emit(before_timer(*left));
  }
  before_timer_ = 0;
  if (!plan_.empty() && (opening_alone || !world_.random.percent(12))) {
    step = planned();
  }
  if (!step) {
    step = random_step();
  }
  return emit(step ? std::move(*step) : possible_step());
}

/// The next step of the opening that still can be made.
std::optional<ProgramStep> Generator::planned() {
  while (!plan_.empty()) {
    ProgramStep step = std::move(plan_.front());
    plan_.pop_front();
    const std::vector<std::string> idle = world_.idle();
    if (std::find(idle.begin(), idle.end(), step.actor) != idle.end() && world_.names_exist(step) &&
        world_.addresses_exist(step) && machine_knows(step) &&
        (step.function != "execve" || world_.threads_of(world_.process_of(step.actor)) == 1)) {
      return step;
    }
  }
  return std::nullopt;
}

/// While a timerfd is about to expire, only steps that do not come near that moment; soon one that lets it pass.
ProgramStep Generator::before_timer(scenario::Duration left) {
  for (int i = 0; i < kTries && before_timer_ < kMostBeforeTimer; ++i) {
    const bool from_plan = i == 0 && !plan_.empty();
    std::optional<ProgramStep> step = from_plan ? planned() : random_step();
    if (step && step->wait.empty() && step->signal_to.empty() && keeps_clear(world_, *step, left)) {
      ++before_timer_;
      return *step;
    }
    if (step && from_plan) {
      plan_.push_front(*step);
    }
  }
  ProgramStep pause;
  pause.wait = "70ms";
  return pause;
}

std::optional<ProgramStep> Generator::random_step() {
  if (world_.random.percent(2)) {
    ProgramStep pause;
    pause.wait = world_.random.one_of({"50ms", "70ms"});
    return pause;
  }
  for (int i = 0; i < kTries; ++i) {
    ProgramStep step;
    if (random_call(step) && machine_knows(step) && world_.addresses_exist(step)) {
      return step;
    }
  }
  return std::nullopt;
}

/// Those who can make a call; there is always somebody.
std::vector<std::string> Generator::callers() {
  std::vector<std::string> idle = world_.idle();
  if (idle.empty()) {
    idle.push_back(world_.new_process());
  }
  return idle;
}

/// When none of many tries gave a step, as may be when nothing is open yet: one that can always be made.
ProgramStep Generator::possible_step() {
  return {callers().front(), {world_.fresh("p")}, "epoll_create1", {"0"}, "", "", false};
}

bool Generator::random_call(ProgramStep& step) {
  const std::vector<std::string> idle = callers();
  if (world_.random.percent(idle.size() < 3 ? 70 : 42) && wake_somebody(world_, step)) {
    return true;
  }
  if (idle.size() > 1 && world_.random.percent(kFallAsleep) && fall_asleep(world_, step)) {
    return true;
  }
  step = {world_.random.one_of(idle), {}, "", {}, "", "", false};
  const Kind& kind = random_kind(world_.random, focus_);
  step.function = kind.function;
  const bool made = kind.make(world_, world_.actor(step.actor).process, step);
  // a series that dwells on something has no calls to spare
  if (made && focus_ == nullptr && world_.random.percent(kAstray)) {
    lead_astray(world_, step);
  }
  return made;
}

bool Generator::machine_knows(const ProgramStep& step) {
  if (!step.wait.empty() || !step.signal_to.empty()) {
    return true;
  }
  return !machine_.unknown(parse(step.call())).has_value();
}

const scenario::Step* Generator::emit(ProgramStep made) {
  scenario::Step step;
  step.number = static_cast<int>(program_.steps.size()) + 1;
  if (!made.signal_to.empty()) {
    step.kind = scenario::Step::Kind::signal;
    step.signal = {made.signal_to, SIGUSR1, made.restart};
  } else if (made.wait.empty()) {
    step.kind = scenario::Step::Kind::call;
    step.actor = made.actor;
    step.call = parse(made.call() + " = ?");
    world_.begin(step.number, made);
  } else {
    step.kind = scenario::Step::Kind::wait;
    step.wait = std::chrono::milliseconds(std::stol(made.wait));
  }
  if (on_step_) {
    on_step_(made);
  }
  program_.steps.push_back(std::move(made));
  steps_.push_back(std::move(step));
  return &steps_.back();
}

Generated generate(std::uint64_t seed, int calls, const std::string& focus, Generator::OnStep on_step) {
  scenario::ModelMachine machine;
  Generator generator(seed, calls, machine, focus_by_name(focus), std::move(on_step));
  scenario::Scenario setting;
  setting.kernel = generator.program().kernel;
  Generated out;
  out.result = scenario::run(setting, machine, generator);
  out.program = generator.program();
  out.trace = machine.trace();
  out.forks = generator.world().forks();
  out.duplicates = generator.world().duplicates();
  return out;
}

}  // namespace wakepath::proof
