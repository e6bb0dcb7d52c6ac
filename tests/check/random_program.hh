#pragma once

#include <cstdint>
#include <random>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "sim/syscalls/syscalls.hh"

/// Random programs over the system calls: several tasks that bind, connect, send, close and watch each other, with
/// right and with wrong descriptors. The same seed gives the same program.

namespace wakepath::check {

using StateEdge = std::pair<kernel::TcpState, kernel::TcpState>;

class RandomProgram {
 public:
  explicit RandomProgram(std::uint64_t seed);
  /// Makes `calls` calls, checks the invariants after each, lets all processes exit, lets time pass, and checks that
  /// nothing is left. Sentences of what was wrong; empty when all is well.
  [[nodiscard]] std::vector<std::string> run(int calls);

  [[nodiscard]] const trace::Trace& trace() const { return *k_.trace(); }
  /// Changes of a TCP state that the program has made.
  [[nodiscard]] std::set<StateEdge> edges() const;
  /// The calls with their results, a line each.
  [[nodiscard]] std::string text() const;

 private:
  std::uint64_t below(std::uint64_t limit) { return random_() % limit; }
  bool percent(std::uint64_t chance) { return below(100) < chance; }
  template <class T>
  T one_of(std::initializer_list<T> choices) {
    return *(choices.begin() + below(choices.size()));
  }

  kernel::task_struct* idle_task();
  int descriptor(kernel::task_struct* task);
  kernel::Address address();
  kernel::u32 event_mask();
  void connected_pair();
  void one_call();
  void start(kernel::task_struct* task);
  kernel::MaySleep<long> socket_call(kernel::task_struct* task);
  kernel::MaySleep<long> data_call(kernel::task_struct* task);
  kernel::MaySleep<long> file_call(kernel::task_struct* task);
  kernel::MaySleep<long> epoll_call(kernel::task_struct* task);
  long call(kernel::task_struct* task, kernel::MaySleep<long> what);
  bool complain(std::vector<std::string>& out);

  std::mt19937_64 random_;
  // what calls write to; outlives the model, whose sleeping calls point here
  std::vector<char> buffer_;
  kernel::user_epoll_event events_[16] = {};
  kernel::Address address_;
  std::vector<int> value_;
  int pipe_[2] = {};
  kernel::Kernel k_;
  std::vector<kernel::task_struct*> tasks_;
};

}  // namespace wakepath::check
