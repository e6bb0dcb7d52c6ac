#pragma once

namespace wakepath::bench {

/// CPU ns of one assignment to a recorded member whose value changes.
struct WriteCost {
  double kept = 0;   ///< every record kept, in memory that earlier traces have used
  double fresh = 0;  ///< every record kept, in memory that nobody has touched yet
  double ring = 0;   ///< into a ring that keeps the last ones
  double off = 0;    ///< recording off
};
[[nodiscard]] WriteCost measure_writes(bool quick);

/// Bytes of a record of the echo work in memory and in a recording's file.
struct RecordSize {
  double memory = 0;
  double file = 0;
};
[[nodiscard]] RecordSize measure_record_size(bool quick);

}  // namespace wakepath::bench
