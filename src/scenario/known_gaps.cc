#include "src/scenario/known_gaps.hh"

#include <algorithm>

namespace wakepath::scenario {
namespace {

constexpr long kGrowsBehind =
    65483;  // bytes: the first window of a connection on lo, the smallest that a reader outgrows

bool has_tcp(const FileResult& result) {
  return std::any_of(result.entries.begin(), result.entries.end(), [](const Entry& entry) {
    return entry.call.find("socket(AF_INET") != std::string::npos &&
           entry.call.find("SOCK_STREAM") != std::string::npos;
  });
}

long bytes_read(const FileResult& result) {
  long bytes = 0;
  for (const Entry& entry : result.entries) {
    if (entry.call.starts_with("recv") || entry.call.starts_with("read")) {
      bytes += std::max(entry.ret.value_or(0), 0L);
    }
  }
  return bytes;
}

}  // namespace

std::vector<std::string> known_gaps(const Scenario& scenario, const FileResult& kernel) {
  const auto grows = scenario.kernel.find("net.ipv4.tcp_moderate_rcvbuf");
  const bool fixed = grows != scenario.kernel.end() && grows->second == "0";
  if (fixed || !has_tcp(kernel) || bytes_read(kernel) <= kGrowsBehind) {
    return {};
  }
  return {
      "the running kernel widens SO_RCVBUF of a reader that keeps up, by times that it measures "
      "(tcp_rcv_space_adjust()); the model does not. `kernel: {net.ipv4.tcp_moderate_rcvbuf: 0}` turns that off"};
}

}  // namespace wakepath::scenario
