#include "src/cli/cli.hh"

#include <CLI/CLI.hpp>
#include <string>

#include "src/cli/commands.hh"

namespace wakepath::cli {

namespace {

void add_serve(CLI::App& app, ServeOptions& options, int& status) {
  CLI::App* command = app.add_subcommand("serve", "Serve real clients on 127.0.0.1 until Ctrl-C");
  command->add_option("--port", options.port, "Port to listen on; 0 takes any free one")->capture_default_str();
  command->add_option("--service", options.service, "What answers the clients")->check(CLI::IsMember({"echo"}));
  command->add_flag("--demo", options.demo, "A demo client connects and talks");
  command->add_option("--demo-pause", options.demo_pause_ms, "Milliseconds between two messages of the demo")
      ->check(CLI::Range(0, 60'000));
  command->footer("Examples:\n  wakepath serve --port 8080      then: nc 127.0.0.1 8080\n  wakepath serve --demo");
  command->callback([&] { status = serve(options); });
}

}  // namespace

int main(int argc, char** argv) {
  CLI::App app{"Wakepath: a microscope for the Linux socket and epoll stack"};
  app.set_version_flag("--version", "wakepath 0.1.0");
  int status = 0;
  ServeOptions serve_options;
  add_serve(app, serve_options, status);
  try {
    app.parse(argc, argv);
  } catch (const CLI::ParseError& error) {
    return app.exit(error) == 0 ? 0 : 2;
  }
  return status;
}

}  // namespace wakepath::cli
