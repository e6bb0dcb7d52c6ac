#include "src/cli/output.hh"

#include <fmt/format.h>

#include <cerrno>
#include <cstring>
#include <fstream>
#include <iostream>

namespace wakepath::cli {

int fail(int status, std::string_view why) {
  fmt::print(stderr, "{}\n", why);
  return status;
}

int write_out(const std::string& path, std::string_view bytes) {
  if (path.empty() || path == "-") {
    std::cout.write(bytes.data(), static_cast<std::streamsize>(bytes.size())).flush();
    return 0;  // main() looks whether it arrived
  }
  std::ofstream out(path, std::ios::binary | std::ios::trunc);
  out.write(bytes.data(), static_cast<std::streamsize>(bytes.size()));
  out.close();
  return out ? 0 : fail(kWrong, fmt::format("{}: cannot be written: {}", path, std::strerror(errno)));
}

}  // namespace wakepath::cli
