// The kqueue poller, compiled against a stand-in for <sys/event.h>, and the server on top of it. The two calls are
// imitated by means of poll(2), as far as kqueue(2) describes them for sockets and pipes.

#include <poll.h>
#include <sys/event.h>

#include <map>

#include "tests/server/server_fixture.hh"

namespace {

struct Registered {
  bool enabled = false;
  void* udata = nullptr;
};
std::map<int, std::map<std::pair<int, short>, Registered>> queues;  // by the queue's descriptor; (ident, filter)

int apply(int queue, const struct kevent& change) {
  auto& filters = queues[queue];
  const std::pair key{static_cast<int>(change.ident), change.filter};
  if ((change.flags & EV_ADD) == 0 && !filters.contains(key)) return ENOENT;
  if ((change.flags & EV_DELETE) != 0) return filters.erase(key), 0;
  Registered& registered = filters[key];
  if ((change.flags & EV_ADD) != 0) registered.udata = change.udata;
  if ((change.flags & EV_ENABLE) != 0) registered.enabled = true;
  if ((change.flags & EV_DISABLE) != 0) registered.enabled = false;
  return 0;
}

}  // namespace

int kqueue() {
  int fds[2];  // a descriptor to be the queue's
  if (pipe2(fds, O_CLOEXEC) != 0) return -1;
  ::close(fds[1]);
  queues.erase(fds[0]);
  return fds[0];
}

int kevent(int queue, const struct kevent* changes, int change_count, struct kevent* events, int event_count,
           const timespec* timeout) {
  for (int i = 0; i < change_count; ++i)
    if ((errno = apply(queue, changes[i])) != 0) return -1;
  if (event_count == 0) return 0;
  auto& filters = queues[queue];
  std::vector<pollfd> watched;
  std::vector<std::pair<short, void*>> what;
  for (auto at = filters.begin(); at != filters.end();) {
    const auto& [key, registered] = *at;
    if (fcntl(key.first, F_GETFD) == -1) {  // closing a descriptor removes its events
      at = filters.erase(at);
      continue;
    }
    const short wanted = key.second == EVFILT_READ ? POLLIN | POLLRDHUP : POLLOUT;
    if (registered.enabled) {
      watched.push_back({.fd = key.first, .events = wanted, .revents = 0});
      what.emplace_back(key.second, registered.udata);
    }
    ++at;
  }
  const int limit_ms =
      timeout == nullptr ? -1 : static_cast<int>(timeout->tv_sec * 1000 + timeout->tv_nsec / 1'000'000);
  if (poll(watched.data(), watched.size(), limit_ms) < 0) return -1;
  int count = 0;
  for (size_t i = 0; i < watched.size() && count < event_count; ++i) {
    const short is = watched[i].revents;
    if (is == 0) continue;
    const bool over = (is & (POLLHUP | POLLERR)) != 0 || (what[i].first == EVFILT_READ && (is & POLLRDHUP) != 0);
    EV_SET(&events[count++], static_cast<uintptr_t>(watched[i].fd), what[i].first, over ? EV_EOF : 0, 0, 0,
           what[i].second);
  }
  return count;
}

namespace wakepath::server {
namespace {

class KqueueServerTest : public ServerFixture {
 protected:
  KqueueServerTest() { poller_ = PollerKind::kqueue; }
};

TEST_F(KqueueServerTest, AcceptsReceivesSendsAndCloses) {
  SocketServer& server = serve();
  Client client(endpoint_);
  const SocketId id = accept();
  client.send("hello");
  Message message = poll(MessageType::data);
  EXPECT_EQ(message.data.view(), "hello");
  EXPECT_EQ(server.send(id, std::move(message.data)), 0);
  EXPECT_EQ(client.receive(5), "hello");
  client.send("last");
  client.finish();
  EXPECT_EQ(data_until_close(id), "last") << "a FIN is no hang-up: what came before it is read";
  EXPECT_EQ(server.send(id, "heard"), 0);
  server.close(id);
  EXPECT_EQ(client.receive(10), "heard");
}

TEST_F(KqueueServerTest, DrainsWhatASlowReaderHasNotTakenYet) {
  SocketServer& server = serve();
  Client client;
  client.little_room();
  ASSERT_EQ(client.connect(endpoint_), 0);
  const SocketId id = accept();
  const std::string sent = pattern(6 << 20);
  EXPECT_EQ(server.send(id, sent), 0);
  server.close(id);
  std::string received;
  const int reader = machine_.thread_start("reader", [&] { received = client.receive(sent.size() + 1); });
  EXPECT_EQ(poll_past(MessageType::warning).type, MessageType::close);
  EXPECT_EQ(machine_.thread_join(reader), 0);
  EXPECT_TRUE(received == sent);
}

TEST_F(KqueueServerTest, ConnectsAndPausesAndResumes) {
  SocketServer& server = serve();
  const Opened out = server.connect(3, endpoint_);
  SocketId accepted = 0;
  for (int i = 0; i < 2; ++i)
    if (const Message message = server.poll(); message.type == MessageType::accept) accepted = message.accepted;
  server.start(kOwner, accepted);
  poll(MessageType::open);
  server.pause(accepted);
  EXPECT_EQ(server.send(out.id, "held"), 0);
  Message message;
  EXPECT_FALSE(server.try_poll(message));
  server.start(kOwner, accepted);
  EXPECT_EQ(poll(MessageType::data).data.view(), "held");
}

TEST_F(KqueueServerTest, AResetEndsTheConnection) {
  serve();
  Client rude(endpoint_);
  const SocketId id = accept();
  rude.reset();
  EXPECT_EQ(poll(MessageType::reset).id, id);
}

TEST_F(KqueueServerTest, DatagramsGoThereAndBack) {
  SocketServer& server = open();
  const Opened here = server.udp(1, os::Endpoint{});
  const Opened there = server.udp_dial(2, here.address);
  EXPECT_EQ(server.send(there.id, "ping"), 0);
  const Message ping = poll(MessageType::udp);
  EXPECT_EQ(server.udp_send(here.id, ping.peer, "pong"), 0);
  EXPECT_EQ(poll(MessageType::udp).data.view(), "pong");
}

}  // namespace
}  // namespace wakepath::server
