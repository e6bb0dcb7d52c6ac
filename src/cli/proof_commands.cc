#include "src/cli/proof_commands.hh"

#include <CLI/CLI.hpp>

#include "sim/kernel/kernel.hh"
#include "src/cli/number.hh"
#include "src/proof/focus.hh"

namespace wakepath::cli {

namespace {

std::vector<std::string> focus_names() {
  std::vector<std::string> names;
  for (const proof::Focus& focus : proof::focuses()) names.emplace_back(focus.name);
  return names;
}

/// CLI11 takes "-3" for an unsigned number, and cuts what is larger than 64 bits.
CLI::Validator whole_number() {
  return {[](const std::string& text) {
            return number(text) ? "" : "found " + text + ", expected a whole number from 0 to 18446744073709551615";
          },
          "", "whole number"};
}

}  // namespace

std::vector<std::string> mutant_names() {
  std::vector<std::string> names;
  for (const kernel::MutantWords& words : kernel::mutants()) names.emplace_back(words.name);
  return names;
}

void add_fuzz(CLI::App& app, FuzzOptions& options, int& status) {
  CLI::App* command = app.add_subcommand("fuzz", "Run random programs on the model and on the running kernel");
  command->add_option("--seed", options.seed, "The same seed gives the same programs")
      ->check(whole_number())
      ->capture_default_str();
  command->add_option("--count", options.count, "How many programs")
      ->check(CLI::Range(uint64_t{1}, uint64_t{1'000'000'000}))
      ->capture_default_str();
  command->add_option("--first", options.first, "Index of the first one")->check(whole_number())->capture_default_str();
  command->add_option("--calls", options.calls, "Calls in each")->check(CLI::Range(1, 1000))->capture_default_str();
  command->add_option("--jobs", options.jobs, "Programs at a time; 0: two for each processor")
      ->check(CLI::Range(0, 64))
      ->capture_default_str();
  command->add_option("--out", options.out, "Keep the programs that differ, as scenario files, in this folder");
  command->add_option("--shrink", options.shrink, "Runs spent on making a failure smaller; 0: none")
      ->check(CLI::Range(0, 100'000))
      ->capture_default_str();
  command->add_option("--mutant", options.mutant, "Switch a deliberate fault of the model on")
      ->check(CLI::IsMember(mutant_names()));
  command->add_option("--focus", options.focus, "What the programs dwell on")->check(CLI::IsMember(focus_names()));
  command->footer(
      "The last line is `agree A of N, explained E, unsteady U`: programs without any difference, with a difference\n"
      "that is known, with one that the running kernel did not show again. An older kernel than those judged adds\n"
      "`, not judged J`. Exit status: 0 no other differs, 1 one does, or 1,000 programs of 40 calls do not reach all\n"
      "that they should, 3 the running kernel cannot be used, 130 stopped by Ctrl-C before that (what was run is "
      "counted).\n"
      "Examples:\n  wakepath fuzz --seed 7 --count 1000 --out differences\n"
      "  wakepath fuzz --seed 7 --first 123 --count 1\n"
      "  wakepath fuzz --focus edge --mutant edge_requeued --count 8 --shrink 0");
  command->callback([&] { status = fuzz(options); });
}

void add_explore(CLI::App& app, ExploreOptions& options, int& status) {
  CLI::App* command = app.add_subcommand("explore", "Try every order of a scenario's concurrent calls, on the model");
  command->add_option("FILE", options.file, "A scenario; the calls behind `mark: explore` are put in order")
      ->required();
  command->add_option("--most", options.most, "Orders that are tried in turn at most")
      ->check(CLI::Range(uint64_t{1}, uint64_t{1'000'000'000}))
      ->capture_default_str();
  command->add_option("--sample", options.sample, "So many more at random, when there are more")
      ->check(CLI::Range(uint64_t{0}, uint64_t{1'000'000'000}))
      ->capture_default_str();
  command->add_option("--seed", options.seed, "Of those at random")->check(whole_number())->capture_default_str();
  command->add_option("--mutant", options.mutant, "Switch a deliberate fault of the model on")
      ->check(CLI::IsMember(mutant_names()));
  command->footer(
      "Each actor's own order is kept; another may come between the two looks of whoever is about to sleep.\n"
      "Exit status: 0 nothing wrong, 1 an order in which something is wrong, 2 the file is wrong.\n"
      "A file without that mark is put in order from its first step on.\n"
      "Example:\n  wakepath explore scenarios/museum-lost-wake-up.yaml --mutant no_second_look");
  command->callback([&] { status = explore(options); });
}

}  // namespace wakepath::cli
