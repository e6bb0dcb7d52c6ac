#include "src/scenario/step_text.hh"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <vector>

#include "src/scenario/signatures.hh"
#include "src/scenario/words.hh"

namespace wakepath::scenario {
namespace {

std::string wire_text(const Wire& wire) {
  std::vector<std::string> parts;
  if (wire.drop > 0) {
    parts.push_back(fmt::format("drop {}", wire.drop));
  }
  if (wire.reorder > 0) {
    parts.push_back(fmt::format("reorder {}", wire.reorder));
  }
  if (wire.delay.count() > 0) {
    parts.push_back(fmt::format("delay {}ms", static_cast<double>(wire.delay.count()) / 1e6));
  }
  if (!wire.from.empty()) {
    parts.push_back("from " + wire.from);
  }
  return fmt::format("wire {}", parts.empty() ? "as it was" : fmt::format("{}", fmt::join(parts, ", ")));
}

std::string signal_text(const Signal& signal) {
  const auto& words = words_of(Words::signal);
  const auto word = std::find_if(words.begin(), words.end(), [&](const Word& w) { return w.value == signal.number; });
  return fmt::format("signal {} to {}{}", word != words.end() ? word->name : "?", signal.to,
                     signal.restart ? ", with SA_RESTART" : "");
}

std::string fault_text(const Fault& fault) {
  return fmt::format("fault {} in {} of {}, {}", errno_name(fault.error), fault.call->name, fault.actor,
                     fault.times == 1 ? "once" : fmt::format("{} times", fault.times));
}

std::string one_line(std::string text) {
  while (!text.empty() && text.back() == '\n') {
    text.pop_back();
  }
  std::replace(text.begin(), text.end(), '\n', ' ');
  return text;
}

}  // namespace

std::string step_text(const Step& step) {
  switch (step.kind) {
    case Step::Kind::call: {
      std::string targets;
      for (const std::string& target : step.call.targets) {
        targets += (targets.empty() ? "" : ", ") + target;
      }
      return fmt::format("{}: {}{}{}", step.actor, targets, targets.empty() ? "" : " = ", step.call.text);
    }
    case Step::Kind::returns:
      return fmt::format("{}: returns {}", step.actor, step.returns.empty() ? "" : step.returns[0].text);
    case Step::Kind::say:
      return one_line(step.say.in("en"));
    case Step::Kind::mark:
      return "mark " + step.mark;
    case Step::Kind::ask:
      return "ask: " + one_line(step.ask.question.in("en"));
    case Step::Kind::wait:
      return fmt::format("wait {}ms", static_cast<double>(step.wait.count()) / 1e6);
    case Step::Kind::expect:
      return "expect " + step.expect.text;
    case Step::Kind::wire:
      return "wire";
    case Step::Kind::signal:
      return "signal to " + step.signal.to;
    case Step::Kind::fault:
      return "fault in " + step.fault.actor;
  }
  return {};
}

std::string disturbance_text(const Step& step) {
  switch (step.kind) {
    case Step::Kind::wire:
      return wire_text(step.wire);
    case Step::Kind::signal:
      return signal_text(step.signal);
    case Step::Kind::fault:
      return fault_text(step.fault);
    default:
      return {};
  }
}

}  // namespace wakepath::scenario
