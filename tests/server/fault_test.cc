// Every call of a short conversation fails once, with each error that it may have: whatever becomes of that
// conversation, the server goes on, the next one is served, and nothing leaks.

#include "tests/server/server_fixture.hh"

namespace wakepath::server {
namespace {

/// The running kernel, but the call number `fail_at` fails with the error number `variant` of its kind.
class OneFault : public os::ForwardingOs {
 public:
  using ForwardingOs::ForwardingOs;
  int fail_at = -1;
  size_t variant = 0;
  std::string failed;  ///< what did, once it has

  int socket(int domain, int type, int protocol) override {
    const int error = fault("socket", {EMFILE, ENOBUFS});
    return error != 0 ? error : inner_.socket(domain, type, protocol);
  }
  int accept4(int fd, sockaddr* address, socklen_t* size, int flags) override {
    const int error = fault("accept4", {ECONNABORTED, EMFILE, ENOMEM, EINTR, EPROTO});
    return error != 0 ? error : inner_.accept4(fd, address, size, flags);
  }
  int connect(int fd, const sockaddr* address, socklen_t size) override {
    const int error = fault("connect", {EINTR, ENETUNREACH, EADDRNOTAVAIL});
    if (error != -EINTR && error != 0) return error;
    const int result = inner_.connect(fd, address, size);
    return error == 0 ? result : error;  // an interrupted connect goes on
  }
  int getsockname(int fd, sockaddr* address, socklen_t* size) override {
    const int error = fault("getsockname", {ENOBUFS});
    return error != 0 ? error : inner_.getsockname(fd, address, size);
  }
  int getsockopt(int fd, int level, int option, void* value, socklen_t* size) override {
    const int error = fault("getsockopt", {ENOBUFS});
    return error != 0 ? error : inner_.getsockopt(fd, level, option, value, size);
  }
  int setsockopt(int fd, int level, int option, const void* value, socklen_t size) override {
    const int error = fault("setsockopt", {ENOMEM});
    return error != 0 ? error : inner_.setsockopt(fd, level, option, value, size);
  }
  ssize_t recv(int fd, void* data, size_t size, int flags) override {
    const int error = fault("recv", {EINTR, ECONNRESET, ENOMEM, ETIMEDOUT, EAGAIN});
    return error != 0 ? error : inner_.recv(fd, data, size, flags);
  }
  ssize_t send(int fd, const void* data, size_t size, int flags) override {
    const int error = fault("send", {EINTR, EPIPE, ECONNRESET, ENOBUFS, EAGAIN});
    return error != 0 ? error : inner_.send(fd, data, size, flags);
  }
  ssize_t read(int fd, void* data, size_t size) override {
    const int error = fault("read", {EINTR, EAGAIN});
    return error != 0 ? error : inner_.read(fd, data, size);
  }
  ssize_t write(int fd, const void* data, size_t size) override {
    const int error = fault("write", {EINTR});
    return error != 0 ? error : inner_.write(fd, data, size);
  }
  int epoll_ctl(int epfd, int operation, int fd, epoll_event* event) override {
    const int error = fault("epoll_ctl", {ENOMEM, ENOSPC});
    return error != 0 ? error : inner_.epoll_ctl(epfd, operation, fd, event);
  }
  int epoll_wait(int epfd, epoll_event* events, int max_events, int timeout_ms) override {
    const int error = fault("epoll_wait", {EINTR});
    return error != 0 ? error : inner_.epoll_wait(epfd, events, max_events, timeout_ms);
  }

 private:
  int fault(const char* name, std::initializer_list<int> errors) {
    if (calls_++ != fail_at || variant >= errors.size()) return 0;
    const int error = *(errors.begin() + variant);
    failed = std::string(name) + " " + strerrorname_np(error);
    return -error;
  }
  std::atomic<int> calls_{0};
};

class FaultTest : public DescriptorsStay, public testing::WithParamInterface<PollerKind> {
 protected:
  /// Handles what has happened as an echo service would, without waiting.
  void settle(SocketServer& server) {
    Message message;
    for (int quiet = 0; quiet < 3;) {  // an empty look may be an injected one
      if (!server.try_poll(message)) {
        ++quiet;
        continue;
      }
      if (message.type == MessageType::accept) server.start(kOwner, message.accepted);
      if (message.type == MessageType::data) server.send(message.id, std::move(message.data));
      if (message.type == MessageType::close) server.close(message.id);
      if (message.type == MessageType::error && server.info(message.id).state != SlotState::listen)
        server.close(message.id);
    }
  }
  /// Another thread opens the listener, so that its commands go through the pipe.
  Opened listen_from_elsewhere(os::Os& machine, SocketServer& server) {
    Opened listening;
    const int opener = machine.thread_start("opener", [&] {
      listening = server.listen(kOwner, os::Endpoint{});
      if (listening.error == 0) server.start(kOwner, listening.id);
    });
    EXPECT_EQ(machine.thread_join(opener), 0);
    settle(server);
    return listening;
  }
  /// Connects twice, from outside and by the server itself, says something, half-closes. True when all was well.
  bool converse(SocketServer& server, os::Endpoint endpoint) {
    Client client(endpoint);
    settle(server);
    const Opened own = server.connect(kOwner, endpoint);
    settle(server);
    client.send("words");
    settle(server);
    char answer[8] = {};
    const bool answered = ::recv(client.fd(), answer, sizeof answer, MSG_DONTWAIT) == 5;
    server.shutdown(own.id);
    client.finish();
    settle(server);
    const bool ended = ::recv(client.fd(), answer, sizeof answer, MSG_DONTWAIT) == 0;
    settle(server);
    return answered && ended;
  }
};
INSTANTIATE_TEST_SUITE_P(Pollers, FaultTest, both_pollers(), poller_name);

TEST_P(FaultTest, EachCallMayFailOnceAndTheNextConversationIsServed) {
  os::LinuxOs machine;
  probe::Probe probe;
  std::map<std::string, int> seen;
  bool beyond_the_end = false;
  for (int at = 0; !beyond_the_end; ++at) {
    beyond_the_end = true;
    for (size_t variant = 0; variant < 5; ++variant) {
      OneFault os(machine);
      os.fail_at = at;
      os.variant = variant;
      SocketServer server(os, probe, {.poller = GetParam()});
      if (server.open() == 0) {
        const Opened listening = listen_from_elsewhere(machine, server);
        if (listening.error == 0) {
          const bool listens = server.info(listening.id).state == SlotState::listen;
          if (listens) converse(server, *listening.address.ipv4());
          if (listens && !os.failed.empty()) {
            EXPECT_TRUE(converse(server, *listening.address.ipv4())) << "after " << os.failed << " in call " << at;
          }
        }
      }
      if (os.failed.empty()) continue;
      beyond_the_end = false;
      ++seen[os.failed];
    }
  }
  EXPECT_GE(seen.size(), 25U);
  for (const char* expected : {"accept4 EMFILE", "send EPIPE", "recv ECONNRESET", "epoll_ctl ENOMEM", "connect EINTR"})
    EXPECT_GE(seen[expected], 1) << expected;
}

}  // namespace
}  // namespace wakepath::server
