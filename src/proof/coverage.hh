#pragma once

#include <cstdint>
#include <map>
#include <set>
#include <string>
#include <vector>

#include <nlohmann/json_fwd.hpp>

#include "src/proof/generator.hh"

namespace wakepath::proof {

/// What a series of programs has reached, as the model tells.
struct Coverage {
  std::int64_t programs = 0, calls = 0, failed = 0, blocked = 0, woke = 0, blocked_or_woke = 0;
  std::int64_t forks = 0, duplicates = 0;
  std::map<std::string, std::int64_t> calls_by_kind;
  std::map<std::string, std::int64_t> errors;
  std::map<std::string, std::int64_t> events;      ///< as epoll_wait(), poll() gave them
  std::map<std::string, std::int64_t> tcp_states;  ///< programs that have reached it
  std::map<std::string, std::int64_t> features;    ///< programs with EPOLLET, nesting, several waiters, …

  void add(const Generated& generated);
  void add(const Coverage& other);
  /// A table for people.
  [[nodiscard]] std::string text() const;
  /// What a long enough series must have reached and has not, a sentence each; per 1,000 programs.
  [[nodiscard]] std::vector<std::string> missing() const;
};

nlohmann::json to_json(const Coverage& coverage);
Coverage coverage_from(const nlohmann::json& json);

}  // namespace wakepath::proof
