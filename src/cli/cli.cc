#include "src/cli/cli.hh"

#include <CLI/CLI.hpp>

namespace wakepath::cli {

int main(int argc, char** argv) {
  CLI::App app{"Wakepath: a microscope for the Linux socket and epoll stack"};
  app.set_version_flag("--version", "wakepath 0.1.0");
  CLI11_PARSE(app, argc, argv);
  return 0;
}

}  // namespace wakepath::cli
