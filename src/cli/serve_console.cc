#include "src/cli/serve_console.hh"

#include <fmt/core.h>
#include <unistd.h>

#include <cstdio>
#include <string_view>

namespace wakepath::cli {

void InputConsole::read() {
  char bytes[4096];
  const ssize_t size = ::read(kInput, bytes, sizeof bytes);
  ended_ = size <= 0;
  if (ended_) return;
  rest_.append(bytes, static_cast<std::size_t>(size));
  for (std::size_t end = 0; (end = rest_.find('\n')) != std::string::npos; rest_.erase(0, end + 1))
    if (end > 0) fmt::print("{}", session_.console(std::string_view(rest_).substr(0, end)));
  std::fflush(stdout);
}

}  // namespace wakepath::cli
