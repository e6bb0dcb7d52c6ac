// The demo run: server and client in this process, both mirrored.

#include "tests/mirror/fixture.hh"

namespace wakepath::mirror {
namespace {

TEST(MirrorDemo, AgreesWithTheKernelOnEveryCall) {
  Mirrored server;
  EXPECT_EQ(server.demo(), 0);
  const Figures figures = server.stop();
  expect_agreement(figures);
  EXPECT_EQ(figures.injected, 0U) << "there is nobody outside\n" << in_words(figures);
  EXPECT_GT(figures.checked, 80U);
}

TEST(MirrorDemo, SeesAModelThatDoesNotRequeueLevelTriggeredItems) {
  MirrorOptions options;
  options.config.mutant = kernel::Mutant::level_not_requeued;
  Mirrored server(options);
  EXPECT_EQ(server.demo(), 0) << "the mirror must not disturb the server";
  EXPECT_GT(server.stop().divergences, 0U);
}

TEST(MirrorDemo, SeesAModelThatDoesNotWakeTheListener) {
  MirrorOptions options;
  options.config.mutant = kernel::Mutant::no_accept_wake;
  Mirrored server(options);
  EXPECT_EQ(server.demo(), 0) << "the mirror must not disturb the server";
  EXPECT_GT(server.stop().divergences, 0U);
}

}  // namespace
}  // namespace wakepath::mirror
