#pragma once

#include <map>
#include <string>
#include <utility>

#include "src/scenario/ast.hh"

namespace wakepath::scenario {

/// The file turned out to be wrong while it ran.
struct FileError {
  Position at;
  std::string sentence;
};

struct Process {
  std::string name;
  std::map<std::string, int> variables;
};

/// The variables of all processes, and who may look into which.
class Scope {
 public:
  Process& process(const std::string& name);  ///< made at first use; stays where it is

  /// The number behind a name of that process. Throws FileError when the call that gives it has not returned.
  int variable(int step, const Process& process, const std::string& name, Position at) const;

  /// The process that a name of addr(), peer() or `expect` means, and the descriptor: the process that is asked for,
  /// or the own one, or the only other one that has the name.
  std::pair<std::string, int> anywhere(int step, const Process* own, const std::string& asked, const std::string& name,
                                       Position at) const;

 private:
  std::map<std::string, Process> processes_;
};

}  // namespace wakepath::scenario
