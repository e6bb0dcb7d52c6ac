#pragma once

#include <deque>

#include "src/proof/focus.hh"
#include "src/proof/kinds.hh"
#include "src/scenario/model_machine.hh"
#include "src/scenario/runner.hh"

namespace wakepath::proof {

/// Makes a random program while the model runs it, so that each call can be chosen by what the calls before have led
/// to. The same seed and number of calls give the same program, as long as the model gives the same results.
class Generator : public scenario::StepSource {
 public:
  using OnStep = std::function<void(const ProgramStep&)>;
  /// `focus`: what the program dwells on; nullptr: nothing. `on_step`, when given, hears of each step before it runs.
  Generator(std::uint64_t seed, int calls, scenario::Machine& machine, const Focus* focus, OnStep on_step = {});
  const scenario::Step* next(const std::vector<scenario::Entry>& so_far) override;
  [[nodiscard]] const Program& program() const { return program_; }
  [[nodiscard]] const World& world() const { return world_; }

 private:
  void learn(const std::vector<scenario::Entry>& so_far);
  std::optional<ProgramStep> planned();
  std::optional<ProgramStep> random_step();
  ProgramStep before_timer(scenario::Duration left);
  ProgramStep possible_step();
  std::vector<std::string> callers();
  bool random_call(ProgramStep& step);
  bool machine_knows(const ProgramStep& step);
  const scenario::Step* emit(ProgramStep step);

  scenario::Machine& machine_;
  const Focus* focus_;
  World world_;
  int calls_;
  OnStep on_step_;
  Program program_;
  std::deque<ProgramStep> plan_;
  std::deque<scenario::Step> steps_;  ///< as given out: they stay where they are
  std::vector<bool> learned_;         ///< by entry
  int before_timer_ = 0;              ///< steps since a timerfd that is about to expire was armed
  std::size_t first_open_ = 0;        ///< all entries before it are learned
};

/// A program and what the model said while it was made.
struct Generated {
  Program program;
  scenario::FileResult result;
  std::shared_ptr<trace::Trace> trace;
  int forks = 0, duplicates = 0;
};
/// `focus`: by name; empty: none. Throws std::invalid_argument for one that does not exist.
Generated generate(std::uint64_t seed, int calls, const std::string& focus = "", Generator::OnStep on_step = {});

}  // namespace wakepath::proof
