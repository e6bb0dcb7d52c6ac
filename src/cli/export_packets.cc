// wakepath export FILE.yaml --view packets: what the model sent, as a capture for Wireshark.
#include <fmt/format.h>

#include <filesystem>

#include "sim/export/pcapng.hh"
#include "src/cli/commands.hh"
#include "src/cli/output.hh"
#include "src/scenario/model_machine.hh"
#include "src/scenario/parser.hh"
#include "src/scenario/step_text.hh"

namespace wakepath::cli {

int export_packets(const std::string& file, const std::string& output) {
  if (std::filesystem::path(file).extension() == ".wkp")
    return fail(kWrong, file + ": found a recording, which has no packets' bytes, expected a scenario (.yaml)");
  if (const std::string ending = format_of_ending(output); !ending.empty() && ending != "pcapng")
    return fail(kWrong, fmt::format("{}: found the ending '.{}', expected .pcapng", output, ending));
  const auto parsed = scenario::parse_file(file);
  if (const auto* problem = std::get_if<scenario::Problem>(&parsed)) return fail(kWrong, problem->text());
  const auto& story = std::get<scenario::Scenario>(parsed);
  exports::Pcapng capture(fmt::format("{}: {}. Sent by a modelled kernel.", story.file, story.title.in("en")));
  scenario::RunOptions options{.slow = true};
  options.tap = [&](std::uint64_t time_ns, const std::string& packet, const scenario::Step* step) {
    capture.add(time_ns, packet,
                step != nullptr ? fmt::format("step {}: {}", step->number, scenario::step_text(*step)) : "");
  };
  const scenario::FileResult result = scenario::run_on_model(story, options);
  if (result.skipped) return fail(kWrong, fmt::format("{}: not run: {}", file, *result.skipped));
  if (result.error) return fail(kWrong, result.error->text());
  return write_out(output, capture.bytes());
}

}  // namespace wakepath::cli
