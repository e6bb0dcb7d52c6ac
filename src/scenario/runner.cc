#include "src/scenario/runner.hh"

#include <fmt/format.h>

#include <algorithm>
#include <map>

#include "src/scenario/arguments.hh"
#include "src/scenario/matching.hh"
#include "src/scenario/scope.hh"
#include "src/scenario/statement.hh"
#include "src/scenario/timers.hh"

namespace wakepath::scenario {
namespace {

using namespace std::chrono_literals;

constexpr Duration kExpectLimit = 200ms;
constexpr Duration kReturnsLimit = 10s;
constexpr Duration kTimerSlack = 2s;  // a loaded machine is late, a timeout that never comes is later

struct Actor {
  std::string name;
  Process* process = nullptr;
  size_t entry = 0;            ///< of its last call
  const Step* step = nullptr;  ///< of its last call
  bool in_call = false;        ///< the call has not returned
};

/// The steps of a file, one after the other.
class FileSteps : public StepSource {
 public:
  explicit FileSteps(const Scenario& scenario) : steps_(scenario.steps) {}
  const Step* next(const std::vector<Entry>&) override { return at_ < steps_.size() ? &steps_[at_++] : nullptr; }

 private:
  const std::vector<Step>& steps_;
  size_t at_ = 0;
};

class Run {
 public:
  Run(const Scenario& scenario, Machine& machine, StepSource& source)
      : scenario_(scenario), machine_(machine), source_(source) {
    view_.fix_ports_of(scenario_);
  }

  FileResult result() {
    out_.file = scenario_.file;
    out_.on = machine_.name();
    try {
      machine_.open(scenario_);
      if (!scenario_.services.empty()) {
        scope_.process(kServicesProcess).variables = machine_.listeners();
      }
      for (const auto& [actor, process] : scenario_.actors) {
        make_actor(actor, process);
      }
      while (const Step* step = source_.next(out_.entries)) {
        number_ = step->number;
        machine_.begin_step(*step);
        run_step(*step);
        settle();
        machine_.end_step(*step);
      }
    } catch (const FileError& error) {
      out_.error = Problem{scenario_.file, error.at, error.sentence, "", true};
    } catch (const Skip& skip) {
      out_.skipped = skip.what();
    } catch (const Unavailable& reason) {
      out_.skipped = reason.what();
      out_.unavailable = true;
    }
    out_.ok = !out_.error && !out_.skipped && std::all_of(out_.entries.begin(), out_.entries.end(), [](const Entry& e) {
      return e.expect.empty() ? e.expected : e.truth != Entry::Truth::no;
    });
    return std::move(out_);
  }

 private:
  void run_step(const Step& step) {
    switch (step.kind) {
      case Step::Kind::call:
        return call(step);
      case Step::Kind::returns:
        return returns(step);
      case Step::Kind::wait: {
        const Duration until = machine_.now() + step.wait;
        while (machine_.now() < until) {
          machine_.advance(until - machine_.now());
        }
        return;
      }
      case Step::Kind::expect:
        return expect(step);
      case Step::Kind::signal:
        return machine_.signal(actor(step.signal.to).name, step.signal.number, step.signal.restart);
      case Step::Kind::wire:
        return wire(step);
      case Step::Kind::fault:
        return machine_.fault(with_actor(step.fault));
      default:
        return;  // say, mark, ask
    }
  }

  // --- actors and names ---

  Actor& make_actor(const std::string& name, const std::string& process) {
    machine_.add_actor(name, process);
    return adopt_actor(name, process);
  }

  Actor& adopt_actor(const std::string& name, const std::string& process) {
    Actor& actor = actors_[name];
    actor.name = name;
    actor.process = &scope_.process(process);
    return actor;
  }

  Actor& actor(const std::string& name) {
    const auto found = actors_.find(name);
    return found != actors_.end() ? found->second : make_actor(name, name);
  }

  Arguments arguments() { return {number_, scope_, machine_, view_}; }

  /// A fault may name an actor that has not acted yet.
  const Fault& with_actor(const Fault& fault) {
    actor(fault.actor);
    return fault;
  }

  // --- calls ---

  void call(const Step& step) {
    Actor& who = actor(step.actor);
    if (who.in_call) {
      throw FileError{step.at, fmt::format("step {}: {} is still blocked in {} (step {})", step.number, who.name,
                                           who.step->call.signature->name, who.step->number)};
    }
    const Request request = arguments().request(step.call, *who.process);
    who.entry = out_.entries.size();
    who.step = &step;
    who.in_call = true;
    Entry entry;
    entry.step = step.number;
    entry.at = step.at;
    entry.actor = step.actor;
    entry.call = step.call.text;
    out_.entries.push_back(entry);
    machine_.start(who.name, request);
    if (!request.new_actor.empty()) {
      const std::map<std::string, int> variables = who.process->variables;
      Actor& born = adopt_actor(request.new_actor, request.new_process);
      if (request.call == Call::fork) {
        born.process->variables = variables;
      }
    }
    settle();
    const bool may_block = std::any_of(step.call.results.begin(), step.call.results.end(),
                                       [](const Result& r) { return r.kind == Result::Kind::blocks; });
    Actor& again = actors_.at(step.actor);
    if (again.in_call && !may_block) {
      std::optional<Duration> timer = machine_.timer(again.name);
      if (!timer) {
        timer = first_timerfd(machine_, again.process->name, request);
      }
      if (timer) {
        pass_until_returned(again, *timer + kTimerSlack);
      }
    }
    judge_call(step, again);
  }

  void judge_call(const Step& step, const Actor& who) {
    Entry& entry = out_.entries[who.entry];
    const auto& results = step.call.results;
    const std::optional<Outcome> outcome = who.in_call ? std::nullopt : std::optional(outcomes_.at(step.number));
    if (results.empty()) {
      entry.expected = outcome && outcome->ret >= 0;
    } else {
      entry.expected = std::any_of(results.begin(), results.end(),
                                   [&](const Result& r) { return matches(r, outcome, *who.process); });
    }
    say_where(entry, who);
  }

  bool matches(const Result& result, const std::optional<Outcome>& outcome, const Process& process) {
    std::optional<Address> wanted;
    if (result.address && result.address->kind != Arg::Kind::numbered) {
      wanted = arguments().address(*result.address, process);
    }
    return view_.matches(result, outcome, wanted);
  }

  void returns(const Step& step) {
    Actor& who = actor(step.actor);
    if (who.step == nullptr || (!who.in_call && out_.entries[who.entry].returned_after == who.step->number)) {
      throw FileError{step.at, fmt::format("step {}: {} was not blocked in a call", step.number, who.name)};
    }
    if (who.in_call) {
      pass_until_returned(who, kReturnsLimit);
    }
    Entry& entry = out_.entries[who.entry];
    bool good = !who.in_call;
    if (good) {
      const Outcome& outcome = outcomes_.at(who.step->number);
      bind_rights(who, step.returns, outcome);
      good = std::any_of(step.returns.begin(), step.returns.end(),
                         [&](const Result& r) { return matches(r, outcome, *who.process); });
    }
    if (!good) {
      entry.expected = false;
      entry.failed_at = step.number;
      say_where(entry, who);
    }
  }

  /// Of a call that sleeps although it was not to: in what.
  void say_where(Entry& entry, const Actor& who) {
    if (!entry.expected && who.in_call) {
      entry.asleep_in = machine_.asleep_in(who.name);
    }
  }

  // --- time ---

  void pass_until_returned(Actor& who, Duration limit) {
    const Duration until = machine_.now() + limit;
    while (who.in_call && machine_.now() < until) {
      machine_.advance(until - machine_.now());
      collect();
    }
    settle();
  }

  void settle() {
    machine_.settle();
    collect();
  }

  /// Takes the results of the calls that have returned, the older call first.
  void collect() {
    std::vector<Actor*> returned;
    for (auto& [name, actor] : actors_) {
      if (actor.in_call && machine_.returned(name)) {
        returned.push_back(&actor);
      }
    }
    std::sort(returned.begin(), returned.end(), [](const Actor* a, const Actor* b) { return a->entry < b->entry; });
    for (Actor* actor : returned) {
      const std::optional<Outcome> outcome = machine_.take(actor->name);
      actor->in_call = false;
      outcomes_[actor->step->number] = *outcome;
      bind(*actor, *outcome);
      Entry& entry = out_.entries[actor->entry];
      entry.done = true;
      entry.returned_after = number_;
      view_.show(*outcome, *actor->step->call.signature, entry);
    }
  }

  /// The names behind `rights=` are those of the descriptors that came, in order.
  static void bind_rights(Actor& actor, const std::vector<Result>& results, const Outcome& outcome) {
    for (const Result& result : results) {
      for (size_t i = 0; i < result.rights.size(); ++i) {
        actor.process->variables[result.rights[i]] = i < outcome.fds.size() ? outcome.fds[i] : -1;
      }
    }
  }

  static void bind(Actor& actor, const Outcome& outcome) {
    bind_rights(actor, actor.step->call.results, outcome);
    const auto& targets = actor.step->call.targets;
    for (size_t i = 0; i < targets.size(); ++i) {
      const bool pair = targets.size() == 2;
      const int number = outcome.ret < 0                  ? -1
                         : pair && i < outcome.fds.size() ? outcome.fds[i]
                                                          : static_cast<int>(outcome.ret);
      actor.process->variables[targets[i]] = number;
    }
  }

  // --- expect ---

  void expect(const Step& step) {
    Entry entry;
    entry.step = step.number;
    entry.at = step.at;
    entry.expect = step.expect.text;
    const Duration until = machine_.now() + kExpectLimit;
    Statement statement(number_, scope_, machine_, [this](const std::string& name) { return blocked_in(name); });
    entry.truth = statement.truth(step.expect);
    while (entry.truth == Entry::Truth::no && machine_.now() < until) {
      machine_.advance(until - machine_.now());
      collect();
      entry.truth = statement.truth(step.expect);
    }
    if (entry.truth == Entry::Truth::no) {
      entry.seen = statement.seen(step.expect);
    }
    entry.done = true;
    out_.entries.push_back(entry);
  }

  void wire(const Step& step) {
    if (step.wire.from.empty()) {
      machine_.wire(step.wire, "", -1);
      return;
    }
    const auto [process, fd] = scope_.anywhere(number_, nullptr, "", step.wire.from, step.at);
    machine_.wire(step.wire, process, fd);
  }

  [[nodiscard]] std::string blocked_in(const std::string& name) const {
    const auto found = actors_.find(name);
    return found != actors_.end() && found->second.in_call ? std::string(found->second.step->call.signature->name)
                                                           : "none";
  }

  const Scenario& scenario_;
  Machine& machine_;
  StepSource& source_;
  View view_;
  FileResult out_;
  int number_ = 0;
  Scope scope_;
  std::map<std::string, Actor> actors_;
  std::map<int, Outcome> outcomes_;  ///< by the step of the call
};

}  // namespace

FileResult run(const Scenario& scenario, Machine& machine, const RunOptions& options) {
  FileResult out;
  if (const std::optional<std::string> reason = not_run(scenario, machine, options, out.unavailable)) {
    out.file = scenario.file;
    out.on = machine.name();
    out.ok = false;
    out.skipped = reason;
    return out;
  }
  FileSteps steps(scenario);
  return Run(scenario, machine, steps).result();
}

FileResult run(const Scenario& setting, Machine& machine, StepSource& source) {
  return Run(setting, machine, source).result();
}

}  // namespace wakepath::scenario
