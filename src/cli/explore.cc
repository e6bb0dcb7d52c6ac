#include "src/proof/explore.hh"

#include <fmt/format.h>

#include <algorithm>
#include <cstdio>

#include "src/cli/commands.hh"
#include "src/scenario/parser.hh"

namespace wakepath::cli {

int explore(const ExploreOptions& options) {
  const auto parsed = scenario::parse_file(options.file);
  if (const auto* problem = std::get_if<scenario::Problem>(&parsed)) {
    std::fprintf(stderr, "%s\n", problem->text().c_str());
    return 2;
  }
  const auto& file = std::get<scenario::Scenario>(parsed);
  const bool marked = std::any_of(file.steps.begin(), file.steps.end(), [](const scenario::Step& step) {
    return step.kind == scenario::Step::Kind::mark && step.mark == "explore";
  });
  if (!marked)
    fmt::print(stderr, "{}: no `mark: explore` in it, so its calls are put in order from the first one on\n",
               options.file);
  const proof::Explored found = proof::explore(file, {options.most, options.mutant, options.sample, options.seed});
  if (!found.error.empty()) {
    std::fprintf(stderr, "%s\n", found.error.c_str());
    return 2;
  }
  if (found.exhaustive)
    fmt::print("{} orders, all there are\n", found.orders);
  else
    fmt::print("{} orders, {} of them in turn and {} at random (seed {}); there may be more\n", found.orders,
               found.orders - found.sampled, found.sampled, options.seed);
  if (found.impossible > 0) fmt::print("{} would use what is made later\n", found.impossible);
  for (const auto& [results, count] : found.results) fmt::print("{:>8} x {}\n", count, results);
  if (found.bad == 0) {
    fmt::print("nothing wrong in any of them\n");
    return 0;
  }
  fmt::print("something is wrong in {} of them; the shortest:\n", found.bad);
  int number = 0;
  for (const proof::Turn& turn : found.shortest.turns)
    fmt::print("{:>4}. {} {} {}: {}\n", ++number, turn.actor, turn.begins ? "begins" : "goes on with", turn.call,
               turn.then.empty() ? "has not run" : turn.then);
  for (const std::string& complaint : found.shortest.complaints) fmt::print("then {}\n", complaint);
  return 1;
}

}  // namespace wakepath::cli
