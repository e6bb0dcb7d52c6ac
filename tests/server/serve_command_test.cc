// The program itself, from its first line to its last.

#include <signal.h>
#include <sys/wait.h>

#include <array>
#include <cstdio>
#include <cstdlib>

#include "tests/server/fixture.hh"

namespace wakepath::server {
namespace {

/// `wakepath` with arguments; its standard output is read line by line, what it says on stderr comes with it.
class Program {
 public:
  explicit Program(std::vector<std::string> arguments) {
    int out[2];
    EXPECT_EQ(pipe2(out, O_CLOEXEC), 0);
    pid_ = fork();
    if (pid_ == 0) {
      const std::string path = WAKEPATH_BINARY_DIR "/wakepath";
      std::vector<char*> argv{const_cast<char*>(path.c_str())};
      for (std::string& argument : arguments) argv.push_back(argument.data());
      argv.push_back(nullptr);
      const int null = open("/dev/null", O_RDONLY);
      dup2(null, STDIN_FILENO);
      dup2(out[1], STDOUT_FILENO);
      dup2(out[1], STDERR_FILENO);
      execv(path.c_str(), argv.data());
      _exit(127);
    }
    ::close(out[1]);
    out_ = fdopen(out[0], "r");
  }
  ~Program() {
    if (pid_ > 0) {
      kill(pid_, SIGKILL);
      status();
    }
    fclose(out_);
  }
  Program(const Program&) = delete;
  Program& operator=(const Program&) = delete;

  std::string line() {
    std::array<char, 512> text{};
    return fgets(text.data(), text.size(), out_) == nullptr ? "" : text.data();
  }
  void stop(int signal) { kill(pid_, signal); }
  int status() {
    int status = 0;
    waitpid(std::exchange(pid_, 0), &status, 0);
    return WIFEXITED(status) ? WEXITSTATUS(status) : -WTERMSIG(status);
  }

 private:
  pid_t pid_ = 0;
  FILE* out_ = nullptr;
};

os::Endpoint listening(Program& program) {
  const std::string line = program.line();
  const std::string expected = "listening 127.0.0.1:";
  EXPECT_EQ(line.substr(0, expected.size()), expected);
  return {.port = static_cast<uint16_t>(std::atoi(line.c_str() + std::min(line.size(), expected.size())))};
}

std::string output_of(const std::string& command) {
  FILE* pipe = popen(command.c_str(), "re");
  std::string text;
  std::array<char, 512> piece{};
  while (size_t got = fread(piece.data(), 1, piece.size(), pipe)) text.append(piece.data(), got);
  pclose(pipe);
  return text;
}

bool available(const std::string& program) { return !output_of("command -v " + program).empty(); }

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

TEST_F(ServeCommandTest, AWrongCommandLineIsStatusTwo) {
  for (const char* wrong : {"--port=70000", "--port=x", "--service=none", "--unknown"}) {
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
