#include "src/scenario/scope.hh"

#include <fmt/format.h>

#include <vector>

namespace wakepath::scenario {
namespace {

[[noreturn]] void not_returned(int step, const std::string& name, Position at) {
  throw FileError{at, fmt::format("step {}: the call that gives '{}' has not returned", step, name)};
}

}  // namespace

Process& Scope::process(const std::string& name) {
  Process& process = processes_[name];
  process.name = name;
  return process;
}

int Scope::variable(int step, const Process& process, const std::string& name, Position at) const {
  const auto found = process.variables.find(name);
  if (found == process.variables.end()) {
    not_returned(step, name, at);
  }
  return found->second;
}

std::pair<std::string, int> Scope::anywhere(int step, const Process* own, const std::string& asked,
                                            const std::string& name, Position at) const {
  if (!asked.empty()) {
    const auto found = processes_.find(asked);
    if (found == processes_.end()) {
      not_returned(step, name, at);
    }
    return {asked, variable(step, found->second, name, at)};
  }
  if (own != nullptr && own->variables.count(name) > 0) {
    return {own->name, variable(step, *own, name, at)};
  }
  std::vector<const Process*> owners;
  for (const auto& [process_name, process] : processes_) {
    if (process.variables.count(name) > 0) {
      owners.push_back(&process);
    }
  }
  if (owners.empty()) {
    not_returned(step, name, at);
  }
  if (owners.size() > 1) {
    throw FileError{at, fmt::format("step {}: several processes have '{}'; write {}.{} or {}.{}", step, name,
                                    owners[0]->name, name, owners[1]->name, name)};
  }
  return {owners[0]->name, owners[0]->variables.at(name)};
}

}  // namespace wakepath::scenario
