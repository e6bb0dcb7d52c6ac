#pragma once

#include <map>
#include <string>

#include "src/service/listening.hh"
#include "src/service/service.hh"

namespace wakepath::service {

/// A room for people with nc: each line that one sends, all the others get, with a number for the sender. The first
/// client is 1. Who sends a line of more than kLongestLine bytes, or reads too slowly, is asked to leave.
class ChatService final : public Service {
 public:
  static constexpr size_t kLongestLine = 4096;

  explicit ChatService(ListenAt where = {}) : where_(std::move(where)) {}

  std::string_view name() const override { return "chat"; }
  int start(std::string& why) override;
  void on_accept(server::Message& message) override;
  void on_data(server::Message& message) override;
  void on_close(server::Message& message) override;
  void on_error(server::Message& message) override;
  void on_warning(server::Message& message) override;

 private:
  struct Guest {
    uint64_t number = 0;
    std::string line;  // what has come of it
  };
  void tell_others(server::SocketId sender, const std::string& text);
  void leave(server::SocketId id, bool now);

  ListenAt where_;
  server::SocketId listener_ = 0;
  uint64_t last_number_ = 0;
  std::map<server::SocketId, Guest> guests_;
};

}  // namespace wakepath::service
