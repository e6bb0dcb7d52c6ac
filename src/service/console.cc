#include "src/service/console.hh"

#include <charconv>
#include <utility>

#include "src/service/runtime.hh"

namespace wakepath::service {

namespace {

constexpr std::string_view kHelp =
    "list           services: handle, name, messages handled, thrown, microseconds busy, messages waiting\n"
    "stat           sockets: id, owner, kind, state, address, bytes read and written, bytes waiting to be sent\n"
    "close ID       close a socket when all is sent\n"
    "pause ID       read no more from a socket, until: resume ID\n"
    "kill SERVICE   end a service and close its sockets\n"
    "quit           end this connection\n";

std::string list(Runtime& runtime) {
  std::string text;
  for (const ServiceInfo& service : runtime.list())
    text += std::to_string(service.handle) + " " + service.name + " " + std::to_string(service.messages) + " " +
            std::to_string(service.errors) + " " + std::to_string(service.busy_ns / 1000) + " " +
            std::to_string(service.waiting) + "\n";
  return text;
}

std::string stat(Runtime& runtime) {
  std::string text;
  for (const server::SocketInfo& socket : runtime.sockets().info())
    text += std::to_string(socket.id) + " " + std::to_string(socket.owner) + " " + socket.kind + " " +
            std::string(server::name_of(socket.state)) + " " + (socket.address.empty() ? "-" : socket.address) + " " +
            std::to_string(socket.read) + " " + std::to_string(socket.written) + " " + std::to_string(socket.waiting) +
            "\n";
  return text;
}

std::string help(Runtime& runtime) {
  std::string text(kHelp);
  for (const HostCommand& command : runtime.host_commands()) text += command.help;
  return text;
}

}  // namespace

std::string console_answer(Runtime& runtime, std::string_view line) {
  const size_t blank = line.find(' ');
  const std::string_view word = line.substr(0, blank);
  const std::string_view argument = blank == std::string_view::npos ? "" : line.substr(blank + 1);
  if (word == "list" && argument.empty()) return list(runtime);
  if (word == "stat" && argument.empty()) return stat(runtime);
  if (word == "help" && argument.empty()) return help(runtime);
  for (const HostCommand& command : runtime.host_commands())
    if (command.word == word) return command.run(argument);
  const bool socket = word == "close" || word == "pause" || word == "resume";
  if (!socket && word != "kill") return "found \"" + std::string(word) + "\", expected a command (help lists them)\n";
  uint64_t id = 0;
  const auto [end, error] = std::from_chars(argument.data(), argument.data() + argument.size(), id);
  if (error != std::errc() || end != argument.data() + argument.size())
    return std::string(word) + ": found \"" + std::string(argument) + "\", expected a number\n";
  if (word == "kill") return runtime.kill(static_cast<Handle>(id)) == 0 ? "ok\n" : "there is no such service\n";
  const server::SocketInfo info = runtime.sockets().info(id);
  if (info.id == 0) return "there is no such socket\n";
  if (word == "close") runtime.sockets().close(id);
  if (word == "pause") runtime.sockets().pause(id);
  if (word == "resume") runtime.sockets().start(info.owner, id);
  return "ok\n";
}

int ConsoleService::start(std::string&) {
  where_.options.starts_accepted = true;
  const server::Opened listening = sockets().listen(self(), where_.host, where_.port, where_.options);
  if (listening.error < 0) return listening.error;
  listener_ = listening.id;
  sockets().start(self(), listener_);
  log("the console listens on " + listening.address.to_string());
  return 0;
}

void ConsoleService::on_accept(server::Message& message) { lines_[message.accepted]; }

void ConsoleService::on_data(server::Message& message) {
  const auto found = lines_.find(message.id);
  if (found == lines_.end()) return;
  std::string& line = found->second;
  line += message.data.view();
  for (size_t end = 0; (end = line.find('\n')) != std::string::npos;) {
    std::string command = line.substr(0, end);
    line.erase(0, end + 1);
    if (!command.empty() && command.back() == '\r') command.pop_back();
    if (command == "quit") return on_close(message);
    if (!command.empty()) sockets().send(message.id, console_answer(runtime(), command));
  }
  if (line.size() > kLongestLine) on_close(message);
}

void ConsoleService::on_close(server::Message& message) {
  lines_.erase(message.id);
  sockets().close(message.id);
}

void ConsoleService::on_error(server::Message& message) {
  if (message.id == listener_) return log(message.text);
  lines_.erase(message.id);
  sockets().shutdown(message.id);
}

}  // namespace wakepath::service
