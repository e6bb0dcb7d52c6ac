#include "src/os/socket_address.hh"

#include <gtest/gtest.h>

#include <cerrno>

#include "src/os/linux_os.hh"
#include "src/os/recorded_os.hh"

namespace wakepath::os {
namespace {

TEST(SocketAddress, IsReadAndWrittenInBothFamilies) {
  for (const char* text : {"127.0.0.1:80", "[::1]:443", "[fe80::1:2]:1", "0.0.0.0:0"}) {
    const std::string whole = text;
    const size_t colon = whole.rfind(':');
    const std::string host = whole[0] == '[' ? whole.substr(1, colon - 2) : whole.substr(0, colon);
    const auto address = SocketAddress::parse(host, static_cast<uint16_t>(std::stoi(whole.substr(colon + 1))));
    ASSERT_TRUE(address.has_value()) << text;
    EXPECT_EQ(address->to_string(), text);
    EXPECT_EQ(SocketAddress::from(address->native().storage), *address) << "there and back";
    EXPECT_EQ(SocketAddress::unpack(address->packed()), *address) << "there and back";
    EXPECT_EQ(address->packed().size(), whole[0] == '[' ? 19U : 7U);
  }
  EXPECT_EQ(SocketAddress::parse("", 9)->to_string(), "0.0.0.0:9");
  EXPECT_FALSE(SocketAddress::parse("localhost", 80).has_value());
  EXPECT_EQ(SocketAddress().to_string(), "");
  EXPECT_EQ(SocketAddress(Endpoint{.port = 5}).ipv4(), Endpoint{.port = 5});
}

TEST(SocketAddress, WhatIsNoPackedAddressIsNotUnpacked) {
  const std::string four = SocketAddress(Endpoint{.port = 0x8180}).packed();
  EXPECT_EQ(SocketAddress::unpack(four)->port, 0x8180);
  for (const std::string& wrong : {std::string(), four.substr(0, 6), four + "x", "\x02" + four.substr(1)})
    EXPECT_FALSE(SocketAddress::unpack(wrong).has_value());
}

/// Two UDP sockets of the loopback interface, through any Os.
struct Datagrams {
  explicit Datagrams(Os& through) : os(through) {
    for (int& fd : fds) {
      fd = os.socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
      SocketAddress::Native native = SocketAddress(Endpoint{}).native();
      EXPECT_EQ(os.bind(fd, native.get(), native.size), 0);
      EXPECT_EQ(os.getsockname(fd, reinterpret_cast<sockaddr*>(&native.storage), &native.size), 0);
      addresses[&fd - fds] = SocketAddress::from(native.storage);
    }
  }
  ~Datagrams() {
    for (int fd : fds) os.close(fd);
  }
  Os& os;
  int fds[2];
  SocketAddress addresses[2];
};

void a_datagram_arrives_with_its_sender(Os& os) {
  Datagrams two(os);
  const SocketAddress::Native to = two.addresses[1].native();
  EXPECT_EQ(os.sendto(two.fds[0], "hello", 5, 0, to.get(), to.size), 5);
  char text[8] = {};
  SocketAddress::Native from{.size = sizeof(sockaddr_storage)};
  EXPECT_EQ(os.recvfrom(two.fds[1], text, sizeof text, 0, reinterpret_cast<sockaddr*>(&from.storage), &from.size), 5);
  EXPECT_STREQ(text, "hello");
  EXPECT_EQ(SocketAddress::from(from.storage), two.addresses[0]);
  EXPECT_EQ(os.recvfrom(two.fds[1], text, sizeof text, 0, nullptr, nullptr), -EAGAIN);
}

TEST(LinuxOs, ADatagramArrivesWithItsSender) {
  LinuxOs os;
  a_datagram_arrives_with_its_sender(os);
}

TEST(LinuxOs, NamesAreLookedUpAndUnknownOnesAreAnError) {
  LinuxOs os;
  std::vector<SocketAddress> addresses;
  ASSERT_EQ(os.resolve("127.0.0.3", 80, SOCK_STREAM, false, addresses), 0);
  EXPECT_EQ(addresses, std::vector<SocketAddress>({*SocketAddress::parse("127.0.0.3", 80)}));
  ASSERT_EQ(os.resolve("localhost", 80, SOCK_STREAM, false, addresses), 0);
  for (const SocketAddress& address : addresses)
    EXPECT_TRUE(address.to_string() == "127.0.0.1:80" || address.to_string() == "[::1]:80") << address.to_string();
  EXPECT_EQ(os.resolve("no good name", 80, SOCK_STREAM, false, addresses), -ENOENT);
}

TEST(RecordedOs, RecordsDatagrams) {
  LinuxOs machine;
  CallLog log;
  RecordedOs os(machine, log);
  a_datagram_arrives_with_its_sender(os);
  std::vector<CallRecord> seen;
  for (LogItem item; log.next(item);)
    if ((item.record.call() == Call::sendto || item.record.call() == Call::recvfrom) && item.record.result >= 0)
      seen.push_back(item.record);
  ASSERT_EQ(seen.size(), 2U);
  EXPECT_EQ(std::get<call::Sendto>(seen[0].arguments).data, "hello");
  EXPECT_EQ(seen[0].result, 5);
  EXPECT_FALSE(seen[1].may_block) << "the socket is non-blocking";
  EXPECT_EQ(seen[1].output.data, "hello");
  EXPECT_TRUE(seen[1].output.address.ipv4().has_value());
}

}  // namespace
}  // namespace wakepath::os
