#pragma once

#include <string>

#include "gui/gui.hh"

namespace wakepath::cli {

/// What the stage may do with a scenario beyond showing it: change a step and run that future. Empty for a recording.
/// Reads the file now: what changes in it later does not count.
[[nodiscard]] gui::Workshop workshop_of(const std::string& file);

}  // namespace wakepath::cli
