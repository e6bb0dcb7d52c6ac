#pragma once

#include "gui/view_model.hh"

/// The columns of the lanes between user and softirq: which there are, and where.

namespace wakepath::gui {

/// Owner of the column in which everything is counted that has no column at all.
constexpr trace::TaskId kCrowd = 0xFFFF;
constexpr float kColumnGap = 18;  ///< unscaled

struct Column {
  enum class Type : std::uint8_t { kChain, kTaskOnly, kOverflow, kShared };
  trace::TaskId owner = 0;
  unsigned slot = 0;
  Type type = Type::kChain;
  float weight = 1;
  float x = 0;
  float w = 0;
};

/// One column for each slot of each task, in order of the tasks; where `room` is too small, the last ones of the
/// largest groups become one overflow column each; before that the shared tables go and eventpolls get narrower.
[[nodiscard]] std::vector<Column> choose_columns(const ViewModel& model, float room, float scale);
void place_columns(std::vector<Column>& columns, float x, float room, float scale);
/// Index of a chain's column; columns.size() when it has none.
[[nodiscard]] std::size_t column_of(const std::vector<Column>& columns, const ViewModel& model,
                                    const Chains::Chain& chain);

}  // namespace wakepath::gui
