#pragma once

#include <functional>
#include <map>
#include <string>
#include <string_view>

#include "src/probe/probe.hh"
#include "src/scenario/ast.hh"
#include "src/service/runtime.hh"

namespace wakepath::scenario {

/// The services of a file and the threads that run them, on either machine: the socket-server's thread, one worker, a
/// timer and a monitor. The worker runs every callback, whoever could have done it faster: so each message takes the
/// whole way, through the queue.
class Services {
 public:
  using Log = std::function<void(service::Handle, std::string_view)>;
  /// Starts them, in the order of the file. Throws FileError when one does not start, Unavailable when the place is to
  /// blame. `log`: told what a service has to say, one at a time; a script's errors, say.
  Services(os::Os& os, probe::Probe& probe, const Scenario& scenario, Log log);

  /// The descriptor at which each listens, by name.
  const std::map<std::string, int>& listeners() const { return listeners_; }

 private:
  void launch(const std::string& name, const Service& service);

  service::Runtime runtime_;
  std::map<std::string, int> listeners_;
};

}  // namespace wakepath::scenario
