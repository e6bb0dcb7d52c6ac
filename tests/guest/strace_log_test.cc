// The notations of strace, and what is said of text that is in none of them.
#include <gtest/gtest.h>

#include "tests/guest/strace_samples.hh"

namespace wakepath::guest {
namespace {

StraceLog read(const std::string& text) {
  StraceProblem problem;
  auto log = read_strace_texts({{"x.log", text}}, problem);
  EXPECT_TRUE(log) << problem.text();
  return log ? std::move(*log) : StraceLog{};
}

std::string problem_of(const std::string& text) {
  StraceProblem problem;
  return read_strace_texts({{"x.log", text}}, problem) ? "" : problem.text();
}

/// The call of a log of one.
StraceCall only(const std::string& text) {
  StraceLog log = read(text + "\n");
  return log.calls.empty() ? StraceCall{} : log.calls.front();
}

TEST(StraceLog, ReadsEveryKindOfPrefix) {
  constexpr int64_t kStamp = 1'795'444'233'710'007'000;
  for (const auto& [prefix, thread, time] : std::vector<std::tuple<std::string, int, int64_t>>{
           {"", 1, 1000},
           {"77 ", 77, 1000},
           {"[pid    77] ", 77, 1000},
           {"77 1795444233.710007 ", 77, kStamp},
           {"1795444233.710007 ", 1, kStamp},
           {"77<srv> 1795444233.710007 [  41] ", 77, kStamp},
           {"77 1795444233.710007 [00007f5c5bdc7a1b] ", 77, kStamp},
           {"[pid 77] 00:00:05.000001 ", 77, 5'000'001'000},
           {"     0.000123 ", 1, 123'000},
           {"77      0.000123 ", 77, 123'000},
       }) {
    const StraceCall call = only(prefix + "close(3) = 0");
    EXPECT_EQ(call.thread, thread) << prefix;
    EXPECT_EQ(call.begin_ns, time) << prefix;
    EXPECT_TRUE(call.returned) << prefix;
  }
}

TEST(StraceLog, ReadsResults) {
  EXPECT_EQ(only("close(3) = -1 EBADF (Bad file descriptor) <0.000012>").result, -EBADF);
  EXPECT_EQ(only("close(3)                 = 0 <1.500000>").end_ns, 1000 + 1'500'000'000);
  EXPECT_EQ(only("socket(AF_INET, SOCK_STREAM, 0) = 3<TCP:[1->2]>").meaning.made, "TCP:[1->2]");
  EXPECT_EQ(only("read(3, 0x7ffe, 8) = ? ERESTARTSYS (To be restarted if SA_RESTART is set)").result, -EINTR);
  EXPECT_FALSE(only("exit_group(0) = ?").returned);
  EXPECT_FALSE(only("read(3,  <unfinished ...>) = ?").returned);
  EXPECT_EQ(only("brk(NULL) = 0x560c112b1000").result, 0x560c112b1000);
}

TEST(StraceLog, ReadsStringsAsInC) {
  const auto data = [](const std::string& text, int size) {
    return std::get<os::call::Write>(
               only("write(1, " + text + ", " + std::to_string(size) + ") = 0").meaning.record->arguments)
        .data;
  };
  EXPECT_EQ(data(R"("a\n\t\"\\\0\1\377\x41")", 9), std::string("a\n\t\"\\\0\1\377A", 9));
  EXPECT_EQ(data(R"("abc"...)", 900), "abc");
}

TEST(StraceLog, JoinsWhatAnotherThreadCameBetween) {
  const StraceLog log = read(
      "7 1795444233.1 accept4(3,  <unfinished ...>\n"
      "8 1795444233.2 close(9) = 0\n"
      "7 1795444233.3 <... accept4 resumed>NULL, NULL, SOCK_NONBLOCK) = 4\n");
  ASSERT_EQ(log.calls.size(), 2u);
  EXPECT_FALSE(log.calls[0].whole);
  EXPECT_EQ(std::get<os::call::Accept4>(log.calls[0].meaning.record->arguments).flags, SOCK_NONBLOCK);
  EXPECT_EQ(log.calls[0].end_ns - log.calls[0].begin_ns, 200'000'000);
}

TEST(StraceLog, TellsThreadsFromProcesses) {
  StraceLog log = read(
      "7 execve(\"/bin/srv\", [\"srv\"], 0x7ff /* 3 vars */) = 0\n"
      "7 clone(child_stack=NULL, flags=CLONE_CHILD_SETTID|SIGCHLD, child_tidptr=0x7f) = 8\n"
      "7 clone3({flags=CLONE_VM|CLONE_FILES|CLONE_THREAD, stack=0x7f} => {parent_tid=[9]}, 88) = 9\n"
      "8 close(3) = 0\n9 prctl(PR_SET_NAME, \"io\") = 0\n9 close(3) = 0\n");
  EXPECT_EQ(log.threads.at(8).process, 8);
  EXPECT_EQ(log.processes.at(8).parent, 7);
  EXPECT_EQ(log.threads.at(9).process, 7);
  EXPECT_EQ(log.threads.at(7).name, "srv");
  EXPECT_EQ(log.threads.at(9).name, "io/9");
}

TEST(StraceLog, ALastLineWithoutEndIsLeftOut) {
  const StraceLog log = read("close(3) = 0\nread(4, \"pi");
  EXPECT_EQ(log.calls.size(), 1u);
  EXPECT_TRUE(log.last_line_cut);
}

TEST(StraceLog, SaysWhereItIsWrong) {
  for (const auto& [text, problem] : std::vector<std::pair<std::string, std::string>>{
           {"hello\n", "x.log:1:1: found 'hello', expected a call: a name and ("},
           {"close(3) = 0\n7 12 what\n", "x.log:2:6: found 'what', expected a call: a name and ("},
           {"close(3\n", "x.log:1:8: found the end of the line, expected an argument"},
           {"close(3)\n", "x.log:1:9: found the end of the line, expected = and the result of the call"},
           {"close(three) = 0\n", "x.log:1:7: found 'three', expected a descriptor up to 1048575"},
           {"close(99999999) = 0\n", "x.log:1:7: found 99999999, expected a descriptor up to 1048575"},
           {"read(3, \"ab, 8) = 2\n", "x.log:1:20: found the end of the line, expected \" at the end of a string"},
           {"read(3, \"ab\", 8) = 3\n", "x.log:1:9: found 2 bytes, expected 3"},
           {"read(3, \"ab\", 1) = 2\n", "x.log:1:9: found 2 bytes, expected 1"},
           {"write(3, \"ab\", 2) = 9\n", "x.log:1:22: found 9 bytes sent of 2, expected at most as many as were given"},
           {"close(3) = -1 EWHAT (What)\n", "x.log:1:15: found 'EWHAT (What)', expected the name of an error"},
           {"bind(3, {sa_family=AF_INET, sin_port=htons(70000), sin_addr=inet_addr(\"127.0.0.1\")}, 16) = 0\n",
            "x.log:1:44: found 70000, expected a port up to 65535"},
           {"pipe([3, 3]) = 0\n", "x.log:1:6: found [3, 3], expected two different descriptors"},
           {"epoll_wait(3, [], 8, -1) = 1\n", "x.log:1:15: found 0 events, expected 1"},
           {"7 read(3,  <unfinished ...>\n8 close(4) = 0\n7 <... write resumed>\"a\", 1) = 1\n",
            "x.log:3:22: found 'write resumed', expected 'read resumed'"},
           {"7 read(3,  <unfinished ...>\n8 close(4) = 0\n7 <... read resumed>\"a\" 1) = 1 <\n", ""},
           {"7 read(3,  <unfinished ...>\n8 close(4) = 0\n7 <... read resumed>\"a\", !) = 1\n",
            "x.log:3:26: found '!) = 1', expected an argument"},
           {"", "x.log: found no call, expected what strace -f -ttt -yy -o FILE has written"},
       })
    EXPECT_EQ(problem_of(text), problem) << text;
}

TEST(StraceLog, SeveralFilesNeedTimes) {
  StraceProblem problem;
  EXPECT_FALSE(read_strace_texts({{"a.1", "close(3) = 0\n"}, {"a.2", "close(3) = 0\n"}}, problem));
  EXPECT_EQ(problem.text(),
            "a.1: found several files without times, expected those of strace -ff -ttt, or a single file");
}

}  // namespace
}  // namespace wakepath::guest
