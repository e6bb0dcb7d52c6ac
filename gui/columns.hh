#pragma once

#include "gui/view_model.hh"

/// The columns of the lanes between user and softirq: which there are, and where.

namespace wakepath::gui {

constexpr float kColumnGap = 18;  ///< unscaled

struct Column {
  enum class Type : std::uint8_t { kChain, kCrowd, kShared };  ///< kCrowd: where everything without a column is counted
  Type type = Type::kChain;
  trace::TaskId task = 0;     ///< whose it is now
  trace::ObjectId chain = 0;  ///< root of the chain that stands in it now; 0: none
  float weight = 1;
  float x = 0;
  float w = 0;
};

/// The columns that fit into `room` and what stands in them at the playhead. Which columns there are follows from the
/// whole trace and the room. Where it is too small, first the shared tables go, eventpolls get narrower, sockets
/// without a port lose their columns, then threads that have no connections, then columns of the largest threads, then
/// threads; all those are counted in a column at the right end.
[[nodiscard]] std::vector<Column> choose_columns(const ViewModel& model, float room, float scale);
void place_columns(std::vector<Column>& columns, float x, float room, float scale);
/// Index of a chain's column, else of the one where it is counted; columns.size() when there is neither.
[[nodiscard]] std::size_t column_of(const std::vector<Column>& columns, const Chains::Chain& chain);

}  // namespace wakepath::gui
