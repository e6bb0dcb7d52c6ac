#pragma once

#include <filesystem>
#include <memory>
#include <string>

#include "sim/trace/trace.hh"
#include "sim/trace/world.hh"
#include "src/scenario/ast.hh"

namespace wakepath::cli {

struct Opened {
  std::shared_ptr<trace::Trace> trace;  ///< Null when it could not be opened; then `message` says why.
  std::string message;                  ///< Also a warning about a recording that is cut; else empty.
};

/// Opens whatever may stand where a command line says FILE: a recording (.wkp), or a scenario (.yaml, .yml), which is
/// run on the modelled kernel first.
[[nodiscard]] Opened open_any(const std::filesystem::path& path);

/// The same; a scenario also runs on the kernel of this machine where it can, and the trace says where that one gave
/// something else. `alone`: why it was not compared; a recording was, or not, when it was made.
[[nodiscard]] Opened open_compared(const std::filesystem::path& path, std::string& alone);

/// The same of a scenario that has been read already.
[[nodiscard]] Opened run_scenario(const scenario::Scenario& story);

/// The names of all tasks, for messages.
[[nodiscard]] std::string tasks_there_are(const trace::Trace& trace, const trace::World& world);

}  // namespace wakepath::cli
