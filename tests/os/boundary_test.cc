#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>
#include <regex>
#include <sstream>

namespace {

/// What would go past the boundary: threads, locks, clocks, sleep, chance and system calls that Os does not see.
const std::regex kPastTheBoundary(
    R"(std::(thread|jthread|mutex|shared_mutex|recursive_mutex|condition_variable|this_thread|chrono|random_device)"
    R"(|async|future|promise|counting_semaphore|binary_semaphore|latch|barrier)\b)"
    R"(|#include <(thread|mutex|shared_mutex|condition_variable|chrono|future|semaphore|latch|barrier|random|ctime|time\.h|pthread\.h|unistd\.h|poll\.h)>)"
    R"(|\b(pthread_\w+|clock_gettime|gettimeofday|u?sleep|(clock_)?nano)" R"(sleep|getrandom|syscall)\s*\()"
    R"(|(^|[^\w:>.])::(socket|bind|listen|accept4?|connect|getsockname|getpeername|[gs]etsockopt|shutdown|close|read|write)"
    R"(|send|recv|fcntl|pipe2?|epoll_\w+)\s*\()");

std::string first_breach(const std::string& text) {
  std::istringstream lines(text);
  std::string line;
  for (int number = 1; std::getline(lines, line); ++number) {
    const std::string code = line.substr(0, line.find("//"));
    if (std::regex_search(code, kPastTheBoundary)) return std::to_string(number) + ": " + line;
  }
  return "";
}

TEST(Boundary, TheServerAndItsServicesReachTheMachineThroughOsAlone) {
  int files = 0;
  for (const char* folder : {"src/server", "src/service"}) {
    const std::filesystem::path root = std::filesystem::path(WAKEPATH_SOURCE_DIR) / folder;
    if (!std::filesystem::exists(root)) continue;
    for (const auto& entry : std::filesystem::recursive_directory_iterator(root)) {
      if (entry.path().extension() != ".cc" && entry.path().extension() != ".hh") continue;
      ++files;
      std::ifstream file(entry.path());
      std::ostringstream text;
      text << file.rdbuf();
      EXPECT_EQ(first_breach(text.str()), "") << entry.path();
    }
  }
  EXPECT_GT(files, 10);
}

TEST(Boundary, TheCheckSeesABreach) {
  for (const char* breach :
       {"std::mutex lock_;", "#include <thread>", "  ::close(fd);", "return ::recv(fd, p, n, 0);",
        "clock_gettime(CLOCK_MONOTONIC, &now);", "std::chrono::seconds(1)", "std::this_thread::yield();"})
    EXPECT_NE(first_breach(breach), "") << breach;
  for (const char* fine :
       {"os_.close(fd);", "os::Mutex lock_;", "server::close(id);", "// std::mutex", "Slots::close();"})
    EXPECT_EQ(first_breach(fine), "") << fine;
}

}  // namespace
