#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "src/scenario/ast.hh"
#include "src/scenario/yaml.hh"

namespace wakepath::scenario {

/// Reads values out of YAML; each function throws ParseFailure when the value is of another kind.
class Fields {
 public:
  explicit Fields(const Source& source) : s_(source) {}

  static std::string kind_of(const Yaml& value);  ///< for messages: "a list", "'12'"
  void mapping(const Yaml& value, std::string_view expected) const;
  void only_keys(const Yaml& mapping, const std::vector<std::string_view>& keys) const;
  const Yaml& required(const Yaml& mapping, std::string_view key) const;
  const std::string& word(const Yaml& value, std::string_view expected) const;  ///< a scalar that is not empty
  std::string one_of(const Yaml& value, const std::vector<std::string_view>& words) const;
  long integer(const Yaml& value, long low, long high, std::string_view expected) const;
  bool boolean(const Yaml& value) const;
  std::vector<std::string> strings(const Yaml& value, std::string_view expected) const;
  Text text(const Yaml& value) const;  ///< a scalar or {en:, zh:}

 private:
  const Source& s_;
};

/// Refuses what may not be the name of an actor.
void check_actor_name(const Source& source, Position at, const std::string& name);

/// Reads one step after the other. Keeps which call each actor made last, since `returns` is read by its signature.
class StepParser {
 public:
  StepParser(const Source& source, const Scenario& scenario) : s_(source), fields_(source), scenario_(scenario) {}
  Step step(const Yaml& yaml);

 private:
  void beside(const Yaml& yaml, size_t main, Step& out);
  void actor(const Yaml& key, const Yaml& value, const Yaml* any, Step& out);
  std::vector<Result> any_of(const Yaml& any, const Signature& signature) const;
  Ask ask(const Yaml& yaml) const;
  Wire wire(const Yaml& yaml) const;
  Signal signal(const Yaml& yaml) const;
  Fault fault(const Yaml& yaml) const;

  const Source& s_;
  Fields fields_;
  const Scenario& scenario_;
  std::map<std::string, const Signature*> last_call_;
};

}  // namespace wakepath::scenario
