#pragma once

#include <sys/socket.h>

#include <string>
#include <vector>

#include "src/os/os.hh"
#include "src/probe/probe.hh"
#include "src/server/echo_service.hh"
#include "src/server/service_loop.hh"
#include "src/server/socket_server.hh"

/// A whole program, on any machine: an echo server on its poll thread, and clients in threads of their own.
namespace wakepath::server {

struct Talk {
  int clients = 3;
  int rounds = 2;
  size_t size = 40;           ///< bytes of each message
  bool last_is_rude = false;  ///< the last client resets its connection in the middle
  PollerKind poller = PollerKind::epoll_level;
};

struct Heard {
  int error = 0;                     ///< the server could not be brought up: nobody talked
  std::vector<std::string> said;     ///< by each client, as far as send() took it
  std::vector<std::string> answers;  ///< what each client heard
  bool served_afterwards = false;  ///< when all had finished, one more client was, at the second attempt at the latest
};

/// A client over an Os that is not interfered with.
class TalkingClient {
 public:
  TalkingClient(os::Os& os, const os::SocketAddress& server) : os_(os), fd_(os.socket(AF_INET, SOCK_STREAM, 0)) {
    const auto native = server.native();
    connected_ = os_.connect(fd_, native.get(), native.size) == 0;
  }
  ~TalkingClient() { os_.close(fd_); }
  TalkingClient(const TalkingClient&) = delete;
  TalkingClient& operator=(const TalkingClient&) = delete;

  bool connected() const { return connected_; }
  /// How much of it was taken.
  size_t say(const std::string& text) {
    const ssize_t sent = os_.send(fd_, text.data(), text.size(), MSG_NOSIGNAL);
    return sent < 0 ? 0 : static_cast<size_t>(sent);
  }
  /// Exactly `size` bytes, fewer when the stream ends before.
  std::string hear(size_t size) {
    std::string out(size, '\0');
    size_t got = 0;
    while (got < size) {
      const ssize_t more = os_.recv(fd_, out.data() + got, size - got, 0);
      if (more <= 0) break;
      got += static_cast<size_t>(more);
    }
    out.resize(got);
    return out;
  }
  void finish() { os_.shutdown(fd_, SHUT_WR); }
  void reset() {
    const linger now{.l_onoff = 1, .l_linger = 0};
    os_.setsockopt(fd_, SOL_SOCKET, SO_LINGER, &now, sizeof now);
  }

 private:
  os::Os& os_;
  int fd_;
  bool connected_ = false;
};

inline std::string words_of(int client, int round, size_t size) {
  std::string text = "client " + std::to_string(client) + " round " + std::to_string(round) + ": ";
  while (text.size() < size) text += static_cast<char>('a' + text.size() % 26);
  return text;
}

inline void talk(os::Os& os, const Talk& how, const os::SocketAddress& server, int number, Heard& heard) {
  const auto at = static_cast<size_t>(number);
  TalkingClient client(os, server);
  const bool rude = how.last_is_rude && number == how.clients - 1;
  for (int round = 0; client.connected() && round < how.rounds; ++round) {
    const std::string text = words_of(number, round, how.size);
    const size_t taken = client.say(text);
    heard.said[at] += text.substr(0, taken);
    if (rude && round == how.rounds - 1) return client.reset();
    const std::string answer = client.hear(taken);
    heard.answers[at] += answer;
    if (answer.size() < text.size()) return;
  }
  client.finish();
  heard.answers[at] += client.hear(1);  // nothing but the end
}

/// `server_os` is what the server runs on: the clients' machine, perhaps with faults.
inline Heard converse(os::Os& os, os::Os& server_os, const Talk& how = {}) {
  constexpr ServiceId kEcho = 1;
  Heard heard;
  const auto count = static_cast<size_t>(how.clients);
  heard.said.resize(count);
  heard.answers.resize(count);
  probe::Probe probe;
  SocketServer server(server_os, probe, {.poller = how.poller});
  heard.error = server.open();
  if (heard.error < 0) return heard;
  EchoService echo(server, kEcho);
  ServiceLoop loop(server_os, probe, server, echo, kEcho);
  const Opened listening = server.listen(kEcho, os::Endpoint{});
  heard.error = listening.error;
  if (heard.error < 0) return heard;
  server.start(kEcho, listening.id);
  const int poller = os.thread_start("socket-server", [&] { loop.run(); });
  std::vector<int> threads;
  for (int i = 0; i < how.clients; ++i)
    threads.push_back(os.thread_start("client", [&, i] { talk(os, how, listening.address, i, heard); }));
  for (int thread : threads) os.thread_join(thread);
  for (int attempt = 0; attempt < 2 && !heard.served_afterwards; ++attempt) {
    TalkingClient last(os, listening.address);
    heard.served_afterwards = last.connected() && last.say("one more") == 8 && last.hear(8) == "one more";
  }
  server.exit();
  os.thread_join(poller);
  return heard;
}

}  // namespace wakepath::server
