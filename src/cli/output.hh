#pragma once

#include <string>
#include <string_view>

namespace wakepath::cli {

/// Exit statuses: the file or the command line is wrong; this machine lacks something.
constexpr int kWrong = 2;
constexpr int kLacking = 3;

/// Says why on standard error. Returns `status`.
int fail(int status, std::string_view why);

/// Into the file `path`; empty or "-": to standard output. 0, or kWrong after having said why not.
int write_out(const std::string& path, std::string_view bytes);

}  // namespace wakepath::cli
