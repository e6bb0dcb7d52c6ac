#pragma once

#include <cstdint>
#include <optional>
#include <string>

#include "sim/trace/index.hh"

/// Two recordings side by side: where the second one is changed, and where something else comes out of it first.

namespace wakepath::exports {

/// One place in which two traces differ. The words of one that has nothing there are empty.
struct Difference {
  std::uint64_t step = 0;
  std::string left;  ///< "server: epoll_wait(4, 8, -1) = 1 [{EPOLLIN, fd 5}]", or the step's own text
  std::string right;
};

struct Beside {
  std::optional<Difference> change;   ///< the first step whose text differs
  std::optional<Difference> outcome;  ///< the first step in which calls returned, or did not, in another way
};

/// Compared step by step, by number: what each system call that returned within the step gave, in order, and which were
/// left waiting. Arguments are not compared where the step's text differs: that is the change, not what comes of it.
[[nodiscard]] Beside compare(const trace::Trace& left, const trace::Trace& right);

/// What came out of one step in one line, "server: recv(5, 9) = -1 EAGAIN; client: connect(3, …) …" (waits); empty when
/// no call did anything.
[[nodiscard]] std::string outcome_of(const trace::Trace& trace, const trace::StepEntry& step);

}  // namespace wakepath::exports
