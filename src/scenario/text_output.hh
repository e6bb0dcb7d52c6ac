#pragma once

#include <string>
#include <vector>

#include "src/scenario/ast.hh"
#include "src/scenario/outcome.hh"

namespace wakepath::scenario {

struct TextStyle {
  bool colour = false;
  std::string language = "en";
};

/// What a call gave, as a file would write it: `1 [{EPOLLIN, lfd}]`, `-1 EAGAIN`, `5 "hello"`, `blocks`.
std::string result_text(const Entry& entry);

/// A run for people: one line a step, narration between them, what was expected where it differs, a line of sums.
std::string text_report(const Scenario& scenario, const FileResult& result, const TextStyle& style);

struct Difference;
/// One difference as a sentence about its step.
std::string in_words(const Difference& difference);
/// The differences between the two machines in words; one line when there are none.
std::string text_comparison(const FileResult& model, const FileResult& kernel, const TextStyle& style);

/// One run of one file for a JUnit report.
struct JunitCase {
  std::string file;
  std::string on;
  std::string failure;  ///< empty: passed
  std::string error;    ///< the file is wrong
  std::string skipped;
};
std::string junit_report(const std::vector<JunitCase>& cases);
JunitCase junit_case(const Scenario& scenario, const FileResult& result);
/// Of the two machines beside each other: `on` is "both".
JunitCase junit_comparison(const FileResult& model, const FileResult& kernel);

}  // namespace wakepath::scenario
