#pragma once

#include <string>
#include <vector>

#include "sim/trace/trace.hh"

namespace wakepath::os {

/// Everything that a trace says, to be compared.
inline std::vector<std::string> everything(const trace::Trace& trace) {
  std::vector<std::string> out;
  for (trace::Position at = 0; at < trace.size(); ++at) {
    const trace::Record r = trace[at];
    std::string line;
    for (uint64_t part : {static_cast<uint64_t>(r.kind), static_cast<uint64_t>(r.context), uint64_t{r.field},
                          uint64_t{r.object}, uint64_t{r.task}, uint64_t{r.site}, uint64_t{r.cause}, r.before, r.after})
      line += std::to_string(part) + " ";
    out.push_back(std::move(line));
  }
  for (trace::StringId id = 1; !trace.string(id).empty(); ++id) out.emplace_back(trace.string(id));
  return out;
}

}  // namespace wakepath::os
