#include "src/scenario/runner.hh"

#include <gtest/gtest.h>

#include "src/scenario/matching.hh"
#include "src/scenario/parser.hh"
#include "src/scenario/text_output.hh"
#include "tests/scenario/fake_machine.hh"

namespace wakepath::scenario {
namespace {

using namespace std::chrono_literals;

Scenario steps(const std::string& text, const std::string& top = "") {
  auto parsed = parse("story.yaml", "wakepath: 1\ntitle: t\n" + top + "steps:\n" + text);
  if (const auto* problem = std::get_if<Problem>(&parsed)) {
    ADD_FAILURE() << problem->text();
    return {};
  }
  return std::get<Scenario>(std::move(parsed));
}

Outcome gives(long ret) {
  Outcome out;
  out.ret = ret;
  return out;
}
Outcome fails(int error) {
  Outcome out;
  out.ret = -1;
  out.error = error;
  return out;
}

/// Descriptors in order from 3 for calls that make one; everything else gives 0 unless a test says otherwise.
class Runner : public testing::Test {
 protected:
  Runner() {
    machine.answer = [this](const std::string& actor, const Request& request) -> std::optional<Outcome> {
      if (blocking.count(request.name)) {
        return std::nullopt;
      }
      if (const auto found = given.find(request.name); found != given.end()) {
        return found->second;
      }
      return gives(request.name == "dup" ? next_fd[actor]++ + 3 : 0);
    };
  }

  FileResult run_steps(const std::string& text, const std::string& top = "") {
    return run(steps(text, top), machine, {});
  }

  FakeMachine machine;
  std::set<std::string> blocking;
  std::map<std::string, Outcome> given;
  std::map<std::string, int> next_fd;
};

TEST_F(Runner, BindsNamesPerProcessAndPassesTheirNumbers) {
  const FileResult result = run_steps(R"(  - server: a = dup(0)
  - server: b = dup(0)
  - client: a = dup(0)
  - server: close(b)
  - client: close(a)
)");
  EXPECT_TRUE(result.ok);
  EXPECT_EQ(machine.requests[3].numbers, (std::vector<long>{4}));
  EXPECT_EQ(machine.requests[4].numbers, (std::vector<long>{3}));
}

TEST_F(Runner, AFailedCallBindsMinusOne) {
  given["accept"] = fails(EAGAIN);
  run_steps("  - server: a = accept(0) = -1 EAGAIN\n  - server: close(a)\n");
  EXPECT_EQ(machine.requests[1].numbers, (std::vector<long>{-1}));
}

TEST_F(Runner, ForkCopiesVariablesAndThreadSharesThem) {
  next_fd["helper"] = 4;
  const FileResult result = run_steps(R"(  - server: a = dup(0)
  - server: fork(child)
  - server: thread(helper)
  - helper: a = dup(0)
  - server: close(a)
  - child: close(a)
)");
  EXPECT_TRUE(result.ok);
  EXPECT_EQ(machine.requests[1].new_process, "child");
  EXPECT_EQ(machine.requests[2].new_process, "server");
  EXPECT_EQ(machine.requests[4].numbers, (std::vector<long>{7})) << "the thread has bound it anew";
  EXPECT_EQ(machine.requests[5].numbers, (std::vector<long>{3})) << "the child has what was true at fork()";
}

TEST_F(Runner, DeclaredActorsAreThreadsOfTheirProcess) {
  run_steps("  - worker-a: a = dup(0)\n  - server: close(a)\n", "actors: {worker-a: {process: server}}\n");
  EXPECT_EQ(machine.log[1], "actor worker-a of server");
}

TEST_F(Runner, ACallWithoutResultMustSucceedWithoutBlocking) {
  given["close"] = fails(EBADF);
  blocking.insert("accept");
  const FileResult result = run_steps("  - server: close(9)\n  - server: accept(0)\n");
  EXPECT_FALSE(result.entries[0].expected);
  EXPECT_FALSE(result.entries[1].expected);
  EXPECT_FALSE(result.ok);
}

TEST_F(Runner, GoesOnAfterAMismatch) {
  given["close"] = fails(EBADF);
  const FileResult result = run_steps("  - server: close(9) = 0\n  - server: listen(0, 1) = 0\n");
  ASSERT_EQ(result.entries.size(), 2u);
  EXPECT_TRUE(result.entries[1].expected);
}

TEST_F(Runner, ABlockedCallIsTakenWhenItReturns) {
  blocking.insert("accept");
  machine.due = {{30ms, "server", gives(5)}};
  const FileResult result = run_steps(R"(  - server: c = accept(0) = blocks
  - say: nothing
  - wait: 50ms
  - server: returns 5
)");
  EXPECT_TRUE(result.ok);
  EXPECT_TRUE(result.entries[0].done);
  EXPECT_EQ(result.entries[0].returned_after, 3);
  EXPECT_EQ(result.entries[0].ret, 5);
}

TEST_F(Runner, ReturnsLetsTimePassAtMostTenSeconds) {
  blocking.insert("accept");
  machine.due = {{9s, "server", gives(5)}, {11s, "late", gives(5)}};
  const FileResult result = run_steps(R"(  - late: c = accept(0) = blocks
  - server: c = accept(0) = blocks
  - server: returns 5
  - late: returns 5
)");
  EXPECT_TRUE(result.entries[1].expected);
  EXPECT_EQ(result.entries[1].returned_after, 3);
  EXPECT_TRUE(result.entries[0].done) << "9 s and then 2 s: within the ten of the second wait";
  EXPECT_EQ(result.entries[0].returned_after, 4);
}

TEST_F(Runner, AReturnsThatNeverComesFailsItsCall) {
  blocking.insert("accept");
  const FileResult result = run_steps("  - server: c = accept(0) = blocks\n  - server: returns 5\n");
  EXPECT_FALSE(result.entries[0].expected);
  EXPECT_EQ(result.entries[0].failed_at, 2);
  EXPECT_FALSE(result.entries[0].done);
  EXPECT_EQ(result.entries[0].returned_after, std::nullopt);
  EXPECT_EQ(machine.now(), 10s);
}

TEST_F(Runner, ATimeoutOfTheCallItselfRunsOut) {
  blocking.insert("epoll_wait");
  machine.timer_of_call = 50ms;
  Outcome none = gives(0);
  none.events.emplace();
  machine.due = {{50ms, "server", none}};
  const FileResult result = run_steps("  - server: epoll_wait(0, 8, 50) = 0 []\n");
  EXPECT_TRUE(result.ok);
  EXPECT_EQ(result.entries[0].returned_after, 1);
  EXPECT_EQ(machine.now(), 50ms);
}

TEST_F(Runner, BlocksIsCheckedBeforeATimeoutRunsOut) {
  blocking.insert("epoll_wait");
  machine.timer_of_call = 50ms;
  const FileResult result = run_steps("  - server: epoll_wait(0, 8, 50) = blocks\n");
  EXPECT_TRUE(result.ok);
  EXPECT_EQ(machine.now(), 0ms);
}

TEST_F(Runner, AQuestionMarkTakesBlockingToo) {
  blocking.insert("accept");
  const FileResult result = run_steps("  - server: c = accept(0) = ?\n");
  EXPECT_TRUE(result.ok);
  EXPECT_FALSE(result.entries[0].done);
}

TEST_F(Runner, AnyOfSeveralResultsWillDo) {
  given["listen"] = gives(2);
  const std::string call = "  - server: listen(0, 1)\n";
  EXPECT_TRUE(run_steps(call + "    any: [1, 2]\n").ok);
  EXPECT_FALSE(run_steps(call + "    any: [1, blocks, -1 EINVAL]\n").ok);
}

TEST_F(Runner, ACallByABlockedActorEndsTheFile) {
  blocking.insert("epoll_wait");
  const FileResult result = run_steps("  - server: epoll_wait(0, 8, -1) = blocks\n  - server: close(0)\n");
  ASSERT_TRUE(result.error);
  EXPECT_EQ(result.error->text(), "story.yaml:5:5: step 2: server is still blocked in epoll_wait (step 1)");
  EXPECT_EQ(result.entries.size(), 1u);
}

TEST_F(Runner, ANameWhoseCallHasNotReturnedEndsTheFile) {
  blocking.insert("accept");
  const FileResult result = run_steps("  - server: c = accept(0) = blocks\n  - client: connect(0, addr(c))\n");
  ASSERT_TRUE(result.error);
  EXPECT_EQ(result.error->text(), "story.yaml:5:24: step 2: the call that gives 'c' has not returned");
}

TEST_F(Runner, PrintsEpollDataAsTheTextThatWasAdded) {
  uint64_t first = 0;
  machine.answer = [&](const std::string&, const Request& request) -> std::optional<Outcome> {
    if (request.call == Call::epoll_ctl) {
      first = first == 0 ? request.token : first;
      return gives(0);
    }
    if (request.call != Call::epoll_wait) {
      return gives(3);
    }
    Outcome out = gives(1);
    out.events = {{Outcome::Event{1, first}}};
    return out;
  };
  const FileResult result = run_steps(R"(  - server: a = dup(0)
  - server: epoll_ctl(5, EPOLL_CTL_ADD, a, EPOLLIN)
  - server: a = dup(0)
  - server: epoll_ctl(5, EPOLL_CTL_ADD, 3, EPOLLIN, data=77)
  - server: 'epoll_wait(5, 8, 0) = 1 [{EPOLLIN, a}]'
  - server: 'epoll_wait(5, 8, 0) = 1 [{EPOLLIN, 77}]'
  - server: 'epoll_wait(5, 8, 0) = 1 [{EPOLLOUT, a}]'
)");
  EXPECT_TRUE(result.entries[4].expected);
  EXPECT_FALSE(result.entries[5].expected);
  EXPECT_FALSE(result.entries[6].expected);
  EXPECT_EQ(result.entries[6].events->at(0), (ShownEvent{"EPOLLIN", "a"}));
}

TEST_F(Runner, NumbersEphemeralPortsAndKeepsNamedOnes) {
  Outcome named = gives(0);
  named.address = Address{Address::Family::ipv4, {127, 0, 0, 1}, 7000, ""};
  Outcome ephemeral = gives(0);
  ephemeral.address = Address{Address::Family::ipv4, {127, 0, 0, 1}, 45678, ""};
  given["getsockname"] = named;
  given["getpeername"] = ephemeral;
  const FileResult result = run_steps(R"(  - server: bind(0, 127.0.0.1:7000)
  - server: getsockname(0) = 0 127.0.0.1:7000
  - server: getpeername(0) = 0 127.0.0.1:?1
  - server: getpeername(0) = 0 127.0.0.1:?2
)");
  EXPECT_EQ(result.entries[1].address, "127.0.0.1:7000");
  EXPECT_EQ(result.entries[2].address, "127.0.0.1:?1");
  EXPECT_TRUE(result.entries[1].expected);
  EXPECT_TRUE(result.entries[2].expected);
  EXPECT_FALSE(result.entries[3].expected);
}

TEST_F(Runner, AStatementMayBecomeTrueWithin200Milliseconds) {
  machine.fields["accept_queue"] = 1;
  const FileResult result = run_steps(R"(  - server: a = dup(0)
  - expect: a.accept_queue == 1
  - expect: a.accept_queue == 2
  - expect: a.waiters == 2
)");
  EXPECT_EQ(result.entries[1].truth, Entry::Truth::yes);
  EXPECT_EQ(result.entries[2].truth, Entry::Truth::no);
  EXPECT_EQ(result.entries[3].truth, Entry::Truth::unobservable);
  EXPECT_EQ(machine.now(), 200ms) << "only the false one lets time pass";
  EXPECT_FALSE(result.ok);
}

TEST_F(Runner, KnowsInWhichCallAnActorSleeps) {
  blocking.insert("accept");
  const FileResult result = run_steps(R"(  - server: c = accept(0) = blocks
  - client: close(0)
  - expect: server.blocked_in == accept
  - expect: client.blocked_in == none
  - expect: server.blocked_in != none
)");
  EXPECT_TRUE(result.ok);
}

TEST_F(Runner, ANameWhoseNumberMayLeadElsewhereKeepsAllFields) {
  const FileResult result = run_steps(R"(  - server: a = socket(AF_INET, SOCK_STREAM, 0)
  - server: close(a)
  - server: ep = epoll_create1(0)
  - expect: len(a.items) == 0
)");
  EXPECT_FALSE(result.error);
  EXPECT_EQ(result.entries[3].truth, Entry::Truth::unobservable);
}

TEST_F(Runner, ShowsSignalsAndWhatIsDoneToTheWireAmongTheSteps) {
  const Scenario file = steps(R"(  - server: a = dup(0)
  - wait: 1ms
  - signal: {to: server, name: SIGUSR1, restart: true}
  - signal: {to: server, name: SIGURG}
  - fault: {actor: server, call: accept4, error: EMFILE}
  - wire: {drop: 1, delay: 20ms, from: a}
  - fault: {actor: server, call: recv, error: EINTR, times: 3}
  - expect: a.inode > 0
)");
  FileResult result;
  result.on = "model";
  EXPECT_EQ(text_report(file, result, {}), R"(story.yaml on model: t
         2  wait 1ms
         3  signal SIGUSR1 to server, with SA_RESTART
         4  signal SIGURG to server
         5  fault EMFILE in accept4 of server, once
         6  wire drop 1, delay 20ms, from a
         7  fault EINTR in recv of server, 3 times
  0 calls, 0 statements: all as expected
)");
  result.entries = {{.step = 8, .done = true, .expect = "a.inode > 0", .truth = Entry::Truth::yes}};
  EXPECT_NE(text_report(file, result, {}).find("  0 calls, 1 statement: all as expected"), std::string::npos);
}

TEST_F(Runner, DoesNotRunWhatTheMachineDoesNotKnow) {
  const FileResult result = run_steps("  - server: select([], [], [], 0)\n");
  EXPECT_EQ(result.skipped, "the kernel does not know select yet (step 1)");
  EXPECT_TRUE(result.unavailable);
  EXPECT_TRUE(machine.log.empty()) << "nothing of the file ran";
}

TEST_F(Runner, SkipsWhatIsForTheOtherMachineOrSlow) {
  const FileResult other = run_steps("  - say: x\n", "only: model\nbecause: no such card\n");
  EXPECT_EQ(other.skipped, "no such card");
  EXPECT_FALSE(other.unavailable);
  const Scenario slow = steps("  - wait: 6s\n");
  EXPECT_EQ(run(slow, machine, {}).skipped, "slow (a wait of more than 5 s): --slow runs it, too");
  EXPECT_FALSE(run(slow, machine, {true}).skipped);
}

TEST(Compare, LeavesOpenWhatTheBoundsDoNotDecide) {
  using Op = Expectation::Op;
  using Truth = Entry::Truth;
  const Observation some = Observation::at_least(1);
  EXPECT_EQ(compare(some, Op::equal, Observation::number(0)), Truth::no);
  EXPECT_EQ(compare(some, Op::not_equal, Observation::number(0)), Truth::yes);
  EXPECT_EQ(compare(some, Op::greater, Observation::number(0)), Truth::yes);
  EXPECT_EQ(compare(some, Op::equal, Observation::number(2)), Truth::unobservable);
  EXPECT_EQ(compare(some, Op::at_most, Observation::number(2)), Truth::unobservable);
  EXPECT_EQ(compare(some, Op::less, Observation::number(1)), Truth::no);
}

}  // namespace
}  // namespace wakepath::scenario
