#include "src/proof/judge.hh"

#include <fmt/format.h>

#include <algorithm>
#include <cctype>
#include <limits>

#include "sim/check/check.hh"
#include "sim/check/check_pointers.hh"
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
        check_(options.invariants),
        pointers_(options.pointers) {}

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
    if (pointers_) {
      note("played again", check::check_pointers(*trace()));
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
  bool check_, pointers_;
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

/// The step after which the call of a step had returned, if it ever did.
int end_of(const scenario::FileResult& result, int step) {
  for (const scenario::Entry& e : result.entries) {
    if (e.step == step) {
      return e.returned_after.value_or(std::numeric_limits<int>::max());
    }
  }
  return std::numeric_limits<int>::max();
}

/// Judges one run on the kernel that is not like the model's.
void compare(Judgement& out, const scenario::HostKernel& host) {
  const std::vector<scenario::Difference> all = scenario::differences(out.model, out.kernel);
  scenario::Judged judged = scenario::judge(out.model, out.kernel, scenario::version_table(), host);
  const auto counts = [&](const scenario::Difference& d) {
    return std::any_of(judged.failing.begin(), judged.failing.end(), [&](const scenario::Difference& failing) {
      return failing.step == d.step && failing.field == d.field;
    });
  };
  // A call that failed with another error changed nothing; any other leaves the machines in different states.
  const auto parting = std::find_if(all.begin(), all.end(),
                                    [&](const scenario::Difference& d) { return d.field != "errno" && !counts(d); });
  if (parting != all.end()) {
    std::erase_if(judged.failing, [&](const scenario::Difference& d) {
      return std::min(end_of(out.model, d.step), end_of(out.kernel, d.step)) >= parting->step;
    });
  }
  out.excused = std::move(judged.excused);
  out.kind = !judged.failing.empty() ? Judgement::Kind::differs
             : judged.unlisted       ? Judgement::Kind::not_judged
                                     : Judgement::Kind::listed;
  out.differences = judged.failing.empty() ? all : std::move(judged.failing);
}

}  // namespace

Reference running_kernel() {
  return {[](const scenario::Scenario& scenario) { return scenario::run_on_kernel(scenario, {}); },
          scenario::host_kernel()};
}

Reference faultless_model() {
  return {[](const scenario::Scenario& scenario) { return scenario::run_on_model(scenario, {}); },
          scenario::identify_kernel("6.18.0", "Linux version 6.18.0, modelled")};
}

bool stands(Judgement::Kind kind) {
  using enum Judgement::Kind;
  return kind == agrees || kind == unsteady || kind == listed || kind == not_judged;
}

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
  scenario::Scenario on_model = scenario;
  on_model.cpus = options.cpus;
  ModelRun model = run_checked(on_model, options);
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
    out.kernel = options.reference.run(scenario);
    if (out.kernel.skipped) {
      out.kind = Judgement::Kind::not_run;
      out.why_not = *out.kernel.skipped;
      return out;
    }
    if (scenario::differences(out.model, out.kernel).empty()) {
      out.kind = i > 0 ? Judgement::Kind::unsteady : Judgement::Kind::agrees;
      return out;
    }
    compare(out, options.reference.host);
    if (out.kind != Judgement::Kind::differs) {
      return out;
    }
  }
  return out;
}

}  // namespace wakepath::proof
