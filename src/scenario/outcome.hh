#pragma once

#include <optional>
#include <string>
#include <vector>

#include "src/scenario/machine.hh"

namespace wakepath::scenario {

struct ShownEvent {
  std::string events;  ///< EPOLLIN|EPOLLOUT
  std::string data;    ///< the text that stood in the file
  bool operator==(const ShownEvent&) const = default;
};

/// What one step of a file gave, as it is printed: a call, or an `expect`.
struct Entry {
  int step = 0;
  Position at;
  std::string actor;
  std::string call;
  bool done = false;  ///< at the end of the run
  std::optional<int> returned_after;
  std::optional<long> ret;
  std::string error;  ///< errno name, or empty
  std::optional<std::string> data;
  std::optional<std::vector<ShownEvent>> events;
  std::optional<std::string> address;
  std::vector<int> value;
  std::vector<int> fds;
  bool expected = true;
  std::optional<int> failed_at;
  std::string asleep_in;  ///< of a call that blocked and was not to: in which functions, "tcp_recvmsg > sk_wait_data"

  std::string expect;  ///< not empty: this is an `expect`
  enum class Truth { no, yes, unobservable };
  Truth truth = Truth::no;
  std::string seen;  ///< of one that does not hold: what there was instead, "c.state is ESTABLISHED"
};

/// What one file gave on one machine.
struct FileResult {
  std::string file;
  std::string on;
  bool ok = true;
  std::vector<Entry> entries;
  std::optional<std::string> skipped;  ///< not run, which is no failure
  bool unavailable = false;            ///< not run, and the machine asked for is to blame: exit status 3
  std::vector<std::string> notes;      ///< differences that the kernel's version excuses (kernel_versions.hh)
  std::optional<Problem> error;        ///< the file is wrong, found while running: exit status 2
};

}  // namespace wakepath::scenario
