#pragma once

#include <map>
#include <string>
#include <string_view>

#include "src/service/listening.hh"
#include "src/service/service.hh"

namespace wakepath::service {

/// What a command of the console does, and what it says about it: list, stat, close ID, pause ID, resume ID,
/// kill SERVICE, help, and those of RuntimeOptions::commands.
std::string console_answer(Runtime& runtime, std::string_view line);

/// A console for people with nc: each line is a command; "quit" ends the connection.
class ConsoleService final : public Service {
 public:
  explicit ConsoleService(ListenAt where = {}) : where_(std::move(where)) {}

  std::string_view name() const override { return "console"; }
  int start(std::string& why) override;
  void on_accept(server::Message& message) override;
  void on_data(server::Message& message) override;
  void on_close(server::Message& message) override;
  void on_error(server::Message& message) override;

 private:
  static constexpr size_t kLongestLine = 1024;
  ListenAt where_;
  server::SocketId listener_ = 0;
  std::map<server::SocketId, std::string> lines_;  // what has come of each
};

}  // namespace wakepath::service
