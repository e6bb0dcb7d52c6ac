#pragma once

#include <signal.h>
#include <sys/wait.h>

#include <array>
#include <cstdio>
#include <cstdlib>

#include "tests/server/fixture.hh"

namespace wakepath::server {

/// `wakepath` with arguments; its standard output is read line by line, what it says on stderr comes with it.
class Program {
 public:
  explicit Program(std::vector<std::string> arguments) {
    int in[2], out[2];
    EXPECT_EQ(pipe2(in, O_CLOEXEC), 0);
    EXPECT_EQ(pipe2(out, O_CLOEXEC), 0);
    pid_ = fork();
    if (pid_ == 0) {
      const std::string path = WAKEPATH_BINARY_DIR "/wakepath";
      std::vector<char*> argv{const_cast<char*>(path.c_str())};
      for (std::string& argument : arguments) argv.push_back(argument.data());
      argv.push_back(nullptr);
      dup2(in[0], STDIN_FILENO);
      dup2(out[1], STDOUT_FILENO);
      dup2(out[1], STDERR_FILENO);
      execv(path.c_str(), argv.data());
      _exit(127);
    }
    ::close(in[0]);
    ::close(out[1]);
    in_ = in[1];
    out_ = fdopen(out[0], "r");
  }
  ~Program() {
    if (pid_ > 0) {
      kill(pid_, SIGKILL);
      status();
    }
    fclose(out_);
    ::close(in_);
  }
  Program(const Program&) = delete;
  Program& operator=(const Program&) = delete;

  std::string line() {
    std::array<char, 512> text{};
    return fgets(text.data(), text.size(), out_) == nullptr ? "" : text.data();
  }
  /// What it reads from its standard input.
  void type(std::string_view text) {
    EXPECT_EQ(write(in_, text.data(), text.size()), static_cast<ssize_t>(text.size()));
  }
  void stop(int signal) { kill(pid_, signal); }
  int status() {
    int status = 0;
    waitpid(std::exchange(pid_, 0), &status, 0);
    return WIFEXITED(status) ? WEXITSTATUS(status) : -WTERMSIG(status);
  }

 private:
  pid_t pid_ = 0;
  int in_ = -1;
  FILE* out_ = nullptr;
};

inline os::Endpoint listening(Program& program) {
  const std::string line = program.line();
  const std::string expected = "listening 127.0.0.1:";
  EXPECT_EQ(line.substr(0, expected.size()), expected);
  return {.port = static_cast<uint16_t>(std::atoi(line.c_str() + std::min(line.size(), expected.size())))};
}

inline std::string output_of(const std::string& command) {
  FILE* pipe = popen(command.c_str(), "re");
  std::string text;
  std::array<char, 512> piece{};
  while (size_t got = fread(piece.data(), 1, piece.size(), pipe)) text.append(piece.data(), got);
  pclose(pipe);
  return text;
}

inline bool available(const std::string& program) { return !output_of("command -v " + program).empty(); }

}  // namespace wakepath::server
