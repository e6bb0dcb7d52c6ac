// `wakepath serve` with other services than echo, and programs of others as their clients, under the mirror.

#include <fstream>

#include "tests/server/program.hh"

namespace wakepath::server {
namespace {

class ServeServicesTest : public DescriptorsStay {
 protected:
  /// Ends the program; its last line must say that nothing diverged, nothing was lost and most was checked.
  static void expect_agreement(Program& program) {
    program.stop(SIGTERM);
    std::string line;
    while ((line = program.line()).substr(0, 12) != "connections ") ASSERT_NE(line, "") << "no last line";
    EXPECT_NE(line.find(" divergences 0 lost 0\n"), std::string::npos) << line;
    EXPECT_EQ(line.find(" checked 0 "), std::string::npos) << line;
    EXPECT_EQ(program.status(), 0);
  }
  static std::string file(const std::string& name, const std::string& text) {
    const std::string path = testing::TempDir() + std::to_string(getpid()) + "-" + name;
    std::ofstream(path) << text;
    return path;
  }
};

TEST_F(ServeServicesTest, HttpForCurl) {
  if (!available("curl")) GTEST_SKIP() << "curl is not installed";
  Program program({"serve", "--service", "http"});
  const std::string url = "http://127.0.0.1:" + std::to_string(listening(program).port);
  EXPECT_EQ(output_of("curl -s -m 10 " + url + "/ -d some=thing " + url + "/echo"),
            "405 Method Not Allowed\nsome=thing");
  EXPECT_EQ(output_of("curl -s -m 10 " + url + "/ " + url + "/nowhere"), "hello from wakepath\n404 Not Found\n");
  expect_agreement(program);
}

TEST_F(ServeServicesTest, AStoreInLuaForRedisCli) {
  if (!available("redis-cli")) GTEST_SKIP() << "redis-cli is not installed";
  Program program({"serve", "--service", WAKEPATH_SOURCE_DIR "/assets/services/resp.lua", "--threads", "3"});
  const std::string redis = "redis-cli -p " + std::to_string(listening(program).port) + " ";
  EXPECT_EQ(output_of(redis + "set greeting hello"), "OK\n");
  EXPECT_EQ(output_of(redis + "get greeting"), "hello\n");
  EXPECT_EQ(output_of(redis + "-r 3 incr number"), "1\n2\n3\n");
  expect_agreement(program);
}

TEST_F(ServeServicesTest, AScriptIsServedThoughItsCallbacksRunInWorkers) {
  Program program({"serve", "--service", WAKEPATH_SOURCE_DIR "/assets/services/echo.lua", "--threads", "4"});
  const os::Endpoint endpoint = listening(program);
  std::vector<Client> clients;
  for (int i = 0; i < 10; ++i) clients.emplace_back(endpoint);
  for (int round = 0; round < 5; ++round) {
    for (Client& client : clients) client.send("hello");
    for (Client& client : clients) EXPECT_EQ(client.receive(5), "hello");
  }
  clients.clear();
  expect_agreement(program);
}

TEST_F(ServeServicesTest, SeveralServicesAndAConsoleFromAFile) {
  const std::string script =
      file("twice.lua",
           "local listener = socket.listen('127.0.0.1', wakepath.port)\n"
           "socket.start(listener, function(id) socket.start(id)\n"
           "local line = socket.readline(id) socket.write(id, line .. line) socket.close(id) end)\n");
  const std::string config =
      file("serve.yaml", "threads: 1\nservices:\n  - {use: echo, name: echo}\n  - {use: " + script + "}\n");
  Program program({"serve", "--config", config, "--console", "0", "--mirror", "off"});
  // What goes to stderr is not buffered: the console's line comes first.
  const std::string console = program.line();
  const std::string says = "the console listens on 127.0.0.1:";
  const size_t at = console.find(says);
  ASSERT_NE(at, std::string::npos) << console;
  Client echo(listening(program)), twice(listening(program));
  echo.send("hello");
  EXPECT_EQ(echo.receive(5), "hello");
  twice.send("ab\n");
  EXPECT_EQ(twice.receive(10), "abab");
  Client operate(os::Endpoint{.port = static_cast<uint16_t>(std::atoi(console.c_str() + at + says.size()))});
  operate.send("list\n");
  EXPECT_EQ(operate.receive(7), "1 echo ");
  operate.send("kill 1\n");
  EXPECT_LE(echo.receive_end(), 0);
  operate.send("nonsense\nquit\n");
  const std::string rest = operate.receive(10'000);
  EXPECT_NE(rest.find("ok\n"), std::string::npos);
  EXPECT_NE(rest.find("found \"nonsense\", expected a command"), std::string::npos);
  program.stop(SIGTERM);
  EXPECT_EQ(program.line().substr(0, 14), "connections 3 ");
  EXPECT_EQ(program.status(), 0);
  std::filesystem::remove(script);
  std::filesystem::remove(config);
}

TEST_F(ServeServicesTest, WhatIsWrongWithAFileIsSaidWithItsPlace) {
  const std::string config = file("wrong.yaml", "services:\n  - {use: echo, prot: 7000}\n");
  Program wrong_key({"serve", "--config", config});
  EXPECT_EQ(wrong_key.line(), config + ":2:17: found \"prot\", expected use, name, port or max_clients\n");
  EXPECT_EQ(wrong_key.status(), 2);
  const std::string script = file("wrong.lua", "socket.listen(");
  Program wrong_script({"serve", "--service", script});
  EXPECT_NE(wrong_script.line().find("does not start: "), std::string::npos);
  EXPECT_EQ(wrong_script.status(), 2);
  Program no_script({"serve", "--service", "nowhere.lua"});
  EXPECT_EQ(no_script.line(), "serve: nowhere.lua does not start: nowhere.lua cannot be read\n");
  EXPECT_EQ(no_script.status(), 2);
  std::filesystem::remove(config);
  std::filesystem::remove(script);
}

}  // namespace
}  // namespace wakepath::server
