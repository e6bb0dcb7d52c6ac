// wakepath record FILE -o X.wkp: run a scenario on the model and keep the trace.

#include <fmt/format.h>

#include <filesystem>

#include "sim/trace/file.hh"
#include "src/cli/commands.hh"
#include "src/cli/open.hh"

namespace wakepath::cli {

int record(const RecordOptions& options) {
  Opened opened = open_any(options.file);
  if (!opened.message.empty()) fmt::print(stderr, "{}\n", opened.message);
  if (!opened.trace) return 2;
  std::filesystem::path output = options.output;
  if (output.empty()) output = std::filesystem::path(options.file).filename().replace_extension(".wkp");
  std::error_code none;
  if (std::filesystem::equivalent(output, options.file, none)) {
    fmt::print(stderr, "{}: found the input as output, expected another name (-o)\n", output.string());
    return 2;
  }
  trace::FileWriter writer(*opened.trace, output);
  writer.close();
  if (!writer.error().empty()) {
    fmt::print(stderr, "{}\n", writer.error());
    return 3;
  }
  fmt::print("{}: {} records, {} bytes\n", output.string(), opened.trace->size(), std::filesystem::file_size(output));
  return opened.message.empty() ? 0 : 1;
}

}  // namespace wakepath::cli
