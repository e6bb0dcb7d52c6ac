#include "src/proof/judge.hh"

#include <fmt/format.h>

#include <algorithm>
#include <cctype>

#include "sim/check/check.hh"
#include "src/scenario/kernel_run.hh"
#include "src/scenario/model_machine.hh"

namespace wakepath::proof {
namespace {

constexpr std::uint64_t kLongestTimerNs = 24ull * 3600 * 1000 * 1000 * 1000;  // beyond keepalive and TIME_WAIT

/// Asks after every step whether all is as it must be.
class CheckedModel : public scenario::ModelMachine {
 public:
  explicit CheckedModel(const JudgeOptions& options)
      : ModelMachine(kernel::mutant_by_name(options.mutant).value_or(kernel::Mutant::none)),
        check_(options.invariants) {}

  void end_step(const scenario::Step& step) override {
    ModelMachine::end_step(step);
    if (check_ && complaints.empty()) {
      note(fmt::format("after step {}", step.number), check::check_invariants(*kernel()));
    }
  }

  /// Everybody exits, time passes, nothing may be left.
  void end() {
    if (!check_ || !complaints.empty() || kernel() == nullptr) {
      return;
    }
    exit_all();
    kernel()->run_until_idle();
    note("when all have exited", check::check_invariants(*kernel()));
    kernel()->scheduler.advance_to(kernel()->now_ns() + kLongestTimerNs);
    note("a day later", check::check_all_freed(*kernel()));
  }

  std::vector<std::string> complaints;

 private:
  void note(const std::string& when, const check::Complaints& found) {
    for (const std::string& complaint : found) {
      complaints.push_back(fmt::format("{}: {}", when, complaint));
    }
  }
  bool check_;
};

std::string without_numbers(const std::string& text) {
  std::string out;
  for (const char c : text) {
    if (std::isdigit(static_cast<unsigned char>(c)) == 0) {
      out.push_back(c);
    }
  }
  return out;
}

std::string function_of(const scenario::FileResult& result, int step) {
  for (const scenario::Entry& e : result.entries) {
    if (e.step == step) {
      const std::size_t open = e.call.find('(');
      const std::size_t space = e.call.rfind(' ', open);
      return e.call.substr(space == std::string::npos ? 0 : space + 1,
                           open - (space == std::string::npos ? 0 : space + 1));
    }
  }
  return "";
}

}  // namespace

ModelRun run_checked(const scenario::Scenario& scenario, const JudgeOptions& options) {
  CheckedModel machine(options);
  ModelRun out;
  out.result = scenario::run(scenario, machine, scenario::RunOptions{});
  machine.end();
  out.complaints = machine.complaints;
  return out;
}

std::string Judgement::fingerprint() const {
  if (kind == Kind::broken) {
    return without_numbers(complaints.front());
  }
  return differences.empty()
             ? ""
             : fmt::format("{}.{}", function_of(model, differences.front().step), differences.front().field);
}

Judgement judge(const Program& program, const JudgeOptions& options) {
  Judgement out;
  const auto parsed = program.parsed();
  if (const auto* problem = std::get_if<scenario::Problem>(&parsed)) {
    out.kind = Judgement::Kind::invalid;
    out.why_not = problem->text();
    return out;
  }
  const auto& scenario = std::get<scenario::Scenario>(parsed);
  ModelRun model = run_checked(scenario, options);
  out.model = std::move(model.result);
  out.complaints = std::move(model.complaints);
  if (!out.complaints.empty()) {
    out.kind = Judgement::Kind::broken;
    return out;
  }
  if (out.model.error || out.model.skipped) {
    out.kind = Judgement::Kind::invalid;
    out.why_not = out.model.error ? out.model.error->text() : *out.model.skipped;
    return out;
  }
  for (int i = 0; i < options.kernel_runs; ++i) {
    out.kernel = scenario::run_on_kernel(scenario, {});
    if (out.kernel.skipped) {
      out.kind = Judgement::Kind::not_run;
      out.why_not = *out.kernel.skipped;
      return out;
    }
    out.differences = scenario::differences(out.model, out.kernel);
    if (out.differences.empty()) {
      out.unsteady = i > 0;
      out.kind = Judgement::Kind::agrees;
      return out;
    }
  }
  out.kind = Judgement::Kind::differs;
  return out;
}

}  // namespace wakepath::proof
