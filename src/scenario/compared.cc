#include "src/scenario/compared.hh"

#include <fmt/format.h>

#include "src/scenario/kernel_run.hh"
#include "src/scenario/kernel_versions.hh"
#include "src/scenario/model_machine.hh"

namespace wakepath::scenario {

namespace {

/// Why what the kernel gave says nothing of the model; empty: it does.
std::string why_alone(const FileResult& kernel) {
  if (kernel.skipped) return *kernel.skipped;
  if (kernel.error) return kernel.error->text();
  return why_not_judged(version_table(), host_kernel());
}

}  // namespace

Compared run_compared(const Scenario& scenario, const RunOptions& options, std::shared_ptr<trace::Trace>* trace) {
  const FileResult kernel = run_on_kernel(scenario, {});
  RunOptions own = options;
  Compared out{.model = {}, .alone = why_alone(kernel)};
  Comparison comparison{.with = "Linux " + host_kernel().release, .by_step = {}};
  if (out.alone.empty()) own.comparison = &comparison;
  out.model = run_on_model(scenario, own, trace);
  if (!out.alone.empty() || out.model.skipped || out.model.error) return out;
  for (const Difference& difference : judge(out.model, kernel).failing)
    comparison.by_step[difference.step].push_back(difference);
  if (!comparison.by_step.empty())
    out.model = run_on_model(scenario, own, trace);  // again, and now the trace says where
  return out;
}

}  // namespace wakepath::scenario
