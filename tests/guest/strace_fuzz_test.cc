// Whatever stands in a log: it is followed, or a message says where it is wrong. Never a crash, never a hang.
#include <gtest/gtest.h>

#include <random>

#include "tests/guest/strace_samples.hh"

namespace wakepath::guest {
namespace {

constexpr uint32_t kSeed = 20261123;

/// One of the ways in which a log gets broken.
void damage(std::string& text, std::mt19937& random) {
  if (text.empty()) return;
  const auto below = [&](std::size_t end) { return std::uniform_int_distribution<std::size_t>(0, end - 1)(random); };
  const std::size_t at = below(text.size());
  switch (below(7)) {
    case 0:
      text[at] = static_cast<char>(below(256));
      break;
    case 1:
      std::swap(text[at], text[below(text.size())]);
      break;
    case 2:
      text.erase(at, 1 + below(40));
      break;
    case 3:
      text.resize(at);
      break;
    case 4: {  // a piece from elsewhere
      const std::string piece = text.substr(below(text.size()), 1 + below(60));
      text.insert(at, piece);
      break;
    }
    case 5: {  // another number
      const std::size_t digit = text.find_first_of("0123456789", at);
      if (digit != std::string::npos) text.insert(digit, std::to_string(below(1000000)));
      break;
    }
    default: {  // a line twice
      const std::size_t begin = text.rfind('\n', at) + 1;
      const std::string line = text.substr(begin, text.find('\n', at) - begin + 1);
      text.insert(begin, line);
    }
  }
}

class StraceFuzz : public testing::TestWithParam<const char*> {};

TEST_P(StraceFuzz, ADamagedLogIsFollowedOrSaysWhereItIsWrong) {
  const std::string whole = samples({GetParam()}).front().second;
  std::mt19937 random(kSeed);
  int followed = 0;
  int refused = 0;
  for (int round = 0; round < 400; ++round) {
    SCOPED_TRACE(testing::Message() << "round " << round << " of seed " << kSeed);
    std::string text = whole;
    for (int i = 0; i <= round % 4; ++i) damage(text, random);
    StraceProblem problem;
    const auto log = read_strace_texts({{"x.log", text}}, problem);
    if (!log) {
      ++refused;
      ASSERT_FALSE(problem.found.empty());
      ASSERT_FALSE(problem.expected.empty());
      ASSERT_LE(problem.line, static_cast<std::size_t>(std::count(text.begin(), text.end(), '\n')) + 1);
      continue;
    }
    ++followed;
    mirror::Mirror mirror;
    follow_strace(*log, busiest_process(*log), mirror);
    const mirror::Figures figures = mirror.figures();
    ASSERT_EQ(figures.calls, figures.checked + figures.unchecked + figures.divergences);
  }
  EXPECT_GT(followed, 40);
  EXPECT_GT(refused, 40);
}

INSTANTIATE_TEST_SUITE_P(Samples, StraceFuzz,
                         testing::Values("threads.log", "pairs.log", "poll-server.log", "netcat.log", "py-server.log",
                                         "calls.log", "strace-4.log", "forks.log", "server-plain.log",
                                         "nonblocking-client.log"));

}  // namespace
}  // namespace wakepath::guest
