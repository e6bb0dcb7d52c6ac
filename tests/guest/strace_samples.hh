#pragma once

#include <gtest/gtest.h>

#include <fstream>
#include <iterator>
#include <string>
#include <utility>
#include <vector>

#include "src/guest/strace_import.hh"

namespace wakepath::guest {

using StraceTexts = std::vector<std::pair<std::string, std::string>>;

/// Of tests/guest/data, with their names.
inline StraceTexts samples(const std::vector<std::string>& names) {
  StraceTexts texts;
  for (const std::string& name : names) {
    std::ifstream in(std::string(WAKEPATH_SOURCE_DIR) + "/tests/guest/data/" + name, std::ios::binary);
    EXPECT_TRUE(in) << name;
    texts.emplace_back(name, std::string(std::istreambuf_iterator<char>(in), {}));
  }
  return texts;
}

/// What following a log has given.
struct Followed {
  mirror::Figures figures;
  StraceLeft left;
  StraceLog log;
  std::shared_ptr<trace::Trace> trace;
};

inline Followed follow(const StraceTexts& texts, int process = 0) {
  Followed out;
  StraceProblem problem;
  auto log = read_strace_texts(texts, problem);
  if (!log) {
    ADD_FAILURE() << problem.text();
    return out;
  }
  mirror::Mirror mirror;
  out.left = follow_strace(*log, process != 0 ? process : busiest_process(*log), mirror);
  out.figures = mirror.figures();
  out.log = std::move(*log);
  out.trace = mirror.trace();
  return out;
}

}  // namespace wakepath::guest
