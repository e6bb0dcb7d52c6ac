#include "src/cli/open.hh"

#include <utility>

#include "sim/trace/file.hh"

namespace wakepath::cli {

Opened open_any(const std::filesystem::path& path) {
  trace::OpenedFile file = trace::open_file(path);
  return {std::move(file.trace), std::move(file.message)};
}

}  // namespace wakepath::cli
