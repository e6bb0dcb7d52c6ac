#include "src/scenario/model_services.hh"

#include <fmt/format.h>

#include "src/scenario/machine.hh"

namespace wakepath::scenario {

ModelServices::ModelServices(kernel::Kernel& k, const Scenario& scenario)
    : k_(k),
      os_(k, {.preemptible = scenario.cpus > 1, .first_thread = kServicesProcess, .call_is_step = false}),
      services_(
          std::make_unique<Services>(os_, diary_, scenario, [this](service::Handle service, std::string_view text) {
            os_.note(fmt::format("service {} says: {}", service, text));
          })) {
  os_.run_until_quiet();
  if (!os_.problem().empty()) throw Unavailable("the services do not start: " + os_.problem());
}

ModelServices::~ModelServices() { k_.recorder.disable(); }

}  // namespace wakepath::scenario
