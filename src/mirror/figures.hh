#pragma once

#include <cstdint>
#include <map>
#include <string>

namespace wakepath::mirror {

/// What came of a mirrored run.
struct Figures {
  uint64_t checked = 0;                     ///< returned calls that model and kernel agree on
  uint64_t unchecked = 0;                   ///< returned calls that could not be compared; reasons below
  uint64_t injected = 0;                    ///< deeds of peers outside, given to the model on evidence
  uint64_t divergences = 0;                 ///< calls and readings of oracles on which model and kernel disagree
  uint64_t lost = 0;                        ///< calls after the mirror has stopped
  uint64_t readings = 0;                    ///< of oracles, that agree
  uint64_t readings_unchecked = 0;          ///< of oracles, that were not stable or ahead of what this process has seen
  uint64_t established = 0;                 ///< calls before a log's kept ones, made on the model to begin with
  uint64_t not_in_sample = 0;               ///< recorded calls of connections that are not followed
  uint64_t calls = 0;                       ///< returned calls that the model knows, in all
  std::map<std::string, uint64_t> reasons;  ///< of unchecked
  std::string first_divergence;             ///< in words; empty when there is none
  std::string stopped;                      ///< why the mirror has stopped; empty while it runs
};

}  // namespace wakepath::mirror
