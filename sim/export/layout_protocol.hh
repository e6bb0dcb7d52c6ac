#pragma once
#include <cstdint>

/// What the program and its layout helper say to each other over the helper's standard input and output (one stream
/// socket). Request: Head{format, length}, then `length` bytes of DOT. Reply: Head{status, length}, then the picture,
/// or the sentence that says why there is none. Both ends are of the same build: native byte order.

namespace wakepath::exports {

struct Head {
  std::uint32_t word = 0;  ///< Request: a `LayoutFormat`. Reply: 0 fine, 1 error.
  std::uint32_t length = 0;
};

constexpr std::uint32_t kMostDot = 64u << 20;  ///< A larger graph is refused.
constexpr std::uint32_t kMostPicture = 512u << 20;

/// The name Graphviz has for a format: index by LayoutFormat.
constexpr const char* kFormatNames[] = {"svg", "png", "json", "pdf"};
constexpr std::uint32_t kFormats = 4;

}  // namespace wakepath::exports
