#pragma once

#include "src/scenario/machine.hh"
#include "src/scenario/matching.hh"
#include "src/scenario/scope.hh"

namespace wakepath::scenario {

/// The arguments of one step: names become numbers, addr() and peer() are read now. Throws FileError where a name or an
/// address is not there.
class Arguments {
 public:
  Arguments(int step, const Scope& scope, Machine& machine, View& view)
      : step_(step), scope_(scope), machine_(machine), view_(view) {}

  /// What a machine is asked to do, by an actor of that process.
  Request request(const CallStep& call, const Process& own);
  Address address(const Arg& arg, const Process& own);

 private:
  static void pointer(const Arg& arg, Param::Kind kind, Request& request);
  void keyword(const std::string& word, const Arg& arg, const Process& process, Request& request);
  void argument(const Arg& arg, const Process& process, Request& request);
  void set(const Arg& fds, size_t place, const Process& process, Request& request);
  void item(const Arg& arg, const Process& process, Request& request);
  int descriptor(const Arg& arg, const Process& process);

  int step_;
  const Scope& scope_;
  Machine& machine_;
  View& view_;
};

}  // namespace wakepath::scenario
