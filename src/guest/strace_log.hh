#pragma once

#include <cstdint>
#include <filesystem>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "src/guest/strace_calls.hh"

namespace wakepath::guest {

/// What is wrong with a log, and where. Columns are bytes, from 1; line 0 is the file as a whole.
struct StraceProblem {
  std::string file;
  std::size_t line = 0, column = 0;
  std::string found, expected;
  /// file:line:column: found …, expected …
  std::string text() const;
};

struct StraceCall {
  int thread = 0;
  std::string name;
  bool returned = false;  ///< its return is in the log, with its result
  bool whole = true;      ///< nothing else stands between its entry and its return
  long result = 0;        ///< a negative errno when it failed
  int64_t begin_ns = 0, end_ns = 0;
  StraceMeaning meaning;
  std::size_t file = 0, line = 0;  ///< where it begins
};

/// Entry or return of a call, in order.
struct StraceEvent {
  std::size_t call;
  bool returns;
};

struct StraceThread {
  int process = 0;
  std::string name;  ///< of the program, or what it calls itself
};

struct StraceProcess {
  int parent = 0;          ///< 0: it is not in the log
  std::size_t forked = 0;  ///< the event before which the parent made it
};

/// One or more files that strace has written: with -f -o, or one for each thread with -ff.
struct StraceLog {
  std::vector<std::string> files;
  std::vector<StraceCall> calls;
  std::vector<StraceEvent> events;
  std::map<int, StraceThread> threads;
  std::map<int, StraceProcess> processes;
  std::size_t lines = 0;
  std::size_t lost = 0;        ///< calls whose beginning or end is not in the log
  std::size_t assumed = 0;     ///< threads whose beginning is not in the log, taken to be of one process
  bool timed = false;          ///< with times; else the order of lines alone is known
  bool last_line_cut = false;  ///< of some file: it has no end, and does not parse
};

/// nullopt: `problem` says why.
std::optional<StraceLog> read_strace(const std::vector<std::filesystem::path>& files, StraceProblem& problem);
/// The same of texts, with the names of their files.
std::optional<StraceLog> read_strace_texts(const std::vector<std::pair<std::string, std::string>>& texts,
                                           StraceProblem& problem);

}  // namespace wakepath::guest
