#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace wakepath::proof {

class Opening;

/// What a series of programs dwells on, so that it soon shows what random ones seldom reach.
struct Focus {
  std::string_view name;
  std::string_view sentence;               ///< what such programs are about
  void (*open)(Opening&) = nullptr;        ///< how each of them begins; nullptr: like any other program
  std::vector<std::string_view> favoured;  ///< calls that come more often than otherwise
  /// The model runs them on so many CPUs, where a thread that is woken runs beside its waker. Nothing but the opening
  /// then: what any calls give depends on who is quicker, what those give must not.
  long cpus = 1;
  bool floods = false;  ///< TCP is sent more than a window at a time (World::floods)

  [[nodiscard]] bool favours(std::string_view function) const;
};

const std::vector<Focus>& focuses();
/// nullptr for an empty name. Throws std::invalid_argument for one that does not exist.
const Focus* focus_by_name(std::string_view name);

}  // namespace wakepath::proof
