#pragma once

#include <filesystem>
#include <memory>
#include <string>

#include "sim/trace/trace.hh"

namespace wakepath::cli {

struct Opened {
  std::shared_ptr<trace::Trace> trace;  ///< Null when it could not be opened; then `message` says why.
  std::string message;                  ///< Also a warning about a recording that is cut; else empty.
};

/// Opens whatever may stand where a command line says FILE: a recording (.wkp), or a scenario (.yaml, .yml), which is
/// run on the modelled kernel first.
[[nodiscard]] Opened open_any(const std::filesystem::path& path);

}  // namespace wakepath::cli
