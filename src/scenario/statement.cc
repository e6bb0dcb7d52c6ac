#include "src/scenario/statement.hh"

#include <fmt/format.h>

#include "src/scenario/matching.hh"
#include "src/scenario/words.hh"

namespace wakepath::scenario {
namespace {

bool is_blocked_in(const Term& term) { return !term.fields.empty() && term.fields[0] == "blocked_in"; }

}  // namespace

Entry::Truth Statement::truth(const Expectation& e) {
  if (e.op == Expectation::Op::in || e.op == Expectation::Op::not_in) {
    return membership(e);
  }
  const bool words = e.left.kind == Term::Kind::word || e.right.kind == Term::Kind::word;
  if (words && (is_blocked_in(e.left) || is_blocked_in(e.right))) {
    const std::string a = word_of(e.left);
    const std::string b = word_of(e.right);
    const bool equal = a == b;
    return (e.op == Expectation::Op::equal) == equal ? Entry::Truth::yes : Entry::Truth::no;
  }
  return compare(value(e.left), e.op, value(e.right));
}

std::string Statement::word_of(const Term& term) const {
  return is_blocked_in(term) ? blocked_in_(term.name) : term.word;
}

Observation Statement::value(const Term& term) {
  if (term.kind == Term::Kind::integer) {
    return Observation::number(term.number);
  }
  if (term.kind == Term::Kind::word) {
    for (const Word& state : tcp_states()) {
      if (state.name == term.word) {
        return Observation::number(state.value);
      }
    }
    return {};
  }
  const auto [process, fd] = scope_.anywhere(step_, nullptr, term.process, term.name, term.at);
  if (!term.model) {
    return machine_.observe(process, fd, term.fields[0]);
  }
  try {
    return machine_.observe_model(process, fd, term.fields);
  } catch (const UnknownField& field) {
    throw FileError{term.at, field.what()};
  }
}

std::string Statement::seen(const Expectation& e) {
  if (e.op == Expectation::Op::in || e.op == Expectation::Op::not_in) {
    return fmt::format("{} is {}in {}", e.left.text, e.op == Expectation::Op::in ? "not " : "", e.right.text);
  }
  const std::string left = seen(e.left);
  const std::string right = seen(e.right);
  return left + (left.empty() || right.empty() ? "" : ", ") + right;
}

std::string Statement::seen(const Term& term) {
  if (term.kind == Term::Kind::integer || term.kind == Term::Kind::word) {
    return "";
  }
  if (is_blocked_in(term)) {
    return fmt::format("{} is {}", term.text, blocked_in_(term.name));
  }
  const Observation now = value(term);
  if (!now.observable) {
    return term.text + " is not observable here";
  }
  const bool state = !term.model && term.fields[0] == "state";
  return fmt::format("{} is {}{}", term.text, now.low == now.high ? "" : "at least ",
                     state ? tcp_state_name(static_cast<int>(now.low)) : std::to_string(now.low));
}

Entry::Truth Statement::membership(const Expectation& e) {
  const auto [process, fd] = scope_.anywhere(step_, nullptr, e.right.process, e.right.name, e.right.at);
  const Process& holder = scope_.process(process);
  const auto [member_process, member] = scope_.anywhere(step_, &holder, e.left.process, e.left.name, e.left.at);
  if (e.right.model) {
    return Entry::Truth::unobservable;
  }
  const Observation found = machine_.contains(process, fd, e.right.fields[0], member);
  return compare(found, Expectation::Op::equal, Observation::number(e.op == Expectation::Op::in ? 1 : 0));
}

}  // namespace wakepath::scenario
