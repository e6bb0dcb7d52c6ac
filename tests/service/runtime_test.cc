#include <atomic>
#include <stdexcept>
#include <thread>

#include "src/os/forwarding_os.hh"
#include "src/service/echo.hh"
#include "tests/service/fixture.hh"

namespace wakepath::service {
namespace {

TEST_F(RuntimeTest, ARequestIsAnswered) {
  run();
  const Handle twice = launch([](Scripted& service) {
    service.request = [](Scripted& self, Message& message) { self.respond(message, message.text + message.text); };
  });
  const Handle asker = launch([&](Scripted& service) {
    service.response = [&](Scripted&, Message& message) {
      heard_.add(std::to_string(message.session) + " " + message.text + " from " + std::to_string(message.source));
    };
  });
  EXPECT_EQ(ask(twice, "ab", asker, 5), 0);
  EXPECT_TRUE(heard_.wait_for("5 abab from " + std::to_string(twice)));
}

TEST_F(RuntimeTest, WhoThrowsIsLoggedGoesOnAndTakesNobodyWithHim) {
  run();
  const Handle thrower = launch([&](Scripted& service) {
    service.request = [](Scripted& self, Message& message) {
      if (message.text == "throw") throw std::runtime_error("a made-up mishap");
      self.respond(message, "still here");
    };
  });
  const Handle asker = launch([&](Scripted& service) {
    service.response = [&](Scripted&, Message& message) {
      heard_.add((message.kind == MessageKind::failure ? "failure " : "answer ") + message.text);
    };
  });
  ask(thrower, "throw", asker, 1);
  EXPECT_TRUE(heard_.wait_for("failure a made-up mishap"));
  ask(thrower, "go on", asker, 2);
  EXPECT_TRUE(heard_.wait_for("answer still here"));
  EXPECT_TRUE(log_.wait_for("on_request has thrown: a made-up mishap"));
}

TEST_F(RuntimeTest, CallbacksOfOneServiceNeverOverlapAndNoneIsLost) {
  run({.workers = 4});
  std::atomic<int> inside{0}, overlaps{0}, last{0};
  constexpr int kSenders = 3, kEach = 3000;
  const Handle target = launch([&](Scripted& service) {
    service.request = [&, seen = 0](Scripted&, Message&) mutable {
      if (++inside != 1) ++overlaps;
      --inside;
      if (++seen == kSenders * kEach) heard_.add("all");
    };
  });
  std::vector<int> senders;
  for (int i = 0; i < kSenders; ++i)
    senders.push_back(os_.thread_start("sender", [&] {
      for (int n = 0; n < kEach; ++n) ask(target, "x");
    }));
  for (const int sender : senders) os_.thread_join(sender);
  EXPECT_TRUE(heard_.wait_for("all"));
  runtime_->stop();
  EXPECT_EQ(overlaps, 0);
}

TEST_F(RuntimeTest, ABlockedServiceHoldsUpNobodyElseAndTheMonitorNamesIt) {
  run({.workers = 2, .monitor_period_ns = 2'000'000});
  std::atomic<bool> release{false};
  const Handle blocked = launch([&](Scripted& service) {
    service.request = [&](Scripted& self, Message&) {
      while (!release) self.runtime().os().sleep_ns(100'000);
    };
  });
  launch_as<EchoService>();
  ask(blocked, "block");
  Client client(endpoint());
  client.send("hello");
  EXPECT_EQ(client.receive(5), "hello");
  EXPECT_TRUE(log_.wait_for(std::to_string(blocked) + ": may be stuck"));
  release = true;
  runtime_->stop();
}

TEST_F(RuntimeTest, OfASocketWhoseServiceIsBlockedNoMoreIsReadThanItsQueueMayHold) {
  constexpr size_t kLimit = 256 * 1024, kFlood = 8 * 1024 * 1024, kOneRead = 64 * 1024;
  run({.mailbox_limit = kLimit});
  std::atomic<bool> go_on{false};
  std::atomic<size_t> got{0};
  std::atomic<server::SocketId> socket{0};
  launch([&](Scripted& service) {
    service.at_start = [](Scripted& self, std::string&) {
      const server::Opened listening = self.runtime().listen(self.self(), "127.0.0.1", 0, {.starts_accepted = true});
      self.sockets().start(self.self(), listening.id);
      return listening.error;
    };
    service.accept = [&](Scripted&, server::Message& message) { socket = message.accepted; };
    service.data = [&](Scripted& self, server::Message& message) {
      while (!go_on) self.runtime().os().sleep_ns(100'000);
      if ((got += message.data.size()) == kFlood) heard_.add("all");
    };
  });
  Client client(endpoint());
  std::thread sender([&] { client.send(pattern(kFlood)); });
  while (socket == 0 || !runtime_->sockets().held(socket)) os_.sleep_ns(100'000);
  EXPECT_LE(runtime_->sockets().info(socket).read, 2 * kLimit + 2 * kOneRead) << "in the callback's hands, and waiting";
  go_on = true;
  EXPECT_TRUE(heard_.wait_for("all"));
  sender.join();
  while (!runtime_->sockets().info(socket).reading) os_.sleep_ns(100'000);
  runtime_->stop();
}

TEST_F(RuntimeTest, TimeoutsComeInTheOrderOfTheirTimes) {
  run();
  launch([&](Scripted& service) {
    service.at_start = [](Scripted& self, std::string&) {
      self.runtime().timeout(self.self(), 3, 6'000'000);
      self.runtime().timeout(self.self(), 2, 3'000'000);
      self.runtime().timeout(self.self(), 1, 0);
      return 0;
    };
    service.timed = [&](Scripted&, Session session) { heard_.add(std::to_string(session)); };
  });
  EXPECT_TRUE(heard_.wait_count(3));
  EXPECT_EQ(heard_.lines(), (std::vector<std::string>{"1", "2", "3"}));
}

TEST_F(RuntimeTest, AnOverloadedServiceIsNamedAtEachDoubling) {
  run();
  std::atomic<bool> release{false};
  const Handle slow = launch([&](Scripted& service) {
    service.request = [&](Scripted& self, Message& message) {
      while (!release) self.runtime().os().sleep_ns(100'000);
      if (message.text == "last") heard_.add("last");
    };
  });
  for (int i = 0; i < 3000; ++i) ask(slow, "more");
  ask(slow, "last");
  release = true;
  EXPECT_TRUE(heard_.wait_for("last"));
  runtime_->stop();
  EXPECT_EQ(log_.lines().size(), 2U) << "at 1024 and 2048";
}

TEST_F(RuntimeTest, AKilledServiceLosesItsSocketsAndItsAskersHearOfIt) {
  run();
  std::atomic<bool> release{false};
  const Handle echo = launch_as<EchoService>();
  Client client(endpoint());
  client.send("hello");
  EXPECT_EQ(client.receive(5), "hello");
  EXPECT_EQ(runtime_->kill(echo), 0);
  EXPECT_EQ(client.receive_end(), 0) << "the connection ends";
  EXPECT_EQ(runtime_->kill(echo), -ESRCH);

  const Handle busy = launch([&](Scripted& service) {
    service.request = [&](Scripted& self, Message&) {
      heard_.add("busy");
      while (!release) self.runtime().os().sleep_ns(100'000);
    };
    service.at_end = [&] { heard_.add("end"); };
  });
  const Handle asker = launch(
      [&](Scripted& service) { service.response = [&](Scripted&, Message& message) { heard_.add(message.text); }; });
  EXPECT_NE(busy, echo) << "the same place, another handle";
  ask(busy, "first");
  EXPECT_TRUE(heard_.wait_for("busy"));
  ask(busy, "second", asker, 1);
  EXPECT_EQ(runtime_->kill(busy), 0);
  release = true;
  EXPECT_TRUE(heard_.wait_for("the service is gone"));
  EXPECT_TRUE(heard_.wait_for("end"));
}

TEST_F(RuntimeTest, AConnectionAcceptedForADeadServiceIsClosed) {
  run();
  // Its socket is not closed with it, since it is handed to it only after its death.
  const Handle owner = launch([](Scripted&) {});
  const server::Opened listening = runtime_->listen(owner, "127.0.0.1", 0, {});
  runtime_->kill(owner);
  while (runtime_->send(owner, {.kind = MessageKind::response}) == 0) continue;
  runtime_->sockets().start(owner, listening.id);
  Client client;
  if (client.connect(*listening.address.ipv4()) < 0) return;  // the listener is gone already
  EXPECT_LE(client.receive_end(), 0);
}

TEST_F(RuntimeTest, NamesBelongToOneServiceAtATime) {
  run();
  const Handle first = launch([](Scripted&) {}, "kitchen");
  EXPECT_EQ(runtime_->find("kitchen"), first);
  EXPECT_EQ(runtime_->launch(std::make_unique<Scripted>(), "kitchen").error, -EEXIST);
  EXPECT_EQ(runtime_->find("cellar"), 0U);
}

TEST_F(RuntimeTest, AServiceThatCannotStartIsNoService) {
  run();
  launch_as<EchoService>();
  const Launched second = runtime_->launch(std::make_unique<EchoService>(ListenAt{.port = endpoint().port}));
  EXPECT_EQ(second.error, -EADDRINUSE);
  EXPECT_EQ(second.handle, 0U);
  auto throws = std::make_unique<Scripted>();
  throws->at_start = [](Scripted&, std::string&) -> int { throw std::runtime_error("no luck"); };
  EXPECT_EQ(runtime_->launch(std::move(throws)).why, "no luck");
  EXPECT_EQ(runtime_->list().size(), 1U);
}

/// Counts what wakes a thread: returns from waiting, of whatever kind.
class CountingOs : public os::ForwardingOs {
 public:
  using ForwardingOs::ForwardingOs;
  std::atomic<int> timed_waits{0}, unparks{0};
  int park(std::atomic<uint32_t>& word, uint32_t expected, int64_t timeout_ns) override {
    if (timeout_ns >= 0) ++timed_waits;
    return inner_.park(word, expected, timeout_ns);
  }
  int unpark(std::atomic<uint32_t>& word, int count) override {
    ++unparks;
    return inner_.unpark(word, count);
  }
  int epoll_wait(int epfd, epoll_event* events, int max_events, int timeout_ms) override {
    if (timeout_ms > 0) ++timed_waits;
    return inner_.epoll_wait(epfd, events, max_events, timeout_ms);
  }
};

class CountedRuntimeTest : public RuntimeTest {
 protected:
  CountingOs counting_{os_};
};

TEST_F(CountedRuntimeTest, NobodyWakesUpWithoutAReason) {
  run_on(counting_, {.workers = 4});
  launch_as<EchoService>();
  EXPECT_LE(counting_.timed_waits, 1) << "the monitor looks once more after something was done";
}

TEST_F(CountedRuntimeTest, AQuickServiceAnswersWithoutWakingAnotherThread) {
  run_on(counting_, {.workers = 4});
  launch_as<EchoService>();
  Client client(endpoint());
  client.send("hello");
  EXPECT_EQ(client.receive(5), "hello");
  const int before = counting_.unparks;
  for (int i = 0; i < 100; ++i) {
    client.send("hello");
    EXPECT_EQ(client.receive(5), "hello");
  }
  EXPECT_LE(counting_.unparks - before, 1) << "the monitor's, once a period";
}

TEST_F(RuntimeTest, WithoutThatTheWorkersAnswer) {
  run({.workers = 2, .in_place = false});
  launch_as<EchoService>();
  std::vector<Client> clients;
  for (int i = 0; i < 20; ++i) clients.emplace_back(endpoint());
  for (int round = 0; round < 20; ++round) {
    for (Client& client : clients) client.send("round " + std::to_string(round));
    for (Client& client : clients)
      EXPECT_EQ(client.receive(6 + std::to_string(round).size()), "round " + std::to_string(round));
  }
}

TEST_F(RuntimeTest, StoppingUnderLoadHandlesWhatHasArrived) {
  run();
  std::atomic<int> handled{0};
  const Handle counter = launch([&](Scripted& service) { service.request = [&](Scripted&, Message&) { ++handled; }; });
  int sent = 0;
  for (int i = 0; i < 5000; ++i) sent += ask(counter, "x") == 0 ? 1 : 0;
  runtime_->stop();
  EXPECT_EQ(handled, sent);
  EXPECT_EQ(ask(counter, "x"), -ESHUTDOWN);
}

}  // namespace
}  // namespace wakepath::service
