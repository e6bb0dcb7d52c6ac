#include "src/scenario/step_parser.hh"

#include <fmt/format.h>

#include <algorithm>
#include <cctype>

#include "src/scenario/call_parser.hh"

namespace wakepath::scenario {
namespace {

const std::vector<std::string_view> kMainKeys = {"say", "mark", "ask", "wait", "expect", "wire", "signal", "fault"};
const std::vector<std::string_view> kBesideKeys = {"focus", "label", "any"};
/// YAML 1.1 reads these as truth values or as nothing.
const std::vector<std::string_view> kYamlWords = {"on", "off", "yes", "no", "true", "false", "null", "y", "n"};

bool is_one_of(std::string_view word, const std::vector<std::string_view>& words) {
  return std::find(words.begin(), words.end(), word) != words.end();
}

}  // namespace

void check_actor_name(const Source& source, Position at, const std::string& name) {
  const bool shape = !name.empty() && name[0] >= 'a' && name[0] <= 'z' &&
                     name.find_first_not_of("abcdefghijklmnopqrstuvwxyz0123456789-") == std::string::npos;
  if (!shape) {
    source.fail(at, fmt::format("'{}'", name), "a name of small letters, digits and '-', beginning with a letter");
  }
  if (is_one_of(name, kYamlWords)) {
    source.fail(at, fmt::format("the name '{}'", name), "a word that YAML 1.1 does not read as a truth value");
  }
  if (is_one_of(name, kMainKeys) || is_one_of(name, kBesideKeys) || name == "returns" || name == "model") {
    source.fail(at, fmt::format("the name '{}'", name), "a word that is not a key of a step");
  }
}

Step StepParser::step(const Yaml& yaml) {
  fields_.mapping(yaml, "a step: a mapping such as 'server: listen(lfd, 8) = 0'");
  Step out;
  out.number = static_cast<int>(scenario_.steps.size()) + 1;
  size_t main = yaml.keys.size();
  for (size_t i = 0; i < yaml.keys.size(); ++i) {
    if (is_one_of(yaml.keys[i].text, kBesideKeys)) {
      continue;
    }
    if (main < yaml.keys.size()) {
      s_.fail(
          yaml.keys[i].at, fmt::format("the key '{}' beside '{}'", yaml.keys[i].text, yaml.keys[main].text),
          "one main key a step, and beside it only focus, label or any" + did_you_mean(yaml.keys[i].text, kBesideKeys));
    }
    main = i;
  }
  if (main == yaml.keys.size()) {
    s_.fail(yaml.at, "a step without a main key", "an actor, say, mark, ask, wait, expect, wire, signal or fault");
  }
  const Yaml& key = yaml.keys[main];
  const Yaml& value = yaml.items[main];
  out.at = key.at;
  const Yaml* any = yaml.find("any");
  if (any != nullptr && is_one_of(key.text, kMainKeys)) {
    s_.fail(any->at, fmt::format("'any' beside '{}'", key.text), "'any' beside an actor's key");
  }
  if (key.text == "say") {
    out.say = fields_.text(value);
  } else if (key.text == "mark") {
    out.kind = Step::Kind::mark;
    out.mark = fields_.word(value, "a name for this point");
  } else if (key.text == "ask") {
    out.kind = Step::Kind::ask;
    out.ask = ask(value);
  } else if (key.text == "wait") {
    out.kind = Step::Kind::wait;
    fields_.word(value, "a time such as 50ms or 1s");
    out.wait = parse_duration(s_, value);
  } else if (key.text == "expect") {
    out.kind = Step::Kind::expect;
    fields_.word(value, "a statement such as c.state == ESTABLISHED");
    out.expect = parse_expectation(s_, value);
  } else if (key.text == "wire") {
    out.kind = Step::Kind::wire;
    out.wire = wire(value);
  } else if (key.text == "signal") {
    out.kind = Step::Kind::signal;
    out.signal = signal(value);
  } else if (key.text == "fault") {
    out.kind = Step::Kind::fault;
    out.fault = fault(value);
  } else {
    actor(key, value, any, out);
  }
  beside(yaml, main, out);
  return out;
}

void StepParser::beside(const Yaml& yaml, size_t main, Step& out) {
  for (size_t i = 0; i < yaml.keys.size(); ++i) {
    if (i == main) {
      continue;
    }
    if (yaml.keys[i].text == "focus") {
      out.focus = fields_.strings(yaml.items[i], "a list of names");
    } else if (yaml.keys[i].text == "label") {
      out.label = fields_.text(yaml.items[i]);
    }
  }
}

void StepParser::actor(const Yaml& key, const Yaml& value, const Yaml* any, Step& out) {
  const bool like_a_call = value.kind == Yaml::Kind::scalar &&
                           (value.text.find('(') != std::string::npos || value.text.starts_with("returns"));
  const std::string hint = did_you_mean(key.text, kMainKeys);
  if (!like_a_call && !hint.empty() && last_call_.count(key.text) == 0 && scenario_.actors.count(key.text) == 0) {
    s_.fail(key.at, fmt::format("the key '{}'", key.text), "an actor or a key of a step" + hint);
  }
  check_actor_name(s_, key.at, key.text);
  fields_.word(value, "a system call, or 'returns' and its result");
  out.actor = key.text;
  Cursor cursor(s_, value);
  const std::string first = cursor.identifier();
  cursor.skip_blanks();
  if (first == "returns" && cursor.peek() != '(') {
    out.kind = Step::Kind::returns;
    const Signature* signature = last_call_[key.text];
    if (signature == nullptr) {
      s_.fail(value.at, fmt::format("'returns', but {} has made no call", key.text), "a call before it");
    }
    if (any == nullptr) {
      out.returns.push_back(parse_result(cursor, *signature));
    } else if (!cursor.at_end()) {
      s_.fail(any->at, "'any' beside a result", "either the one or the other");
    } else {
      out.returns = any_of(*any, *signature);
    }
    for (const Result& result : out.returns) {
      if (result.kind == Result::Kind::blocks) {
        s_.fail(result.at, "'returns blocks'", "the result with which the call returns");
      }
    }
    last_call_[key.text] = nullptr;
    return;
  }
  out.kind = Step::Kind::call;
  out.call = parse_call(s_, value);
  last_call_[key.text] = out.call.signature;
  if (any != nullptr) {
    if (!out.call.results.empty()) {
      s_.fail(any->at, "'any' beside a result", "either the one or the other");
    }
    out.call.results = any_of(*any, *out.call.signature);
  }
}

std::vector<Result> StepParser::any_of(const Yaml& any, const Signature& signature) const {
  if (any.kind != Yaml::Kind::sequence || any.items.empty()) {
    s_.fail(any.at, Fields::kind_of(any), "a list of results");
  }
  std::vector<Result> out;
  for (const Yaml& item : any.items) {
    fields_.word(item, "a result");
    Cursor cursor(s_, item);
    out.push_back(parse_result(cursor, signature));
  }
  return out;
}

Ask StepParser::ask(const Yaml& yaml) const {
  fields_.mapping(yaml, "a mapping with question and answer");
  fields_.only_keys(yaml, {"question", "choices", "answer", "pick", "why"});
  Ask out;
  out.question = fields_.text(fields_.required(yaml, "question"));
  const Yaml& answer = fields_.required(yaml, "answer");
  const Yaml* choices = yaml.find("choices");
  if (const Yaml* pick = yaml.find("pick")) {
    if (choices != nullptr) {
      s_.fail(choices->at, "'choices' beside 'pick'", "either the one or the other");
    }
    out.pick = fields_.one_of(*pick, {"thread", "object"});
  }
  if (choices != nullptr) {
    if (choices->kind != Yaml::Kind::sequence || choices->items.size() < 2) {
      s_.fail(choices->at, Fields::kind_of(*choices), "a list of at least two choices");
    }
    for (const Yaml& choice : choices->items) {
      out.choices.push_back(fields_.text(choice));
    }
    const long count = static_cast<long>(out.choices.size());
    out.choice = fields_.integer(answer, 1, count, fmt::format("the number of the right choice, 1 to {}", count));
  } else {
    out.answer = fields_.text(answer);
  }
  if (const Yaml* why = yaml.find("why")) {
    out.why = fields_.text(*why);
  }
  return out;
}

Wire StepParser::wire(const Yaml& yaml) const {
  fields_.mapping(yaml, "a mapping such as {drop: 1, from: cfd}");
  fields_.only_keys(yaml, {"drop", "delay", "reorder", "from"});
  Wire out;
  if (const Yaml* drop = yaml.find("drop")) {
    out.drop = fields_.integer(*drop, 0, 1000000, "a number of segments");
  }
  if (const Yaml* reorder = yaml.find("reorder")) {
    out.reorder = fields_.integer(*reorder, 0, 1000000, "a number of segments");
  }
  if (const Yaml* delay = yaml.find("delay")) {
    fields_.word(*delay, "a time such as 20ms");
    out.delay = parse_duration(s_, *delay);
  }
  if (const Yaml* from = yaml.find("from")) {
    out.from = fields_.word(*from, "the name of a socket");
  }
  return out;
}

Signal StepParser::signal(const Yaml& yaml) const {
  fields_.mapping(yaml, "a mapping such as {to: ACTOR, name: SIGUSR1}");
  fields_.only_keys(yaml, {"to", "name", "restart"});
  Signal out;
  out.to = fields_.word(fields_.required(yaml, "to"), "the name of an actor");
  const Yaml& name = fields_.required(yaml, "name");
  const std::optional<long> number = value_of(Words::signal, name.text);
  if (!number) {
    fields_.word(name, describe(Words::signal));
    fail_word(s_, name.at, Words::signal, name.text);
  }
  out.number = static_cast<int>(*number);
  if (const Yaml* restart = yaml.find("restart")) {
    out.restart = fields_.boolean(*restart);
  }
  return out;
}

Fault StepParser::fault(const Yaml& yaml) const {
  fields_.mapping(yaml, "a mapping such as {actor: A, call: accept4, error: EMFILE}");
  fields_.only_keys(yaml, {"actor", "call", "error", "times"});
  Fault out;
  out.actor = fields_.word(fields_.required(yaml, "actor"), "the name of an actor");
  const Yaml& call = fields_.required(yaml, "call");
  out.call = find_signature(fields_.word(call, "a system call"));
  if (out.call == nullptr) {
    s_.fail(call.at, Fields::kind_of(call), "a system call of the format" + did_you_mean(call.text, call_names()));
  }
  const Yaml& error = fields_.required(yaml, "error");
  const std::optional<int> number = errno_of(error.text);
  if (!number) {
    s_.fail(error.at, Fields::kind_of(error), "an errno name" + did_you_mean(error.text, errno_names()));
  }
  out.error = *number;
  if (const Yaml* times = yaml.find("times")) {
    out.times = fields_.integer(*times, 1, 1000000, "how often the call fails");
  }
  return out;
}

}  // namespace wakepath::scenario
