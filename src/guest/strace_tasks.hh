#pragma once

#include <map>
#include <set>
#include <string_view>

#include "src/guest/strace_log.hh"

namespace wakepath::guest {

/// Whose a line is that does not say it: a log has numbers only while there are several threads.
class LineThreads {
 public:
  /// `only`: of a file that is one thread's; else 0.
  explicit LineThreads(int only) : main_(only), alive_{only} {}
  /// 0: the first thread, whose number is not known yet (main()).
  int of_line(int number);
  void began(int thread) { alive_.insert(thread); }
  void ended(int thread) { alive_.erase(thread); }
  int main() const { return main_ != 0 ? main_ : 1; }

 private:
  int main_;
  std::set<int> alive_;
};

bool makes_task(std::string_view name);
/// The number of the thread or process that a call has made. `text`: the call with its result.
int child_of(const StraceCall& call, std::string_view text);

/// Which thread is of which process, by the calls that have made them; and what they are called.
void find_processes(StraceLog& log);

/// The calls that have made pipes of which somebody else than these processes, each until an event, reads or writes an
/// end. A process that was forked and is not in the log is taken to do so.
std::set<std::size_t> pipes_shared(const StraceLog& log, const std::map<int, std::size_t>& until);

}  // namespace wakepath::guest
