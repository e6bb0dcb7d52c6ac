#include <fmt/format.h>

#include "src/scenario/runner.hh"

namespace wakepath::scenario {

using namespace std::chrono_literals;

std::optional<std::string> not_run(const Scenario& scenario, const Machine& machine, const RunOptions& options,
                                   bool& unavailable) {
  unavailable = false;
  if (!scenario.only.empty() && scenario.only != machine.name()) {
    return scenario.because.in("en");
  }
  const bool kernel = machine.name() == "kernel";
  if (kernel && (scenario.device_nic || scenario.cpus > 1)) {
    return scenario.device_nic ? "the modelled network card (device: nic) is in the model only"
                               : "more than one CPU (cpus:) is for the model only";
  }
  for (const Step& step : scenario.steps) {
    if (step.kind == Step::Kind::wait && step.wait > 5s && !options.slow) {
      return "slow (a wait of more than 5 s): --slow runs it, too";
    }
  }
  for (const Step& step : scenario.steps) {
    std::string what;
    if (step.kind == Step::Kind::call) {
      what = machine.unknown(step.call).value_or("");
    } else if (step.kind == Step::Kind::wire || step.kind == Step::Kind::fault) {
      if (kernel) {
        return fmt::format("step {} is for the model only", step.number);
      }
    }
    if (!what.empty()) {
      unavailable = true;
      return fmt::format("the {} does not know {} yet (step {})", machine.name(), what, step.number);
    }
  }
  return std::nullopt;
}

}  // namespace wakepath::scenario
