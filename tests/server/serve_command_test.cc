// The program itself, from its first line to its last.

#include "tests/server/program.hh"

namespace wakepath::server {
namespace {

/// The last line: how it begins, and that the mirror has checked and found nothing.
void expect_figures(const std::string& line, const std::string& beginning) {
  EXPECT_EQ(line.substr(0, beginning.size()), beginning);
  EXPECT_EQ(line.find(" checked 0 "), std::string::npos) << line;
  EXPECT_NE(line.find(" divergences 0 lost 0\n"), std::string::npos) << line;
}

class ServeCommandTest : public DescriptorsStay {};

TEST_F(ServeCommandTest, StopsGracefullyOnBothSignalsAndSaysWhatItDid) {
  for (int signal : {SIGTERM, SIGINT}) {
    Program program({"serve", "--port", "0"});
    Client client(listening(program));
    client.send("hello");
    EXPECT_EQ(client.receive(5), "hello");
    program.stop(signal);
    EXPECT_EQ(client.receive_end(), 0);
    expect_figures(program.line(), "connections 1 messages 5 ");
    EXPECT_EQ(program.status(), 0);
  }
}

TEST_F(ServeCommandTest, APortInUseIsSaidClearly) {
  Program first({"serve"});
  const std::string port = std::to_string(listening(first).port);
  Program second({"serve", "--port", port});
  EXPECT_EQ(second.line(),
            "serve: port " + port + " of 127.0.0.1 is in use, expected a free one (--port 0 takes any)\n");
  EXPECT_EQ(second.status(), 3);
}

TEST_F(ServeCommandTest, WhatTheMirrorShowsNeedsTheMirror) {
  Program program({"serve", "--mirror", "off", "--text"});
  EXPECT_EQ(program.line(), "serve: --text, --out and -o show what the mirror saw, found --mirror off\n");
  EXPECT_EQ(program.status(), 2);
}

TEST_F(ServeCommandTest, TheMirrorKeepsTheLastRecordsAndGoesOnWithoutALimit) {
  Program program({"serve", "--demo", "--mirror-keep", "1000", "--mirror-records", "1"});
  listening(program);
  expect_figures(program.line(), "connections 3 messages 18 ");
  EXPECT_EQ(program.status(), 0);
}

TEST_F(ServeCommandTest, CallsThatWereOnlyRecordedAreFollowedAtTheEnd) {
  Program program({"serve", "--demo", "--mirror", "ring:100000"});
  listening(program);
  expect_figures(program.line(), "connections 3 messages 18 ");
  EXPECT_EQ(program.status(), 0);
}

TEST_F(ServeCommandTest, StandardInputCanBeItsConsole) {
  Program program({"serve", "--console", "-"});
  Client client(listening(program));
  client.send("hello");
  EXPECT_EQ(client.receive(5), "hello");
  program.type("list\nstat\n");
  EXPECT_EQ(program.line().substr(0, 7), "1 echo ");
  EXPECT_NE(program.line().find(" listen "), std::string::npos);
  EXPECT_NE(program.line().find(" connected "), std::string::npos);
  program.type("close 99\n");
  EXPECT_EQ(program.line(), "there is no such socket\n");
  program.stop(SIGTERM);
  expect_figures(program.line(), "connections 1 ");
}

TEST_F(ServeCommandTest, OneOfThreeConnectionsIsFollowed) {
  Program program({"serve", "--mirror", "sample:3"});
  const os::Endpoint endpoint = listening(program);
  std::vector<Client> clients;
  for (int i = 0; i < 6; ++i) clients.emplace_back(endpoint);
  for (Client& client : clients) {
    client.send("hello");
    EXPECT_EQ(client.receive(5), "hello");
  }
  clients.clear();
  program.stop(SIGTERM);
  expect_figures(program.line(), "connections 6 ");
  std::string rest;
  for (std::string line; !(line = program.line()).empty();) rest += line;
  EXPECT_NE(rest.find(" calls were of connections that are not in the sample\n"), std::string::npos) << rest;
  EXPECT_EQ(program.status(), 0);
}

TEST_F(ServeCommandTest, TheConsoleTurnsTheMirrorOffAndOn) {
  for (const char* mirror : {"on", "standby", "ring:100000"}) {
    Program program({"serve", "--console", "-", "--mirror", mirror});
    Client client(listening(program));
    const auto talk = [&] {
      client.send("hello");
      EXPECT_EQ(client.receive(5), "hello");
    };
    talk();
    program.type("mirror off\n");
    EXPECT_EQ(program.line().substr(0, 5), "off; ") << mirror;
    talk();
    program.type("mirror on\n");
    const std::string on = program.line();
    EXPECT_TRUE(on.starts_with("on; ") || on.starts_with("recording; ")) << on;
    EXPECT_EQ(on.find(" 0 calls not recorded"), std::string::npos) << on;
    talk();
    program.type("mirror no\n");
    EXPECT_EQ(program.line(), "mirror: found \"no\", expected on, off or stat\n");
    program.stop(SIGTERM);
    expect_figures(program.line(), "connections 1 messages 7 ");
    EXPECT_EQ(program.status(), 0);
  }
}

TEST_F(ServeCommandTest, AnEdgeTriggeredServerAgreesWithTheModel) {
  Program program({"serve", "--demo", "--poller", "edge"});
  listening(program);
  expect_figures(program.line(), "connections 3 messages 18 ");
  EXPECT_EQ(program.status(), 0);
}

TEST_F(ServeCommandTest, AWrongCommandLineIsStatusTwo) {
  for (const char* wrong :
       {"--port=70000", "--port=x", "--service=none", "--unknown", "--poller=both", "--mirror=ring:", "--mirror=ring:0",
        "--mirror=ring:x", "--mirror=sample:0", "--console=x"}) {
    Program program({"serve", wrong});
    EXPECT_NE(program.line(), "") << wrong;
    EXPECT_EQ(program.status(), 2) << wrong;
  }
}

TEST_F(ServeCommandTest, WithoutATerminalTheDemoEndsByItself) {
  Program program({"serve", "--demo"});
  listening(program);
  expect_figures(program.line(), "connections 3 messages 18 ");
  EXPECT_EQ(program.status(), 0);
}

TEST_F(ServeCommandTest, ThePathOfTheFirstConnectionIsPrintedAndRecorded) {
  const auto file = std::filesystem::temp_directory_path() / ("wakepath-serve-" + std::to_string(getpid()) + ".wkp");
  Program program({"serve", "--demo", "--text", "-o", file.string()});
  listening(program);
  std::string path;
  std::string line;
  while ((line = program.line()).substr(0, 12) != "connections ") {
    ASSERT_NE(line, "") << "no last line\n" << path;
    path += line;
  }
  expect_figures(line, "connections 3 messages 18 ");
  for (const char* word : {"__x64_sys_connect", "softirq", "ep_poll_callback", "accept4(", "callback on_accept"})
    EXPECT_NE(path.find(word), std::string::npos) << word;
  while (!program.line().empty()) {
  }
  EXPECT_EQ(program.status(), 0);
  EXPECT_GT(std::filesystem::file_size(file), 1000U);
  std::filesystem::remove(file);
}

TEST_F(ServeCommandTest, AMutantOfTheModelIsSeen) {
  for (const char* mutant : {"level_not_requeued", "no_accept_wake"}) {
    Program program({"serve", "--demo", "--mutant", mutant});
    listening(program);
    std::string line;
    while ((line = program.line()).substr(0, 12) != "connections ") ASSERT_NE(line, "");
    EXPECT_EQ(line.find(" divergences 0 "), std::string::npos) << mutant << ": " << line;
    while (!program.line().empty()) {
    }
    EXPECT_EQ(program.status(), 1) << "the server is not disturbed, but model and kernel differed";
  }
}

TEST_F(ServeCommandTest, NetcatGetsItsWordsBack) {
  if (!available("nc")) GTEST_SKIP() << "nc is not installed";
  Program program({"serve"});
  const std::string port = std::to_string(listening(program).port);
  EXPECT_EQ(output_of("printf 'typed by hand\\n' | nc -N -w 10 127.0.0.1 " + port), "typed by hand\n");
}

TEST_F(ServeCommandTest, CurlGetsItsWordsBack) {
  if (!available("curl")) GTEST_SKIP() << "curl is not installed";
  Program program({"serve"});
  const std::string port = std::to_string(listening(program).port);
  FILE* curl = popen(("echo over telnet | curl -sN -m 10 telnet://127.0.0.1:" + port).c_str(), "re");
  std::array<char, 64> echo{};
  EXPECT_NE(fgets(echo.data(), echo.size(), curl), nullptr);
  EXPECT_STREQ(echo.data(), "over telnet\n");
  program.stop(SIGTERM);  // curl goes on reading until the other side ends
  EXPECT_EQ(program.status(), 0);
  pclose(curl);
}

}  // namespace
}  // namespace wakepath::server
