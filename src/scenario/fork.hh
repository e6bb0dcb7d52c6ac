#pragma once

#include <memory>
#include <string>
#include <variant>

#include "src/scenario/ast.hh"

namespace wakepath::trace {
class Trace;
}

/// "What if?": a scenario with one step changed, run on the model. The file itself stays as it is.

namespace wakepath::scenario {

/// What stands in a file at step `number`, to be changed: `listen(lfd, 8) = 0`, `50ms`. Or why it cannot be changed:
/// there is no such step, or it is one for people (say, ask) or one of several parts.
std::variant<std::string, Problem> step_source(const std::string& file, const std::string& text, int number);

/// The text of the file with these words at that step; nothing else of it changes, and every line keeps its number. Or
/// what is wrong with it then, at its place in the file.
std::variant<std::string, Problem> with_step(const std::string& file, const std::string& text, int number,
                                             const std::string& words);

struct Fork {
  std::shared_ptr<trace::Trace> trace;  ///< of the changed scenario; null when it could not be run
  std::string message;                  ///< why; or what ended the run early, the trace having all up to there
};
/// The changed scenario, run on the model. Steps that give something else than they expect are no error here: that is
/// what one wants to see.
Fork run_fork(const std::string& file, const std::string& text, int number, const std::string& words);

}  // namespace wakepath::scenario
