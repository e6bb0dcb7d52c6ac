#pragma once

#include <cstddef>
#include <string>

#include "sim/trace/world.hh"

namespace wakepath::exports {

struct ObjectsOptions {
  /// Fields and lists changed by the records [changed_from, changed_to) are marked, with their old value.
  trace::Position changed_from = 0;
  trace::Position changed_to = 0;
  std::size_t most_objects = 40;  ///< With more living objects: those that changed and what they point to.
  std::size_t most_fields = 12;   ///< Of one object. Changed ones, links and states come first.
  std::string title;
  std::string subtitle;
};

/// The living objects of a world as a graph in DOT: an HTML table an object, a port for each embedded structure and for
/// each pointer and list, an edge from pointer to target. Objects stand in boxes by layer. Shown are fields that are
/// not zero.
[[nodiscard]] std::string objects_dot(const trace::Trace& trace, const trace::World& world,
                                      const ObjectsOptions& options = {});

}  // namespace wakepath::exports
