#pragma once

#include <gtest/gtest.h>

#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <string>

/// Compares `text` with tests/golden/export/NAME. With WAKEPATH_REGOLD=1 in the environment the file is written anew.
inline void expect_golden(const std::string& name, const std::string& text) {
  std::filesystem::path path = std::filesystem::path(WAKEPATH_SOURCE_DIR) / "tests/golden/export" / name;
  if (const char* again = std::getenv("WAKEPATH_REGOLD"); again != nullptr && *again == '1') {
    std::filesystem::create_directories(path.parent_path());
    std::ofstream(path, std::ios::binary) << text;
  }
  std::ifstream in(path, std::ios::binary);
  std::string golden{std::istreambuf_iterator<char>(in), {}};
  EXPECT_EQ(text, golden) << path << " differs; if the change is meant: WAKEPATH_REGOLD=1, look at the diff, say why";
}
