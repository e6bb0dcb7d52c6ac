#pragma once

#include <cstdint>
#include <functional>
#include <string>

#include "src/proof/coverage.hh"
#include "src/proof/judge.hh"

namespace wakepath::proof {

struct FuzzOptions {
  std::uint64_t seed = 1;
  std::uint64_t first = 0;  ///< index of the first program of the series
  std::uint64_t count = 100;
  int calls = 40;
  int jobs = 0;        ///< processes at the same time; 0: two for each processor, since runs mostly sleep
  std::string mutant;  ///< a deliberate fault of the model
  std::string focus;   ///< what the programs dwell on, by name; empty: nothing
  bool invariants = true;
  Reference reference = running_kernel();
  int shrink_tries = 150;    ///< runs spent on making one failure smaller; 0: none
  unsigned longest_s = 300;  ///< for one program with its shrinking: a model that never ends is ended
};

/// One program that did not agree, or not at once.
struct Failure {
  std::uint64_t index = 0;
  std::string kind;         ///< differs, broken, crashed, explained, unsteady, not judged, not run, invalid
  std::string fingerprint;  ///< what shows: see Judgement
  std::string story;        ///< in words: the first difference, or what broke
  std::string file;         ///< the program as a scenario file, shrunk when it is the first of its fingerprint
};

struct FuzzReport {
  std::uint64_t programs = 0;
  std::uint64_t agree = 0;                        ///< without any difference
  std::uint64_t explained = 0;                    ///< a known difference, or one of the running version
  std::uint64_t unsteady = 0;                     ///< agreed only when the kernel was asked again
  std::uint64_t not_judged = 0;                   ///< a difference on a kernel that is older than those that are judged
  std::map<std::string, std::uint64_t> failures;  ///< by kind: all that are not in `agree`
  bool stopped = false;                           ///< because the listener said so, before the end of the series
  Coverage coverage;
};

/// No program shows a fault of the model.
[[nodiscard]] bool all_stand(const FuzzReport& report);
/// False: the series was long enough to reach everything (1,000 programs of 40 calls about anything), and did not.
[[nodiscard]] bool reaches_enough(const FuzzOptions& options, const FuzzReport& report);

struct FuzzListener {
  std::function<void(const Failure&)> failed;
  std::function<void(const FuzzReport&)> progress;  ///< after each program
  std::function<bool()> stopped = {};               ///< asked several times a second: true, it is to end; may be empty
};

/// Runs a series of programs in processes of their own. Throws std::runtime_error when no process can be made.
FuzzReport fuzz(const FuzzOptions& options, const FuzzListener& listener);

}  // namespace wakepath::proof
