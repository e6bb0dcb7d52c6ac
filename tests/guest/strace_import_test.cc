// Logs of real programs, followed on the model.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "sim/trace/file.hh"
#include "tests/guest/strace_samples.hh"
#include "tests/temporary_folder.hh"

namespace wakepath::guest {
namespace {

using testing::HasSubstr;

/// The log with the first `what` replaced.
StraceTexts changed(StraceTexts texts, const std::string& what, const std::string& by) {
  const std::size_t at = texts.front().second.find(what);
  EXPECT_NE(at, std::string::npos) << what;
  if (at != std::string::npos) texts.front().second.replace(at, what.size(), by);
  return texts;
}

void expect_all_checked(const Followed& followed, uint64_t calls) {
  EXPECT_EQ(followed.figures.checked, calls);
  EXPECT_EQ(followed.figures.unchecked, 0u) << followed.figures.reasons.begin()->first;
  EXPECT_EQ(followed.figures.divergences, 0u) << followed.figures.first_divergence;
}

TEST(StraceImport, FollowsTwoThreadsThatTalkToEachOther) { expect_all_checked(follow(samples({"threads.log"})), 15); }

TEST(StraceImport, MergesTheFilesOfThreads) {
  expect_all_checked(follow(samples({"threads.ff.32469", "threads.ff.32471"})), 15);
}

TEST(StraceImport, NeedsNeitherTimesNorDecorationsNorAFileOfItsOwn) {
  const Followed followed = follow(samples({"threads-stderr.log"}));
  expect_all_checked(followed, 15);
  EXPECT_FALSE(followed.log.timed);
}

TEST(StraceImport, FindsOutWhatClientsOutsideDid) {
  const Followed followed = follow(samples({"py-server.log"}));
  expect_all_checked(followed, followed.figures.calls);
  EXPECT_EQ(followed.figures.calls, 36u);
  EXPECT_EQ(followed.figures.injected, 8u);  // two clients: connect, send, read, FIN
}

TEST(StraceImport, FollowsPairsEventfdsAndDuplicates) {
  const Followed followed = follow(samples({"pairs.log"}));  // the last pair is a child's, too
  expect_all_checked(followed, 47);
  EXPECT_EQ(followed.left.not_followed.at("a pipe, pair or eventfd that other processes use, too"), 1u);
}

TEST(StraceImport, SeesADuplicateOfAConnectionKeepItOpen) {
  // as if the copy read nothing: the kernel has given it what the model has, too
  const Followed followed = follow(
      changed(samples({"pairs.log"}), "\"by the copy\", 100, 0, NULL, NULL) = 11", "\"\", 100, 0, NULL, NULL) = 0"));
  EXPECT_EQ(followed.figures.divergences, 1u);
  EXPECT_THAT(followed.figures.first_divergence, HasSubstr("the model has 11, the kernel 0"));
}

TEST(StraceImport, FollowsPollBesideStandardInput) {
  const Followed server = follow(samples({"poll-server.log"}));  // three clients outside
  EXPECT_EQ(server.figures.divergences, 0u) << server.figures.first_divergence;
  EXPECT_EQ(server.figures.injected, 12u);  // each connects, sends, reads and ends
  EXPECT_EQ(server.figures.checked, 39u);
  EXPECT_EQ(
      server.figures.reasons,
      (std::map<std::string, uint64_t>{{"poll reported nothing but descriptors that the model does not have", 1}}));
  const Followed netcat = follow(samples({"netcat.log"}));  // one descriptor twice, and -1
  EXPECT_EQ(netcat.figures.divergences, 0u) << netcat.figures.first_divergence;
  EXPECT_EQ(netcat.figures.checked, 13u);
}

TEST(StraceImport, SeesWhatPollFindsAndTheModelDoesNot) {
  const StraceTexts log = {
      {"log",
       "7 100.000000 socketpair(AF_UNIX, SOCK_STREAM, 0, [3, 4]) = 0\n"
       "7 100.000100 write(4, \"x\", 1) = 1\n"
       "7 100.000200 poll([{fd=3, events=POLLIN|POLLPRI}], 1, 20) = 1 ([{fd=3, revents=POLLIN|POLLPRI}])\n"}};
  const Followed followed = follow(log);
  EXPECT_EQ(followed.figures.divergences, 1u);
  EXPECT_THAT(followed.figures.first_divergence, HasSubstr("the model has [{POLLIN, 3}], the kernel"));
}

TEST(StraceImport, FollowsSelectAsWhatItIs) {
  const std::string begin =
      "7 100.000000 socketpair(AF_UNIX, SOCK_STREAM, 0, [3, 4]) = 0\n"
      "7 100.000100 eventfd2(0, 0) = 5\n"
      "7 100.000200 write(4, \"x\", 1) = 1\n"
      "7 100.000300 pselect6(6, [0 3 5], [4], NULL, {tv_sec=1, tv_nsec=0}, NULL) = ";
  expect_all_checked(follow({{"log", begin + "2 (in [3], out [4], left {tv_sec=0, tv_nsec=999999000})\n"}}), 4);
  const Followed wrong = follow({{"log", begin + "2 (in [5], out [4], left {tv_sec=0, tv_nsec=999999000})\n"}});
  EXPECT_EQ(wrong.figures.divergences, 1u);
  EXPECT_THAT(wrong.figures.first_divergence, HasSubstr("select([{3, POLLIN}, {4, POLLOUT}, {5, POLLIN}], 1000)"));
}

TEST(StraceImport, SeesThatTheTimeOfAPollIsOver) {
  // 20 ms of the log, which tells when calls began alone: the model's poll has its own timer
  const StraceTexts log = {
      {"log",
       "7 100.000000 socketpair(AF_UNIX, SOCK_STREAM, 0, [3, 4]) = 0\n"
       "7 100.000100 poll([{fd=3, events=POLLIN}], 1, 20) = 0 (Timeout)\n"
       "7 100.030000 write(4, \"x\", 1) = 1\n"
       "7 100.030100 poll([{fd=3, events=POLLIN}, {fd=-1}], 2, 20) = 1 ([{fd=3, revents=POLLIN}])\n"}};
  expect_all_checked(follow(log), 4);
}

TEST(StraceImport, FindsPortsThatNoCallTells) {
  const Followed followed = follow(samples({"server-plain.log"}));  // three threads, a client in one of them, no -yy
  expect_all_checked(followed, followed.figures.calls);
  EXPECT_GE(followed.figures.calls, 80u);
  EXPECT_EQ(followed.figures.injected, 0u);
}

TEST(StraceImport, AddressesOfTheMachineStandAsLoopback) {
  const Followed followed = follow(samples({"remote-clients.log"}));  // of 10.0.0.7, with a client at 192.168.1.5
  expect_all_checked(followed, 36);
  EXPECT_EQ(followed.left.own_addresses, std::set<std::string>{"10.0.0.7"});
}

TEST(StraceImport, LaterCallsTellWhetherAConnectHasSucceeded) {
  // two connects that do not wait: to a program outside, and to a port where nobody listens
  const Followed followed = follow(samples({"nonblocking-client.log"}));
  expect_all_checked(followed, followed.figures.calls);
  EXPECT_GE(followed.figures.calls, 25u);
  EXPECT_EQ(followed.figures.injected, 5u);  // listen, accept, the answer, FIN, reading the question
}

TEST(StraceImport, APipeBeyondTheLimitOfDescriptorsIsFollowed) {
  expect_all_checked(follow({{"x.log", "pipe2([70000, 70001], O_CLOEXEC) = 0\nclose(70000) = 0\nclose(70001) = 0\n"}}),
                     3);
}

TEST(StraceImport, AnAcceptThatTellsNoPeerLetsSomebodyIn) {
  const Followed followed =
      follow({{"x.log",
               "socket(AF_INET, SOCK_STREAM, IPPROTO_IP) = 3\n"
               "bind(3, {sa_family=AF_INET, sin_port=htons(8080), sin_addr=inet_addr(\"0.0.0.0\")}, 16) = 0\n"
               "listen(3, 5) = 0\naccept(3, NULL, NULL) = 4\nread(4, \"hello\", 100) = 5\nread(4, \"\", 100) = 0\n"
               "close(4) = 0\n"}});
  expect_all_checked(followed, 7);
}

TEST(StraceImport, ReadsTheNotationOfStrace4) {
  const Followed followed = follow(samples({"strace-4.log"}), 4711);
  expect_all_checked(followed, 19);
  EXPECT_EQ(followed.log.assumed, 1u);
}

TEST(StraceImport, SaysOfEachCallWhyItIsNotFollowed) {
  const Followed followed = follow(samples({"calls.log"}));
  EXPECT_EQ(followed.figures.divergences, 0u) << followed.figures.first_divergence;
  EXPECT_TRUE(followed.left.not_followed.empty()) << followed.left.not_followed.begin()->first;
  EXPECT_EQ(followed.figures.reasons.at("a kind of socket that is not mirrored"), 1u);
  EXPECT_EQ(followed.figures.reasons.at("a socket option that is not modelled"), 1u);
  EXPECT_GE(followed.figures.checked, 40u);
}

TEST(StraceImport, KeepsProcessesApart) {
  for (const int process : {1666, 1667, 1668}) {
    const Followed followed = follow(samples({"forks.log"}), process);
    EXPECT_EQ(followed.figures.divergences, 0u) << process << ": " << followed.figures.first_divergence;
    EXPECT_GE(followed.figures.checked, 7u) << process;
    EXPECT_GT(followed.left.outside, 0u) << process;
  }
  // the child that was given a connection by its parent
  EXPECT_EQ(follow(samples({"forks.log"}), 1668).figures.unchecked, 0u);
  // who connects to a listener of another process has that outside, where somebody accepts
  const Followed client = follow(samples({"forks.log"}), 1667);
  expect_all_checked(client, 12);
  EXPECT_EQ(client.figures.injected, 4u);  // listen, accept, send, read
}

TEST(StraceImport, AnAnswerThatIsWrongIsADivergence) {
  const auto first_divergence = [](const StraceTexts& texts) { return follow(texts).figures.first_divergence; };
  const StraceTexts server = samples({"py-server.log"});
  EXPECT_THAT(first_divergence(changed(server, "[{events=EPOLLIN, data", "[{events=EPOLLIN|EPOLLPRI, data")),
              HasSubstr("events: the model has [{EPOLLIN, 3}], the kernel [{EPOLLIN|EPOLLPRI, 3}]"));
  const StraceTexts threads = samples({"threads.log"});
  EXPECT_THAT(first_divergence(changed(threads, "resumed>\"ping\"", "resumed>\"pong\"")),
              HasSubstr("data: the model has \"ping\", the kernel \"pong\""));
  EXPECT_THAT(first_divergence(changed(threads, ", 4) = 0", ", 4) = -1 EINVAL (Invalid argument)")),
              HasSubstr("listen(3, 4) = -1 EINVAL: result: the model has 0, the kernel -1 EINVAL"));
}

TEST(StraceImport, TheRecordingCanBeOpened) {
  const Followed followed = follow(samples({"threads.log"}));
  const test::TemporaryFolder folder;
  const auto path = folder.path() / "threads.wkp";
  trace::FileWriter writer(*followed.trace, path);
  writer.close();
  EXPECT_EQ(writer.error(), "");
  const auto read = trace::open_file(path);
  ASSERT_NE(read.trace, nullptr);
  EXPECT_EQ(read.trace->size(), followed.trace->size());
}

}  // namespace
}  // namespace wakepath::guest
