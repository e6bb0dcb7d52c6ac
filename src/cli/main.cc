// The end of every command: what was printed must have arrived.

#include <cerrno>
#include <cstdio>
#include <cstring>
#include <exception>
#include <iostream>
#include <string>
#include <system_error>

#include "src/cli/cli.hh"
#include "src/cli/commands.hh"
#include "src/cli/output.hh"

namespace wakepath::cli {

namespace {

/// Why standard output is not whole; empty when it is. `known`: the error of an earlier write, when that is known.
std::string lost_output(int known) {
  errno = 0;
  std::cout.flush();  // which flushes stdout
  std::fflush(stdout);
  const int number = errno != 0 ? errno : known;
  if (std::ferror(stdout) == 0) return {};
  return number != 0 ? std::strerror(number) : "a part of it is lost";
}

}  // namespace

int main(int argc, char** argv) {
  int status = kWrong;
  int number = 0;
  std::string thrown;
  try {
    status = command_line(argc, argv);
  } catch (const std::system_error& error) {
    number = error.code().value();
    thrown = error.what();
  } catch (const std::exception& error) {
    thrown = error.what();
  }
  // fmt throws when a write fails: then the sentence about standard output says it all
  if (const std::string lost = lost_output(number); !lost.empty()) {
    std::fprintf(stderr, "wakepath: standard output cannot be written: %s\n", lost.c_str());
    return status == 0 ? kWrong : status;
  }
  if (!thrown.empty()) std::fprintf(stderr, "wakepath: %s\n", thrown.c_str());
  return status;
}

}  // namespace wakepath::cli
