#include "src/proof/shrink.hh"

#include <algorithm>
#include <set>

namespace wakepath::proof {
namespace {

class Shrinker {
 public:
  Shrinker(Program program, const std::function<bool(const Program&)>& still_shows, int most_tries)
      : best_(std::move(program)), still_shows_(still_shows), left_(most_tries) {}

  Program run() {
    by_steps();
    for (bool smaller = true; smaller && left_ > 0;) {
      smaller = by_arguments();
      smaller = one_by_one() || smaller;
    }
    return best_;
  }

 private:
  bool accept(const Program& candidate) {
    if (left_ <= 0 || candidate.steps.empty()) {
      return false;
    }
    --left_;
    if (!still_shows_(candidate)) {
      return false;
    }
    best_ = candidate;
    return true;
  }

  /// Without these steps, and without those that use what they made.
  static Program without(const Program& program, std::size_t first, std::size_t count) {
    Program out;
    out.kernel = program.kernel;
    std::set<std::string> gone;
    for (std::size_t i = 0; i < program.steps.size(); ++i) {
      const ProgramStep& step = program.steps[i];
      const bool cut = i >= first && i < first + count;
      if (!cut && !depends(step, gone)) {
        out.steps.push_back(step);
        continue;
      }
      gone.insert(step.targets.begin(), step.targets.end());
      if (step.function == "fork" || step.function == "thread") {
        gone.insert(step.args[0]);
      }
    }
    return out;
  }

  static bool depends(const ProgramStep& step, const std::set<std::string>& gone) {
    return std::any_of(gone.begin(), gone.end(), [&](const std::string& name) {
      return step.actor == name || step.signal_to == name ||
             std::any_of(step.args.begin(), step.args.end(),
                         [&](const std::string& arg) { return mentions(arg, name); });
    });
  }

  void by_steps() {
    for (std::size_t size = std::max<std::size_t>(best_.steps.size() / 2, 1); left_ > 0; size /= 2) {
      for (std::size_t end = best_.steps.size(); end > 0 && left_ > 0;) {
        const std::size_t first = end > size ? end - size : 0;
        accept(without(best_, first, end - first));
        end = std::min(first, best_.steps.size());
      }
      if (size == 1) {
        return;
      }
    }
  }

  bool one_by_one() {
    bool smaller = false;
    for (std::size_t i = best_.steps.size(); i-- > 0 && left_ > 0;) {
      if (i < best_.steps.size()) {
        smaller = accept(without(best_, i, 1)) || smaller;
      }
    }
    return smaller;
  }

  bool by_arguments() {
    bool smaller = false;
    for (std::size_t i = 0; i < best_.steps.size(); ++i) {
      for (std::size_t a = 0; a < best_.steps[i].args.size(); ++a) {
        for (const std::string& simpler : simpler_than(best_.steps[i].args[a])) {
          Program candidate = best_;
          candidate.steps[i].args[a] = simpler;
          if (accept(candidate)) {
            smaller = true;
            break;
          }
        }
      }
    }
    return smaller;
  }

  /// Flags without one of them; short data.
  static std::vector<std::string> simpler_than(const std::string& arg) {
    std::vector<std::string> out;
    if (arg.starts_with('"')) {
      if (arg.size() > 3) {
        out.emplace_back("\"x\"");
      }
      return out;
    }
    if (arg.find_first_of("({[") != std::string::npos || arg.find('|') == std::string::npos) {
      return out;
    }
    for (std::size_t at = 0; at <= arg.size();) {
      const std::size_t bar = std::min(arg.find('|', at), arg.size());
      out.push_back(at == 0 ? arg.substr(std::min(bar + 1, arg.size())) : arg.substr(0, at - 1) + arg.substr(bar));
      at = bar + 1;
    }
    return out;
  }

  Program best_;
  const std::function<bool(const Program&)>& still_shows_;
  int left_;
};

}  // namespace

Program shrink(Program program, const std::function<bool(const Program&)>& still_shows, int most_tries) {
  return Shrinker(std::move(program), still_shows, most_tries).run();
}

}  // namespace wakepath::proof
