#include <gtest/gtest.h>

#include <cerrno>

#include "src/os/endpoint.hh"
#include "src/os/retry.hh"

namespace wakepath::os {
namespace {

TEST(RetryOnEintr, RepeatsAnInterruptedCallAndNoOther) {
  int calls = 0;
  EXPECT_EQ(retry_on_eintr([&] { return ++calls < 3 ? -EINTR : 7; }), 7);
  EXPECT_EQ(calls, 3);
  EXPECT_EQ(retry_on_eintr([&] { return ++calls, -EAGAIN; }), -EAGAIN);
  EXPECT_EQ(calls, 4);
}

TEST(Endpoint, IsReadAndWrittenAsFourNumbers) {
  const auto endpoint = Endpoint::parse("127.0.0.2", 80);
  ASSERT_TRUE(endpoint.has_value());
  EXPECT_EQ(endpoint->to_string(), "127.0.0.2:80");
  EXPECT_EQ(Endpoint::from_sockaddr(endpoint->to_sockaddr()), *endpoint);
  for (const char* wrong : {"", "localhost", "127.0.0", "1.2.3.4.5", "::1"})
    EXPECT_FALSE(Endpoint::parse(wrong, 80).has_value()) << wrong;
}

}  // namespace
}  // namespace wakepath::os
