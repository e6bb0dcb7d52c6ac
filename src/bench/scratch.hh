#pragma once

#include <filesystem>

namespace wakepath::bench {

/// A new folder that goes with its files. Throws std::runtime_error when none can be made.
struct Scratch {
  std::filesystem::path folder;
  Scratch();
  ~Scratch();
  Scratch(const Scratch&) = delete;
  Scratch& operator=(const Scratch&) = delete;
};

}  // namespace wakepath::bench
