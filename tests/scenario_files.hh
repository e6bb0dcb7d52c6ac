#pragma once

#include <gtest/gtest.h>

#include <algorithm>
#include <filesystem>
#include <string>
#include <vector>

namespace wakepath::test {

/// The scenario files of folders of the repository ("/scenarios"), in the order of their paths.
inline std::vector<std::filesystem::path> scenario_files(std::initializer_list<const char*> folders) {
  std::vector<std::filesystem::path> files;
  for (const char* folder : folders)
    for (const auto& entry : std::filesystem::directory_iterator(std::string(WAKEPATH_SOURCE_DIR) + folder))
      if (entry.path().extension() == ".yaml") files.push_back(entry.path());
  std::sort(files.begin(), files.end());
  return files;
}

/// What a test of one such file is called.
inline std::string name_of_file(const testing::TestParamInfo<std::filesystem::path>& row) {
  std::string name = row.param.stem().string();
  std::replace(name.begin(), name.end(), '-', '_');
  return name;
}

}  // namespace wakepath::test
