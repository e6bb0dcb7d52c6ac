#include <gtest/gtest.h>

#include <cerrno>
#include <csignal>
#include <set>

#include "src/scenario/parser.hh"
#include "src/scenario/signatures.hh"

namespace wakepath::scenario {
namespace {

/// Parses or fails the test with the message.
Scenario good(const std::string& text) {
  auto parsed = parse("good.yaml", text);
  if (const auto* problem = std::get_if<Problem>(&parsed)) {
    ADD_FAILURE() << problem->text();
    return {};
  }
  return std::get<Scenario>(std::move(parsed));
}

Scenario with_steps(const std::string& steps) { return good("wakepath: 1\ntitle: t\nsteps:\n" + steps); }

/// One call in a process that has the descriptors a, b and ep.
CallStep call(const std::string& text) {
  const Scenario s = with_steps(
      "  - server: a, b = pipe2(0)\n"
      "  - server: ep = epoll_create1(0)\n"
      "  - server: '" +
      text + "'\n");
  return s.steps.size() == 3 ? s.steps[2].call : CallStep{};
}

TEST(ScenarioParser, ReadsTheTopKeys) {
  const Scenario s = good(R"(
wakepath: 1
title: {en: Title, zh: "标题"}
about: |
  Two
  lines.
level: core
lesson: {number: 3, order: 2}
references: [https://example.org/a, "https://example.org/b"]
actors:
  worker-a: {process: server}
kernel: {net.core.somaxconn: 2, device: nic, cpus: 2}
profile: 4.19
only: model
because: it needs a card
needs: [ipv6, netns]
services:
  talk: {type: echo, listen: 127.0.0.1:0}
steps:
  - say: hello
)");
  EXPECT_EQ(s.title.in("zh"), "标题");
  EXPECT_EQ(s.title.in("fr"), "Title");
  EXPECT_EQ(s.about.in("en"), "Two\nlines.\n");
  EXPECT_EQ(s.level, "core");
  EXPECT_EQ(s.lesson, std::make_pair(3L, 2L));
  EXPECT_EQ(s.references.size(), 2u);
  EXPECT_EQ(s.actors.at("worker-a"), "server");
  EXPECT_EQ(s.kernel.at("net.core.somaxconn"), "2");
  EXPECT_TRUE(s.device_nic);
  EXPECT_EQ(s.cpus, 2);
  EXPECT_EQ(s.profile, "4.19");
  EXPECT_EQ(s.only, "model");
  EXPECT_EQ(s.because.in("en"), "it needs a card");
  EXPECT_EQ(s.needs, (std::vector<std::string>{"ipv6", "netns"}));
  EXPECT_EQ(s.services.at("talk").type, "echo");
}

TEST(ScenarioParser, NumbersEveryStepAndKnowsWhereItStands) {
  const Scenario s = with_steps("  - say: one\n  - mark: two\n  - wait: 50ms\n    label: pause\n");
  ASSERT_EQ(s.steps.size(), 3u);
  EXPECT_EQ(s.steps[2].number, 3);
  EXPECT_EQ(s.steps[2].at, (Position{6, 5}));
  EXPECT_EQ(s.steps[2].wait, std::chrono::milliseconds(50));
  EXPECT_EQ(s.steps[2].label.in("en"), "pause");
}

TEST(ScenarioParser, ReadsQuestions) {
  const Scenario s = with_steps(R"(  - ask: {question: Why?, choices: [a, b, c], answer: 3, why: Because.}
  - ask: {question: Who?, pick: thread, answer: server}
  - ask: {question: What?, answer: a socket}
  - server: s = socket(AF_INET, SOCK_STREAM, 0)
)");
  EXPECT_EQ(s.steps[0].ask.choice, 3);
  EXPECT_EQ(s.steps[0].ask.choices.size(), 3u);
  EXPECT_EQ(s.steps[1].ask.pick, "thread");
  EXPECT_EQ(s.steps[2].ask.answer.in("en"), "a socket");
}

TEST(ScenarioParser, ReadsDataWithEscapesAndRepetition) {
  EXPECT_EQ(call(R"(write(b, "a\n\x00\"z"))").args[1].bytes, std::string("a\n\0\"z", 5));
  EXPECT_EQ(call(R"(write(b, "ab"*3))").args[1].bytes, "ababab");
  EXPECT_EQ(call("write(b, u64(3)) = 8").args[1].bytes, std::string("\3\0\0\0\0\0\0\0", 8));
}

TEST(ScenarioParser, ReadsAddresses) {
  const Arg v4 = call("bind(a, 10.1.2.3:80)").args[1];
  EXPECT_EQ(v4.literal.family, Address::Family::ipv4);
  EXPECT_EQ(v4.literal.ip[3], 3);
  EXPECT_EQ(v4.literal.port, 80);
  const Arg v6 = call("bind(a, [::1]:0)").args[1];
  EXPECT_EQ(v6.literal.family, Address::Family::ipv6);
  EXPECT_EQ(v6.literal.ip[15], 1);
  EXPECT_EQ(call("bind(a, unix:@there)").args[1].literal.name, "there");
  EXPECT_EQ(call("connect(a, AF_UNSPEC)").args[1].literal.family, Address::Family::unspecified);
  EXPECT_EQ(call("connect(a, addr(server.b))").args[1].process, "server");
  EXPECT_EQ(call("connect(a, peer(b))").args[1].kind, Arg::Kind::peer_of);
}

TEST(ScenarioParser, ReadsResults) {
  const auto result = [](const std::string& text) { return call(text).results.at(0); };
  EXPECT_EQ(result("read(a, 9) = blocks").kind, Result::Kind::blocks);
  EXPECT_EQ(result("read(a, 9) = ?").kind, Result::Kind::anything);
  EXPECT_EQ(result("read(a, 9) = -1 EWOULDBLOCK").error, EAGAIN);
  EXPECT_EQ(result("write(a, \"x\") = 1..8").high, 8);
  EXPECT_EQ(result("read(a, 9) = 2 \"hi\"").data->bytes, "hi");
  EXPECT_EQ(result("recvfrom(a, 9, 0) = 2 \"hi\" 127.0.0.1:9").address->literal.port, 9);
  EXPECT_EQ(result("getsockopt(a, SOL_SOCKET, SO_LINGER) = 0 {1, 0}").value->numbers, (std::vector<int>{1, 0}));
  EXPECT_EQ(result("fcntl(a, F_GETFL) = O_RDWR|O_NONBLOCK").low, 04002);
  const Result events = result("epoll_wait(ep, 8, 0) = 2 [{EPOLLIN|EPOLLOUT, a}, {EPOLLHUP, 7}]");
  EXPECT_EQ(events.events->items[0].number, 5);
  EXPECT_EQ(events.events->items[1].token, "7");
  EXPECT_TRUE(result("epoll_wait(ep, 8, 0) = 0 []").events->items.empty());
}

TEST(ScenarioParser, ReadsEveryCallOfTheFormat) {
  const std::vector<std::string> calls = {"c = socket(AF_INET, SOCK_STREAM|SOCK_NONBLOCK, 0)",
                                          "bind(a, 127.0.0.1:0)",
                                          "listen(a, 8)",
                                          "c = accept(a)",
                                          "c = accept4(a, SOCK_NONBLOCK)",
                                          "connect(a, addr(b))",
                                          "read(a, 8)",
                                          "write(a, \"x\")",
                                          "readv(a, [1, 2])",
                                          "writev(a, [\"x\", \"y\"])",
                                          "send(a, \"x\")",
                                          "send(a, \"x\", MSG_DONTWAIT)",
                                          "recv(a, 1, MSG_PEEK)",
                                          "sendto(a, \"x\", 0, 127.0.0.1:9)",
                                          "recvfrom(a, 8, 0)",
                                          "sendmsg(a, [\"x\"], rights=[b])",
                                          "recvmsg(a, 8) = 1 \"x\" rights=[z]",
                                          "shutdown(a, SHUT_WR)",
                                          "close(a)",
                                          "fcntl(a, F_SETFL, O_NONBLOCK)",
                                          "ioctl(a, FIONREAD) = 0 3",
                                          "getsockname(a) = 0 127.0.0.1:?1",
                                          "getpeername(a) = 0 addr(b)",
                                          "setsockopt(a, SOL_SOCKET, SO_LINGER, {1, 0})",
                                          "getsockopt(a, IPPROTO_TCP, TCP_NODELAY) = 0 1",
                                          "r, w = pipe2(O_NONBLOCK)",
                                          "x, y = socketpair(AF_UNIX, SOCK_STREAM, 0)",
                                          "e = eventfd(0, EFD_NONBLOCK)",
                                          "m = memfd_create(\"notes\", MFD_CLOEXEC)",
                                          "lseek(a, -1, SEEK_END)",
                                          "d = dup(a)",
                                          "dup2(a, 9)",
                                          "dup3(a, 9, O_CLOEXEC)",
                                          "setrlimit(RLIMIT_NOFILE, 10)",
                                          "e = epoll_create1(EPOLL_CLOEXEC)",
                                          "epoll_ctl(ep, EPOLL_CTL_ADD, a, EPOLLIN, data=7)",
                                          "epoll_ctl(ep, EPOLL_CTL_DEL, a)",
                                          "epoll_wait(ep, 8, -1)",
                                          "epoll_pwait(ep, 8, -1, [SIGUSR1])",
                                          "poll([{a, POLLIN}, {b, POLLOUT}], 0) = 1 [{POLLOUT, b}]",
                                          "ppoll([{a, POLLIN}], 0)",
                                          "select([a], [b], [], 0)",
                                          "t = timerfd_create(CLOCK_MONOTONIC, TFD_NONBLOCK)",
                                          "timerfd_settime(a, 10ms, 0)",
                                          "s = signalfd4([SIGUSR1], 0)",
                                          "sigprocmask(SIG_BLOCK, [SIGUSR1])",
                                          "fork(child)",
                                          "thread(other)",
                                          "execve()",
                                          "exit()"};
  std::set<Call> seen;
  for (const std::string& text : calls) {
    const CallStep step = call(text);
    ASSERT_NE(step.signature, nullptr) << text;
    seen.insert(step.signature->call);
  }
  EXPECT_EQ(seen.size(), signatures().size());
}

TEST(ScenarioParser, ReadsPointersToNowhere) {
  EXPECT_EQ(call("bind(a, NULL)").args[1].pointer, Pointer::null);
  EXPECT_EQ(call("poll(OUTSIDE, 0)").args[0].pointer, Pointer::outside);
  const Arg data = call("send(a, NULL * 8)").args[1];
  EXPECT_EQ(data.pointer, Pointer::null);
  EXPECT_EQ(data.bytes.size(), 8u);
  const std::vector<Arg> room = call("readv(a, [3, OUTSIDE])").args[1].items;
  EXPECT_EQ(room[0].pointer, Pointer::good);
  EXPECT_EQ(room[1].pointer, Pointer::outside);
  EXPECT_EQ(room[1].number, 1);
  const CallStep both = call("getsockname(a, len=NULL, addr=OUTSIDE)");
  EXPECT_EQ(both.keywords.at("addr").pointer, Pointer::outside);
  EXPECT_EQ(both.keywords.at("len").pointer, Pointer::null);
  EXPECT_TRUE(call("pipe2(0, fds=NULL)").targets.empty());
  EXPECT_EQ(call("timerfd_settime(a, NULL)").args.size(), 2u);
}

TEST(ScenarioParser, ReadsStatements) {
  const auto statement = [](const std::string& text) {
    return with_steps("  - server: a = dup(0)\n  - server: b = dup(0)\n  - expect: " + text + "\n").steps.at(2).expect;
  };
  EXPECT_EQ(statement("a.state == ESTABLISHED").right.word, "ESTABLISHED");
  EXPECT_EQ(statement("len(a.items) >= 2").left.kind, Term::Kind::length);
  EXPECT_EQ(statement("b not in a.ready_list").op, Expectation::Op::not_in);
  EXPECT_EQ(statement("server.a.recv_bytes < b.send_bytes").left.process, "server");
  EXPECT_TRUE(statement("model.a.sk.sk_ack_backlog == 1").left.model);
  EXPECT_EQ(statement("server.blocked_in == none").right.word, "none");
}

TEST(ScenarioParser, ReadsWhatOnlyTheModelDoes) {
  const Scenario s = with_steps(R"(  - server: a, b = pipe2(0)
  - wire: {drop: 1, delay: 20ms, reorder: 1, from: a}
  - signal: {to: server, name: SIGUSR1, restart: true}
  - fault: {actor: server, call: accept4, error: EMFILE, times: 2}
)");
  EXPECT_EQ(s.steps[1].wire.delay, std::chrono::milliseconds(20));
  EXPECT_EQ(s.steps[2].signal.number, SIGUSR1);
  EXPECT_EQ(s.steps[3].fault.error, EMFILE);
}

TEST(ScenarioParser, ForkCopiesNamesAndThreadSharesThem) {
  const Scenario s = with_steps(R"(  - server: a, b = pipe2(0)
  - server: fork(child)
  - child: close(a)
  - server: thread(helper)
  - helper: c = dup(b)
  - server: close(c)
)");
  EXPECT_EQ(s.steps.size(), 6u);
}

}  // namespace
}  // namespace wakepath::scenario
