// The model must survive every sequence of calls: no BUG, no hang, the invariants hold after each call, nothing is
// left.
#include <gtest/gtest.h>

#include <cstdlib>
#include <map>

#include "sim/kernel/tcp.hh"
#include "tests/check/random_program.hh"

namespace wakepath::check {
namespace {

constexpr int kCalls = 40;
constexpr std::uint64_t kBatches = 20;
#if defined(__SANITIZE_ADDRESS__)
constexpr std::uint64_t kBatch = 20;
#else
constexpr std::uint64_t kBatch = 100;
#endif

/// A child is a copy of its listener for a moment: inet_csk_clone_lock() writes its state past the table.
bool is_birth(StateEdge edge) { return edge == StateEdge{kernel::TcpState::LISTEN, kernel::TcpState::SYN_RECV}; }

class RandomProgramsBatch : public testing::TestWithParam<std::uint64_t> {};

TEST_P(RandomProgramsBatch, LeaveTheModelSound) {
  for (std::uint64_t seed = GetParam() * kBatch; seed < (GetParam() + 1) * kBatch; ++seed) {
    RandomProgram program(seed);
    std::vector<std::string> complaints = program.run(kCalls);
    ASSERT_TRUE(complaints.empty()) << "seed " << seed << ": " << complaints.front() << "\n" << program.text();
  }
}

INSTANTIATE_TEST_SUITE_P(Batch, RandomProgramsBatch, testing::Range<std::uint64_t>(0, kBatches));

/// Edges of the state table that random programs do not take, and why.
const std::map<StateEdge, std::string>& edges_not_taken() {
  using enum kernel::TcpState;
  static const std::map<StateEdge, std::string> kEdges = {
      {{SYN_RECV, FIN_WAIT1}, "close() of a socket that connects to itself, between two segments"},
      {{SYN_RECV, CLOSE_WAIT}, "a FIN that comes before the handshake's last ACK: loopback keeps the order"},
      {{SYN_RECV, CLOSE}, "a reset in the same gap"},
  };
  return kEdges;
}

TEST(RandomPrograms, TakeEveryEdgeOfTheStateTable) {
  std::set<StateEdge> taken;
  for (std::uint64_t seed = 0; seed < 300; ++seed) {
    RandomProgram program(seed);
    ASSERT_TRUE(program.run(kCalls).empty()) << "seed " << seed;
    taken.merge(program.edges());
  }
  for (int from = 1; from <= 12; ++from)
    for (int to = 1; to <= 12; ++to) {
      StateEdge edge{static_cast<kernel::TcpState>(from), static_cast<kernel::TcpState>(to)};
      bool legal = kernel::tcp_edge_is_legal(edge.first, edge.second);
      bool listed = edges_not_taken().contains(edge);
      if (legal)
        EXPECT_TRUE(taken.contains(edge) || listed) << from << " -> " << to << " was never taken";
      else
        EXPECT_FALSE(listed || (taken.contains(edge) && !is_birth(edge)))
            << from << " -> " << to << " is not in the table";
    }
}

/// WAKEPATH_SEED=N runs one program of one's choice and prints it: for looking at a failure.
TEST(RandomProgram, OfTheEnvironment) {
  const char* seed = std::getenv("WAKEPATH_SEED");
  RandomProgram program(seed != nullptr ? std::strtoull(seed, nullptr, 10) : 1);
  std::vector<std::string> complaints = program.run(kCalls);
  if (seed != nullptr) std::printf("%s", program.text().c_str());
  for (const std::string& complaint : complaints) ADD_FAILURE() << complaint;
}

}  // namespace
}  // namespace wakepath::check
