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

const Kind& random_kind(Random& random) {
  static const int sum = std::accumulate(all_kinds().begin(), all_kinds().end(), 0,
                                         [](int so_far, const Kind& kind) { return so_far + kind.weight; });
  int at = static_cast<int>(random.below(static_cast<std::uint64_t>(sum)));
  for (const Kind& kind : all_kinds()) {
    if ((at -= kind.weight) < 0) {
      return kind;
    }
  }
  return all_kinds().back();
}

}  // namespace

Generator::Generator(std::uint64_t seed, int calls, scenario::Machine& machine, OnStep on_step)
    : machine_(machine), world_(seed, machine), calls_(calls), on_step_(std::move(on_step)) {
  for (int i = 0; i < 2; ++i) {
    for (ProgramStep& step : random_opening(world_)) {
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
  if (static_cast<int>(program_.steps.size()) >= calls_) {
    return nullptr;
  }
  std::optional<ProgramStep> step;
  if (!plan_.empty() && !world_.random.percent(12)) {
    step = planned();
  }
  if (!step) {
    step = random_step();
  }
  return step ? emit(std::move(*step)) : nullptr;
}

/// The next step of the opening that still can be made.
std::optional<ProgramStep> Generator::planned() {
  while (!plan_.empty()) {
    ProgramStep step = std::move(plan_.front());
    plan_.pop_front();
    const std::vector<std::string> idle = world_.idle();
    if (std::find(idle.begin(), idle.end(), step.actor) != idle.end() && world_.names_exist(step) &&
        world_.addresses_exist(step) && machine_knows(step)) {
      return step;
    }
  }
  return std::nullopt;
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

bool Generator::random_call(ProgramStep& step) {
  std::vector<std::string> idle = world_.idle();
  if (idle.empty()) {
    idle.push_back(world_.new_process());
  }
  step.actor = world_.random.one_of(idle);
  if (world_.random.percent(idle.size() < 3 ? 88 : 74) && wake_somebody(world_, step.actor, step)) {
    return true;
  }
  step = {step.actor, {}, "", {}, "", "", false};
  const Kind& kind = random_kind(world_.random);
  step.function = kind.function;
  return kind.make(world_, world_.actor(step.actor).process, step);
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

Generated generate(std::uint64_t seed, int calls, Generator::OnStep on_step) {
  scenario::ModelMachine machine;
  Generator generator(seed, calls, machine, std::move(on_step));
  scenario::Scenario setting;
  Generated out;
  out.result = scenario::run(setting, machine, generator);
  out.program = generator.program();
  out.trace = machine.trace();
  out.forks = generator.world().forks();
  out.duplicates = generator.world().duplicates();
  return out;
}

}  // namespace wakepath::proof
