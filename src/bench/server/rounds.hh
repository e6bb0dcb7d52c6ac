#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "src/bench/server/load.hh"
#include "src/bench/server/process.hh"

namespace wakepath::bench {

/// What the rounds of one kind have shown, one value a round.
struct Series {
  std::vector<double> per_second, cpu_ns, p50_ns, p99_ns;  ///< CPU time: of the server, for each answer
};

/// The median of a : b of the same round, by which what the machine does in between falls out. 0 without rounds.
[[nodiscard]] double median_ratio(const std::vector<double>& a, const std::vector<double>& b);

/// Every server with its clients, ready at the same time, so that rounds can go from one to the next.
class Field {
 public:
  struct Entry {
    std::string name;
    const Kind* kind;
    ServerProcess::Ways ways;
  };
  Field(const std::vector<Entry>& entries, std::size_t connections);

  /// So many rounds, in each of which everybody does the task once; who begins changes from round to round.
  /// Throws std::runtime_error when somebody fails it.
  [[nodiscard]] std::map<std::string, Series> measure(const Task& task, int rounds);
  [[nodiscard]] Outcome once(const std::string& name, const Task& task);
  [[nodiscard]] ServerProcess& server(const std::string& name) { return *find(name).server; }
  /// Answers compared so far, and those that were not what was sent.
  [[nodiscard]] uint64_t checked() const { return checked_; }
  [[nodiscard]] uint64_t wrong() const { return wrong_; }

 private:
  struct Pair {
    std::string name;
    std::unique_ptr<ServerProcess> server;
    std::unique_ptr<LoadProcess> load;
  };
  Pair& find(const std::string& name);
  Outcome perform(Pair& pair, const Task& task);

  std::vector<Pair> pairs_;
  uint64_t checked_ = 0, wrong_ = 0;
};

}  // namespace wakepath::bench
