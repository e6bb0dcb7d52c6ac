#pragma once

#include <string>
#include <vector>

#include "gui/gui.hh"

namespace wakepath::cli {

/// The folder of the course: $WAKEPATH_SCENARIOS; when that is not set, `scenarios` here, or beside the program's
/// build. Empty: there is no such folder.
[[nodiscard]] std::string course_folder();
/// Its stories, for the first screen. A file that is wrong is left out, and `problems` says why.
[[nodiscard]] std::vector<gui::Story> stories_of(const std::string& folder, std::vector<std::string>& problems);

}  // namespace wakepath::cli
