#pragma once

#include <map>
#include <optional>
#include <set>
#include <string>

#include "src/scenario/ast.hh"
#include "src/scenario/machine.hh"
#include "src/scenario/outcome.hh"

namespace wakepath::scenario {

/// Three-valued: an observation that lies between bounds may leave a comparison open.
Entry::Truth compare(const Observation& left, Expectation::Op op, const Observation& right);

/// How results look in a file: tokens of epoll data as the text that stood there, ephemeral ports by number.
class View {
 public:
  /// The ports that a file names are printed and compared as they are.
  void fix_ports_of(const Scenario& scenario);

  /// What epoll_event.data holds for a text: in its lower half `number`, which is what a trace shows, in its upper half
  /// what tells texts of one number apart. The same text and number give the same token.
  uint64_t new_token(const std::string& text, uint32_t number);

  std::string address(const Address& address);  ///< `127.0.0.1:?1`; numbers a port when it is new
  void show(const Outcome& outcome, const Signature& signature, Entry& out);

  /// Whether the outcome (nothing: the call is blocked) is what the file wants. `wanted` is the result's address where
  /// it is a literal, addr() or peer().
  bool matches(const Result& result, const std::optional<Outcome>& outcome, const std::optional<Address>& wanted);

 private:
  std::set<int> fixed_;
  std::map<int, int> numbers_;  ///< of ephemeral ports
  std::map<uint64_t, std::string> tokens_;
};

}  // namespace wakepath::scenario
