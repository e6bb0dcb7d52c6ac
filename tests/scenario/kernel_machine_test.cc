// What the runner promises about the running kernel, each told as a small scenario.

#include <gtest/gtest.h>
#include <sys/wait.h>

#include <cerrno>

#include "src/scenario/kernel_run.hh"
#include "src/scenario/parser.hh"
#include "src/scenario/text_output.hh"

namespace wakepath::scenario {
namespace {

FileResult run_text(const std::string& steps, const std::string& top = "") {
  auto parsed = parse("story.yaml", "wakepath: 1\ntitle: t\n" + top + "steps:\n" + steps);
  if (const auto* problem = std::get_if<Problem>(&parsed)) {
    ADD_FAILURE() << problem->text();
    return {};
  }
  const Scenario& scenario = std::get<Scenario>(parsed);
  FileResult result = run_on_kernel(scenario, {});
  if (!result.ok && !result.skipped) {
    ADD_FAILURE() << text_report(scenario, result, {});
  }
  return result;
}

#define RUN_OR_SKIP(...)                                   \
  const FileResult result = run_text(__VA_ARGS__);         \
  if (result.unavailable) GTEST_SKIP() << *result.skipped; \
  EXPECT_TRUE(result.ok)

/// A connection: the listener lfd and its end c in the server, the other end cfd in the client.
const std::string kConnected = R"(  - server: lfd = socket(AF_INET, SOCK_STREAM, 0)
  - server: bind(lfd, 127.0.0.1:0) = 0
  - server: listen(lfd, 8) = 0
  - client: cfd = socket(AF_INET, SOCK_STREAM, 0)
  - client: connect(cfd, addr(lfd)) = 0
  - server: c = accept4(lfd, 0) = 4
)";

TEST(ScenarioKernel, EveryProcessStartsWithThreeDescriptors) {
  RUN_OR_SKIP(R"(  - server: a = socket(AF_INET, SOCK_STREAM, 0) = 3
  - client: b = socket(AF_INET, SOCK_STREAM, 0) = 3
  - server: 'write(1, "into /dev/null") = 14'
  - server: 'read(0, 8) = 0 ""'
  - server: close(4) = -1 EBADF
)");
}

TEST(ScenarioKernel, ForkCopiesTheTableAndThreadSharesIt) {
  RUN_OR_SKIP(kConnected + R"(  - server: fork(child)
  - server: close(c) = 0
  - server: 'send(c, "x") = -1 EBADF'
  - child: 'send(c, "from the child") = 14'
  - client: 'recv(cfd, 100) = 14 "from the child"'
  - child: thread(helper)
  - helper: close(c) = 0
  - client: 'recv(cfd, 100) = 0 ""'
  - child: close(c) = -1 EBADF
)");
}

TEST(ScenarioKernel, TheLastExitOfAProcessClosesItsTable) {
  RUN_OR_SKIP(kConnected + R"(  - client: recv(cfd, 8) = blocks
  - server: thread(second)
  - server: exit()
  - expect: client.blocked_in == recv
  - second: exit()
  - client: 'returns 0 ""'
)");
  EXPECT_EQ(result.entries[6].returned_after, 11);
}

TEST(ScenarioKernel, DeclaredActorsShareTheTableOfTheirProcess) {
  RUN_OR_SKIP(R"(  - worker-a: r, w = pipe2(0)
  - worker-b: read(r, 8) = blocks
  - worker-a: 'write(w, "hi") = 2'
  - worker-b: 'returns 2 "hi"'
)",
              "actors: {worker-a: {process: server}, worker-b: {process: server}}\n");
}

TEST(ScenarioKernel, ABrokenPipeIsAnErrorNotASignal) {
  RUN_OR_SKIP("  - server: r, w = pipe2(0)\n  - server: close(r)\n  - server: 'write(w, \"x\") = -1 EPIPE'\n");
}

TEST(ScenarioKernel, TimeoutsRunOutUnlessTheStepSaysBlocks) {
  RUN_OR_SKIP(kConnected + R"(  - server: ep = epoll_create1(0)
  - server: epoll_ctl(ep, EPOLL_CTL_ADD, c, EPOLLIN) = 0
  - server: epoll_wait(ep, 8, 30) = 0 []
  - server: epoll_wait(ep, 8, 300) = blocks
  - server: returns 0 []
  - server: 'poll([{c, POLLIN}], 30) = 0 []'
  - server: setsockopt(c, SOL_SOCKET, SO_RCVTIMEO, {0, 30000}) = 0
  - server: recv(c, 8) = -1 EAGAIN
)");
  EXPECT_EQ(result.entries[8].returned_after, 9) << "within its own step";
  EXPECT_EQ(result.entries[9].returned_after, 11) << "during returns";
}

TEST(ScenarioKernel, OneEventWakesTheSleepersThatWaitForIt) {
  RUN_OR_SKIP(kConnected + R"(  - server: ep = epoll_create1(0)
  - server: epoll_ctl(ep, EPOLL_CTL_ADD, c, EPOLLIN) = 0
  - server: epoll_wait(ep, 8, -1) = blocks
  - second: recv(c, 8, MSG_PEEK) = blocks
  - client: 'send(cfd, "x") = 1'
  - server: 'returns 1 [{EPOLLIN, c}]'
  - second: 'returns 1 "x"'
)",
              "actors: {second: {process: server}}\n");
}

TEST(ScenarioKernel, PrintsAddressesWithNumberedPorts) {
  RUN_OR_SKIP(kConnected + R"(  - client: getsockname(cfd) = 0 127.0.0.1:?1
  - server: getpeername(c) = 0 addr(cfd)
  - server: getpeername(c) = 0 127.0.0.1:?1
  - client: getpeername(cfd) = 0 addr(lfd)
  - server: getsockname(lfd) = 0 127.0.0.1:?2
  - server: getpeername(lfd) = -1 ENOTCONN
)");
}

TEST(ScenarioKernel, ReadsAndSetsOptions) {
  RUN_OR_SKIP(kConnected + R"(  - server: setsockopt(c, SOL_SOCKET, SO_LINGER, {1, 0}) = 0
  - server: 'getsockopt(c, SOL_SOCKET, SO_LINGER) = 0 {1, 0}'
  - server: getsockopt(c, SOL_SOCKET, SO_ERROR) = 0 0
  - server: fcntl(c, F_GETFL) = O_RDWR
  - server: fcntl(c, F_SETFL, O_NONBLOCK) = 0
  - server: fcntl(c, F_GETFL) = O_RDWR|O_NONBLOCK
  - client: 'send(cfd, "abc") = 3'
  - server: ioctl(c, FIONREAD) = 0 3
  - server: close(c) = 0
  - client: recv(cfd, 8) = -1 ECONNRESET
)");
}

TEST(ScenarioKernel, KnowsDatagramsPairsAndCounters) {
  RUN_OR_SKIP(R"(  - a: s = socket(AF_INET, SOCK_DGRAM, 0)
  - a: bind(s, 127.0.0.1:0) = 0
  - b: t = socket(AF_INET, SOCK_DGRAM, 0)
  - b: 'sendto(t, "datagram", 0, addr(s)) = 8'
  - a: 'recvfrom(s, 100, 0) = 8 "datagram" 127.0.0.1:?1'
  - a: x, z = socketpair(AF_UNIX, SOCK_STREAM, 0)
  - a: 'writev(x, ["ab", "cd"]) = 4'
  - a: 'readv(z, [3, 3]) = 4 "abcd"'
  - a: e = eventfd(0, EFD_NONBLOCK)
  - a: write(e, u64(3)) = 8
  - a: read(e, 8) = 8 u64(3)
  - a: read(e, 8) = -1 EAGAIN
  - a: d = dup(e) = 7
  - a: dup2(e, 20) = 20
)");
}

TEST(ScenarioKernel, AsksTheOraclesOfTheKernel) {
  RUN_OR_SKIP(kConnected + R"(  - server: ep = epoll_create1(0)
  - server: epoll_ctl(ep, EPOLL_CTL_ADD, c, EPOLLIN) = 0
  - expect: len(ep.items) == 1
  - expect: c in ep.items
  - expect: lfd not in ep.items
  - expect: len(ep.ready_list) == 0
  - client: 'send(cfd, "abc") = 3'
  - expect: len(ep.ready_list) > 0
  - expect: c.recv_bytes == 3
  - expect: cfd.send_bytes == 0
  - expect: lfd.backlog == 8
  - expect: lfd.state == LISTEN
  - expect: c.inode > 0
  - expect: c.waiters == 1
  - client: shutdown(cfd, SHUT_WR) = 0
  - expect: c.state == CLOSE_WAIT
  - expect: cfd.state == FIN_WAIT2
)");
  EXPECT_EQ(result.entries[19].truth, Entry::Truth::unobservable);
}

TEST(ScenarioKernel, SetsSysctlsInItsOwnNamespace) {
  RUN_OR_SKIP(kConnected + "  - expect: lfd.backlog == 2\n", "kernel: {net.core.somaxconn: 2}\n");
}

TEST(ScenarioKernel, ASysctlThatIsNotOfANetworkOfItsOwnIsTheMachinesFault) {
  const FileResult result = run_text("  - say: x\n", "kernel: {net.core.dev_weight: 2}\n");
  EXPECT_TRUE(result.unavailable);
}

TEST(ScenarioKernel, LeavesNobodyBehindWhenActorsEndBlocked) {
  RUN_OR_SKIP("  - server: r, w = pipe2(0)\n  - server: read(r, 8) = blocks\n");
  EXPECT_FALSE(result.entries[1].done);
  EXPECT_EQ(waitpid(-1, nullptr, WNOHANG), -1);
  EXPECT_EQ(errno, ECHILD) << "no child process is left";
}

TEST(ScenarioKernel, GivesTheSameResultsAgain) {
  const std::string story =
      kConnected + "  - client: 'send(cfd, \"abc\"*1000) = 3000'\n  - server: recv(c, 4000) = 3000\n";
  const FileResult first = run_text(story);
  const FileResult second = run_text(story);
  ASSERT_EQ(first.entries.size(), second.entries.size());
  for (size_t i = 0; i < first.entries.size(); ++i) {
    EXPECT_EQ(result_text(first.entries[i]), result_text(second.entries[i]));
  }
}

}  // namespace
}  // namespace wakepath::scenario
