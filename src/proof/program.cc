#include "src/proof/program.hh"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <cctype>

#include "src/scenario/parser.hh"

namespace wakepath::proof {
namespace {

/// In single quotes, where YAML changes nothing but a quote.
std::string quoted(const std::string& text) {
  std::string out = "'";
  for (const char c : text) {
    out += c == '\'' ? "''" : std::string(1, c);
  }
  return out + "'";
}

bool is_word(char c) { return std::isalnum(static_cast<unsigned char>(c)) != 0 || c == '_'; }

}  // namespace

std::string ProgramStep::call() const {
  const std::string left = targets.empty() ? "" : fmt::format("{} = ", fmt::join(targets, ", "));
  return fmt::format("{}{}({})", left, function, fmt::join(args, ", "));
}

std::string Program::yaml(const std::string& title, const std::string& about) const {
  std::string out = fmt::format("wakepath: 1\ntitle: {}\n", quoted(title));
  if (!about.empty()) {
    out += fmt::format("about: {}\n", quoted(about));
  }
  if (!kernel.empty()) {
    out += "kernel:\n";
    for (const auto& [name, value] : kernel) {
      out += fmt::format("  {}: {}\n", name, value);
    }
  }
  out += "needs: [netns]\nsteps:\n";
  for (const ProgramStep& step : steps) {
    out += !step.wait.empty() ? fmt::format("  - wait: {}\n", step.wait)
           : !step.signal_to.empty()
               ? fmt::format("  - signal: {{to: {}, name: SIGUSR1, restart: {}}}\n", step.signal_to, step.restart)
               : fmt::format("  - {}: {}\n", step.actor, quoted(step.call() + " = ?"));
  }
  return out;
}

std::variant<scenario::Scenario, scenario::Problem> Program::parsed() const {
  return scenario::parse("program.yaml", yaml("A random program", ""));
}

bool mentions(const std::string& arg, const std::string& name) {
  if (!arg.empty() && arg[0] == '"') {
    return false;
  }
  for (std::size_t at = arg.find(name); at != std::string::npos; at = arg.find(name, at + 1)) {
    const std::size_t end = at + name.size();
    if ((at == 0 || !is_word(arg[at - 1])) && (end == arg.size() || !is_word(arg[end]))) {
      return true;
    }
  }
  return false;
}

}  // namespace wakepath::proof
