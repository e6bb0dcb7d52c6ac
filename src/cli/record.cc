// wakepath record FILE -o X.wkp: run a scenario on the model and keep the trace. Of a command: import.cc.

#include <fmt/format.h>

#include <filesystem>

#include "sim/trace/file.hh"
#include "src/cli/commands.hh"
#include "src/cli/open.hh"
#include "src/cli/output.hh"

namespace wakepath::cli {

int record(const RecordOptions& options) {
  if (!options.command.empty()) return record_command(options);
  Opened opened = open_any(options.file);
  if (!opened.message.empty()) fmt::print(stderr, "{}\n", opened.message);
  if (!opened.trace) return kWrong;
  std::filesystem::path output = options.output;
  if (output.empty()) output = std::filesystem::path(options.file).filename().replace_extension(".wkp");
  std::error_code none;
  if (std::filesystem::equivalent(output, options.file, none))
    return fail(kWrong, output.string() + ": found the input as output, expected another name (-o)");
  trace::FileWriter writer(*opened.trace, output);
  writer.close();
  if (!writer.error().empty()) return fail(kWrong, writer.error());
  fmt::print("{}: {} records, {} bytes\n", output.string(), opened.trace->size(), std::filesystem::file_size(output));
  return opened.message.empty() ? 0 : 1;
}

}  // namespace wakepath::cli
