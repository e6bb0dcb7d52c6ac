#include "src/proof/explore.hh"

#include <fmt/format.h>

#include <algorithm>
#include <deque>
#include <functional>
#include <optional>
#include <set>
#include <utility>
#include <variant>

#include "sim/check/check.hh"
#include "src/proof/random.hh"
#include "src/scenario/model_machine.hh"
#include "src/scenario/text_output.hh"

namespace wakepath::proof {
namespace {

/// The choices of one order: a given beginning, then always the first, or any.
class Choices {
 public:
  explicit Choices(std::vector<std::size_t> beginning) : made_(std::move(beginning)) {}
  /// All of them at random.
  explicit Choices(Random& random) : random_(&random) {}

  std::size_t choose(std::size_t options) {
    if (at_ == made_.size()) {
      made_.push_back(random_ != nullptr ? static_cast<std::size_t>(random_->below(options)) : 0);
    }
    if (at_ == options_.size()) {
      options_.push_back(options);
    }
    return made_[at_++];
  }

  /// The beginning of the next order that has not been tried; nothing when all have.
  [[nodiscard]] std::optional<std::vector<std::size_t>> next() const {
    for (std::size_t i = made_.size(); i-- > 0;) {
      if (made_[i] + 1 < options_[i]) {
        std::vector<std::size_t> out(made_.begin(), made_.begin() + static_cast<std::ptrdiff_t>(i));
        out.push_back(made_[i] + 1);
        return out;
      }
    }
    return std::nullopt;
  }
  [[nodiscard]] const std::vector<std::size_t>& made() const { return made_; }

 private:
  Random* random_ = nullptr;
  std::vector<std::size_t> made_, options_;
  std::size_t at_ = 0;
};

/// The model, one turn at a time.
class TurningModel : public scenario::ModelMachine {
 public:
  using ModelMachine::ModelMachine;

  void turn_by_turn() {
    turning_ = true;
    kernel()->scheduler.preemptible(true);
  }

  void settle() override {
    if (!turning_) {
      ModelMachine::settle();
    } else if (turn_ != nullptr) {
      kernel()->scheduler.run_slice(*turn_);
      turn_ = nullptr;
    }
  }
  /// Time does not pass while orders are explored: a timeout would hide that nobody woke the sleeper.
  std::optional<scenario::Duration> timer(const std::string& actor) override {
    return turning_ ? std::nullopt : ModelMachine::timer(actor);
  }

  [[nodiscard]] std::vector<engine::Task*> runnable() const {
    const auto& tasks = kernel()->scheduler.runnable_tasks();
    return {tasks.begin(), tasks.end()};
  }
  [[nodiscard]] std::string name_of(const engine::Task& task) const {
    return std::string(kernel()->trace()->string(kernel()->task_by_id[task.id()]->comm.get().id));
  }
  void give_turn(engine::Task* task) { turn_ = task; }
  [[nodiscard]] std::vector<std::string> complaints() const { return check::check_invariants(*kernel()); }

  /// Lets every sleeper look once more, as a wake-up without reason would: nobody may find what it sleeps for. Names
  /// the first who does. (Linux itself passes one over: who sleeps behind a reader that is woken alone and only peeks.)
  std::optional<std::string> who_finds_something() {
    kernel()->scheduler.preemptible(false);
    for (kernel::task_struct* task : kernel()->task_by_id) {
      if (task == nullptr || task->files == nullptr || task->call_done()) {
        continue;
      }
      kernel::try_to_wake_up(*kernel(), task);
      kernel()->run_until_idle();
      if (task->call_done()) {
        return name_of(*task->thread);
      }
    }
    return std::nullopt;
  }

 private:
  bool turning_ = false;
  engine::Task* turn_ = nullptr;
};

/// One order of a scenario, as a source of steps.
class Order : public scenario::StepSource {
 public:
  Order(const scenario::Scenario& scenario, TurningModel& machine, Choices& choices)
      : machine_(machine), choices_(choices) {
    std::size_t first = 0;
    for (std::size_t i = 0; i < scenario.steps.size(); ++i) {
      if (scenario.steps[i].kind == scenario::Step::Kind::mark && scenario.steps[i].mark == "explore") {
        first = i + 1;
      }
    }
    for (std::size_t i = 0; i < scenario.steps.size(); ++i) {
      const scenario::Step& step = scenario.steps[i];
      if (i < first) {
        setup_.push_back(step);
      } else if (step.kind == scenario::Step::Kind::call) {
        left_[step.actor].push_back(step);
        const scenario::Call call = step.call.signature->call;
        if (call == scenario::Call::fork || call == scenario::Call::thread) {
          unborn_.insert(step.call.args[0].name);
        }
      }
    }
  }

  const scenario::Step* next(const std::vector<scenario::Entry>& so_far) override {
    if (setup_at_ < setup_.size()) {
      return &setup_[setup_at_++];
    }
    if (!started_) {
      started_ = true;
      machine_.turn_by_turn();
    }
    end_turn(so_far);
    const std::vector<engine::Task*> runnable = machine_.runnable();
    if (const auto beginner = first_turn_of(runnable)) {
      return go_on(*beginner);
    }
    const std::vector<std::string> beginners = can_begin(so_far);
    const std::size_t options = runnable.size() + beginners.size();
    complaints = machine_.complaints();
    if (options == 0 || !complaints.empty()) {
      return nullptr;
    }
    const std::size_t choice = options == 1 ? 0 : choices_.choose(options);
    return choice < runnable.size() ? go_on(runnable[choice]) : begin(beginners[choice - runnable.size()]);
  }

  /// True: the setup is done. Until then a mistake is one of the file, not of an order.
  [[nodiscard]] bool started() const { return started_; }
  [[nodiscard]] std::string call_of(const std::string& actor) const {
    const auto last = std::find_if(turns.rbegin(), turns.rend(), [&](const Turn& t) { return t.actor == actor; });
    return last != turns.rend() ? last->call : "a call of the setup";
  }

  std::vector<Turn> turns;
  std::vector<std::string> complaints;

 private:
  std::vector<std::string> can_begin(const std::vector<scenario::Entry>& so_far) const {
    std::vector<std::string> out;
    for (const auto& [actor, steps] : left_) {
      const bool busy = std::any_of(so_far.begin(), so_far.end(),
                                    [&](const scenario::Entry& e) { return e.actor == actor && !e.done; });
      if (!steps.empty() && !busy && unborn_.count(actor) == 0) {
        out.push_back(actor);
      }
    }
    return out;
  }

  /// Who has just begun a call takes its first turn with it. Nobody can tell when a call began in which nothing has run
  /// yet: orders that differ in no more than that are one.
  std::optional<engine::Task*> first_turn_of(const std::vector<engine::Task*>& runnable) {
    const std::string actor = std::exchange(begun_, "");
    const auto found = std::find_if(runnable.begin(), runnable.end(),
                                    [&](const engine::Task* task) { return machine_.name_of(*task) == actor; });
    return actor.empty() || found == runnable.end() ? std::nullopt : std::optional(*found);
  }

  const scenario::Step* begin(const std::string& actor) {
    scenario::Step step = left_[actor].front();
    left_[actor].pop_front();
    turns.push_back({actor, step.call.text, true, ""});
    begun_ = actor;
    if (!step.call.args.empty()) {
      unborn_.erase(step.call.args[0].name);  // of fork() and thread(), which are done at once
    }
    return number(std::move(step));
  }

  const scenario::Step* go_on(engine::Task* task) {
    const std::string actor = machine_.name_of(*task);
    const bool just_begun =
        !turns.empty() && turns.back().actor == actor && turns.back().begins && turns.back().then.empty();
    if (!just_begun) {
      turns.push_back({actor, call_of(actor), false, ""});
    }
    machine_.give_turn(task);
    running_ = task;
    return number({});  // says nothing: only its end matters, at which the machine lets the task run
  }

  const scenario::Step* number(scenario::Step step) {
    step.number = static_cast<int>(setup_.size() + given_.size()) + 1;
    given_.push_back(std::move(step));
    return &given_.back();
  }

  /// In words, how the turn that was just taken ended.
  void end_turn(const std::vector<scenario::Entry>& so_far) {
    if (running_ == nullptr) {
      return;
    }
    const std::string actor = machine_.name_of(*running_);
    const auto entry = std::find_if(so_far.rbegin(), so_far.rend(),
                                    [&](const scenario::Entry& e) { return e.actor == actor && e.expect.empty(); });
    const auto turn = std::find_if(turns.rbegin(), turns.rend(), [&](const Turn& t) { return t.actor == actor; });
    turn->then = entry != so_far.rend() && entry->done ? "returns " + scenario::result_text(*entry)
                 : running_->runnable()                ? "is about to sleep; another may come between"
                                                       : "sleeps";
    running_ = nullptr;
  }

  TurningModel& machine_;
  Choices& choices_;
  std::deque<scenario::Step> setup_, given_;
  std::map<std::string, std::deque<scenario::Step>> left_;
  std::size_t setup_at_ = 0;
  std::set<std::string> unborn_;  ///< actors that a step still to come makes
  bool started_ = false;
  std::string begun_;  ///< whose call has just begun, and has not run
  engine::Task* running_ = nullptr;
};

std::size_t switches(const std::vector<Turn>& turns) {
  std::size_t out = 0;
  for (std::size_t i = 1; i < turns.size(); ++i) {
    out += turns[i].actor != turns[i - 1].actor ? 1 : 0;
  }
  return out;
}

std::string results_of(const scenario::FileResult& result, std::size_t setup) {
  std::vector<const scenario::Entry*> calls;
  for (const scenario::Entry& e : result.entries) {
    if (e.step > static_cast<int>(setup)) {
      calls.push_back(&e);
    }
  }
  // actor by actor, each one's calls as they follow: the same results are one, whatever came between
  std::stable_sort(calls.begin(), calls.end(), [](const auto* a, const auto* b) { return a->actor < b->actor; });
  std::string out;
  for (const scenario::Entry* e : calls) {
    out += fmt::format("{}{}: {} = {}", out.empty() ? "" : "; ", e->actor, e->call, scenario::result_text(*e));
  }
  return out;
}

bool shorter(const std::vector<Turn>& a, const std::vector<Turn>& b) {
  return switches(a) != switches(b) ? switches(a) < switches(b) : a.size() < b.size();
}

/// What the setup gave and the file does not expect.
std::optional<std::string> setup_fault(const scenario::FileResult& result, std::size_t setup) {
  for (const scenario::Entry& e : result.entries) {
    if (e.step <= static_cast<int>(setup) && e.expect.empty() && e.done && !e.expected) {
      return fmt::format("{}: step {}: {} gave {}, before anything is explored", result.file, e.step, e.call,
                         scenario::result_text(e));
    }
  }
  return std::nullopt;
}

/// How many steps stand before what is explored; an error when there is nothing to explore.
std::variant<std::size_t, std::string> length_of_setup(const scenario::Scenario& scenario) {
  std::size_t setup = 0;
  bool calls = false;
  for (const scenario::Step& step : scenario.steps) {
    calls = calls || step.kind == scenario::Step::Kind::call;
    if (step.kind == scenario::Step::Kind::mark && step.mark == "explore") {
      setup = static_cast<std::size_t>(step.number);
      calls = false;
    }
  }
  if (!calls) {
    return scenario.file + ": there is nothing to explore, expected calls" +
           (setup > 0 ? " after `mark: explore`" : "");
  }
  return setup;
}

/// Orders of one scenario, one after the other.
class Explorer {
 public:
  Explorer(const scenario::Scenario& scenario, std::size_t setup, const ExploreOptions& options)
      : scenario_(scenario), setting_(scenario), setup_(setup), options_(options) {
    setting_.steps.clear();
    impossible_ = scenario.file + ": no order was tried";
  }

  Explored run() {
    std::uint64_t tried = 0;
    for (; next_ && tried < options_.most && out_.error.empty(); ++tried) {
      Choices choices(*next_);
      one(choices);
      next_ = choices.next();
    }
    out_.exhaustive = !next_;
    if (next_ && out_.error.empty()) {
      sample();
    }
    if (out_.orders == 0 && out_.error.empty()) {
      out_.error = impossible_;
    }
    return std::move(out_);
  }

 private:
  /// Any of the orders that have not been tried in turn: those in turn leave the first choices as they are for long.
  void sample() {
    Random random(options_.seed);
    std::set<std::vector<std::size_t>> seen;
    for (std::uint64_t i = 0; i < options_.sample && out_.error.empty(); ++i) {
      Choices choices(random);
      const std::uint64_t before = out_.orders;
      one(choices, [&] { return !(choices.made() < *next_) && seen.insert(choices.made()).second; });
      out_.sampled += out_.orders - before;
    }
  }

  /// `is_new`, when given, tells afterwards whether the order counts.
  void one(Choices& choices, const std::function<bool()>& is_new = {}) {
    TurningModel machine(kernel::mutant_by_name(options_.mutant).value_or(kernel::Mutant::none));
    Order order(scenario_, machine, choices);
    const scenario::FileResult result = scenario::run(setting_, machine, order);
    if (is_new && !is_new()) {
      return;
    }
    if (result.skipped) {
      out_.error = scenario_.file + ": " + *result.skipped;
    } else if (const auto fault = setup_fault(result, setup_); fault || (result.error && !order.started())) {
      out_.error = fault ? *fault : result.error->text();
    } else if (result.error) {  // a name that is bound later in this order, say
      ++out_.impossible;
      impossible_ = result.error->text();
    } else {
      count(result, order, machine);
    }
  }

  void count(const scenario::FileResult& result, Order& order, TurningModel& machine) {
    ++out_.orders;
    ++out_.results[results_of(result, setup_)];
    if (order.complaints.empty()) {
      if (const auto who = machine.who_finds_something()) {
        order.complaints.push_back(
            fmt::format("{} sleeps in {} although it would go on if it looked", *who, order.call_of(*who)));
      }
    }
    if (!order.complaints.empty()) {
      if (out_.bad++ == 0 || shorter(order.turns, out_.shortest.turns)) {
        out_.shortest = {order.turns, order.complaints};
      }
    }
  }

  const scenario::Scenario& scenario_;
  scenario::Scenario setting_;
  std::size_t setup_;
  const ExploreOptions& options_;
  std::string impossible_;                                                     ///< why the last order could not be
  std::optional<std::vector<std::size_t>> next_ = std::vector<std::size_t>();  ///< the choices of the next in turn
  Explored out_;
};

}  // namespace

Explored explore(const scenario::Scenario& scenario, const ExploreOptions& options) {
  Explored out;
  if (!scenario.services.empty()) {
    out.error = scenario.file + ": the orders of the threads of `services` are not tried";
    return out;
  }
  const auto length = length_of_setup(scenario);
  if (const auto* error = std::get_if<std::string>(&length)) {
    out.error = *error;
    return out;
  }
  bool unavailable = false;
  const scenario::ModelMachine asked;
  if (const auto why = scenario::not_run(scenario, asked, {}, unavailable)) {
    out.error = scenario.file + ": " + *why;
    return out;
  }
  return Explorer(scenario, std::get<std::size_t>(length), options).run();
}

}  // namespace wakepath::proof
