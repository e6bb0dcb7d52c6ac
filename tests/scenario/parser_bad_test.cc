#include <gtest/gtest.h>

#include "src/scenario/parser.hh"

namespace wakepath::scenario {
namespace {

struct Bad {
  std::string name;
  std::string text;
  std::string message;
};

const std::string kHead = "wakepath: 1\ntitle: t\nsteps:\n";
const std::string kSocket = "  - server: a = socket(AF_INET, SOCK_STREAM, 0)\n";
const std::string kCut = "unterminated call; quote the step: '#' starts a comment and ': ' a mapping in YAML";

std::vector<Bad> bad_files() {
  const auto steps = [](const std::string& text) { return kHead + kSocket + text; };
  return {
      {"Empty", "", "1:1: found an empty file, expected a scenario that begins with 'wakepath: 1'"},
      {"List", "- a\n", "1:1: found no mapping, expected a scenario that begins with 'wakepath: 1'"},
      {"NoVersion", "title: t\n",
       "1:1: found no key 'wakepath' (the first is 'title'), expected 'wakepath: 1', the version of the format"},
      {"NewerVersion", "wakepath: 2\nfuture: x\n", "1:11: found version 2 of the format, expected a version up to 1"},
      {"NoTitle", "wakepath: 1\nsteps: []\n", "1:1: found no key 'title', expected that key, which is required"},
      {"NoSteps", "wakepath: 1\ntitle: t\n", "1:1: found no key 'steps', expected that key, which is required"},
      {"EmptySteps", "wakepath: 1\ntitle: t\nsteps: []\n", "3:8: found an empty list, expected a list of steps"},
      {"UnknownKey", "wakepath: 1\ntitle: t\nlevle: core\nsteps: []\n",
       "3:1: found the key 'levle', expected one of wakepath, title, about, level, lesson, references, actors, kernel, "
       "profile, only, because, needs, services, steps (did you mean level?)"},
      {"UnknownNeed", "wakepath: 1\ntitle: t\nneeds: [ipv66]\nsteps: []\n",
       "3:9: found 'ipv66', expected ipv6 or netns (did you mean ipv6?)"},
      {"MarkTwice", kHead + "  - mark: here\n  - say: x\n  - mark: here\n",
       "6:5: found mark 'here' again, expected another name than that of step 1"},
      {"AnswerNobodyCanPick", kHead + "  - a: p, q = pipe2(0)\n  - ask: {question: Who?, pick: thread, answer: zzz}\n",
       "5:5: found the answer 'zzz', expected one of a"},
      {"RepeatedKey", "wakepath: 1\ntitle: t\ntitle: u\nsteps: []\n",
       "3:1: found the key 'title' again, expected each key once (first at 2:1)"},
      {"UnclosedBracket", kHead + "  - say: [a\n",
       "5:1: found flow sequence without a closing bracket (opened at 4:10), expected well-formed YAML"},
      {"UnclosedQuote", kHead + "  - say: \"a\n",
       "4:11: found double-quoted scalar without closing quote, expected well-formed YAML"},
      {"Alias", "wakepath: 1\ntitle: *t\nsteps: []\n",
       "2:9: found a YAML alias, expected plain YAML without anchors and aliases"},
      {"Anchor", "wakepath: 1\ntitle: &t x\nsteps: []\n",
       "2:11: found a YAML anchor, expected plain YAML without anchors and aliases"},
      {"BadByte", "wakepath: 1\ntitle: \"a\xff\"\n", "2:10: found byte 0xFF, expected text in UTF-8"},
      {"TwoDocuments", "wakepath: 1\ntitle: t\nsteps:\n  - say: x\n---\na: b\n",
       "5:1: found a second document, expected one scenario a file"},
      {"Level", "wakepath: 1\ntitle: t\nlevel: cor\nsteps: []\n",
       "3:8: found 'cor', expected one of intro, core, deep (did you mean core?)"},
      {"OnlyWithoutReason", "wakepath: 1\ntitle: t\nonly: model\nsteps: []\n",
       "1:1: found no key 'because', expected that key, which is required"},
      {"Sysctl", "wakepath: 1\ntitle: t\nkernel: {somaxconn: 2}\nsteps: []\n",
       "3:10: found 'somaxconn', expected the name of a sysctl such as net.core.somaxconn"},
      {"SysctlMisspelt", "wakepath: 1\ntitle: t\nkernel:\n  net.core.somaxcon: 2\nsteps: []\n",
       "4:3: found 'net.core.somaxcon', expected a sysctl that Linux has (did you mean net.core.somaxconn?)"},
      {"SysctlValue", "wakepath: 1\ntitle: t\nkernel:\n  net.core.somaxconn: many\nsteps: []\n",
       "4:23: found 'many', expected what that sysctl holds: a number, or several in quotes"},
      {"SysctlTooFewValues", "wakepath: 1\ntitle: t\nkernel: {net.ipv4.tcp_rmem: 4096 8192}\nsteps: []\n",
       "3:29: found '4096 8192', expected what that sysctl holds: a number, or several in quotes"},
      {"SysctlPath", "wakepath: 1\ntitle: t\nkernel: {net/../vm: 2}\nsteps: []\n",
       "3:10: found 'net/../vm', expected the name of a sysctl such as net.core.somaxconn"},
      {"Language", "wakepath: 1\ntitle: {en: a, de: b}\nsteps: []\n",
       "2:16: found the key 'de', expected one of en, zh"},
      {"ActorName", "wakepath: 1\ntitle: t\nactors: {Worker: {process: p}}\nsteps: []\n",
       "3:10: found 'Worker', expected a name of small letters, digits and '-', beginning with a letter"},
      {"TruthName", kHead + "  - off: a = dup(1)\n",
       "4:5: found the name 'off', expected a word that YAML 1.1 does not read as a truth value"},
      {"MisspelledKey", kHead + "  - sya: hello\n",
       "4:5: found the key 'sya', expected an actor or a key of a step (did you mean say?)"},
      {"TwoMainKeys", kHead + "  - say: a\n    mark: b\n",
       "5:5: found the key 'mark' beside 'say', expected one main key a step, and beside it only focus, label or any"},
      {"UnknownCall", steps("  - server: epol_wait(a, 8, -1)\n"),
       "5:13: found 'epol_wait', expected a system call of the format (did you mean epoll_wait?)"},
      {"UnknownFlag", steps("  - server: epoll_ctl(a, EPOLL_CTL_ADD, a, EPOLLIN|EPOLET)\n"),
       "5:52: found 'EPOLET', expected an epoll event (did you mean EPOLLET?)"},
      {"FlagOfAnotherSet", kHead + "  - server: a = socket(AF_INET, O_NONBLOCK, 0)\n",
       "4:33: found 'O_NONBLOCK', expected a socket type (did you mean SOCK_NONBLOCK?)"},
      {"OptionOfAnotherLevel", steps("  - server: getsockopt(a, IPPROTO_TCP, SO_LINGER)\n"),
       "5:40: found 'SO_LINGER', expected a socket option of level IPPROTO_TCP"},
      {"NoPointer", steps("  - server: recv(a, 8, buffer=0)\n"), "5:31: found '0', expected NULL or OUTSIDE"},
      {"PointerOfAnotherCall", steps("  - server: recv(a, 8, addr=NULL)\n"),
       "5:24: found 'addr=', expected buffer: recv(fd, N[, FLAGS])"},
      {"NumbersAreNotAtAPointer", steps("  - server: listen(a, NULL)\n"), "5:23: found 'NULL', expected a backlog"},
      {"TimesWithoutAnInterval", steps("  - server: timerfd_settime(a, 10ms)\n"),
       "5:36: found ')', expected timerfd_settime(fd, FIRST, INTERVAL)"},
      {"UnknownErrno", steps("  - server: recv(a, 8) = -1 EAGAN\n"),
       "5:29: found 'EAGAN', expected an errno name (did you mean EAGAIN?)"},
      {"UnknownName", steps("  - server: listen(b, 8)\n"),
       "5:20: found 'b', expected a name that server has bound (did you mean a?)"},
      {"NameOfAnotherProcess", steps("  - client: listen(a, 8)\n"),
       "5:20: found 'a', expected a name that client has bound"},
      {"AmbiguousName",
       steps("  - client: a = socket(AF_INET, SOCK_STREAM, 0)\n  - other: b = dup(1)\n"
             "  - other: connect(b, addr(a))\n"),
       "7:23: found 'a', which 2 processes have, expected client.a or server.a"},
      {"MissingArgument", steps("  - server: recv(a)\n"),
       "5:19: found ')', expected a number of bytes: recv(fd, N[, FLAGS])"},
      {"ExtraArgument", steps("  - server: close(a, 1)\n"), "5:20: found ',', expected ')': close(fd)"},
      {"NameForNothing", steps("  - server: x = listen(a, 8)\n"),
       "5:13: found 'x', expected no name before listen(), which gives no descriptor"},
      {"PairWithOneName", kHead + "  - server: r = pipe2(0)\n",
       "4:17: found 1 name before pipe2(), expected two: r, w = pipe2(FLAGS)"},
      {"Trailing", steps("  - server: close(a) 0\n"),
       "5:22: found '0', expected '=' and a result, or the end of the step"},
      {"BadResult", steps("  - server: close(a) = fine\n"),
       "5:24: found 'fine', expected a result: a number, -1 and an errno name, 'blocks' or '?'"},
      {"DataOfACallWithoutData", steps("  - server: 'close(a) = 0 \"x\"'\n"),
       "5:27: found '\"', expected the end of the result of close()"},
      {"Port", steps("  - server: bind(a, 127.0.0.1:70000)\n"), "5:31: found '70000', expected a port from 0 to 65535"},
      {"Ip", steps("  - server: bind(a, 127.0.0.256:1)\n"), "5:21: found '127.0.0.256', expected an IPv4 address"},
      {"Escape", steps("  - server: 'send(a, \"\\q\")'\n"),
       "5:24: found 'q', expected an escape of C: \\n \\t \\r \\0 \\\\ \\\" \\xHH"},
      {"OneHexDigit", steps("  - server: 'send(a, \"\\x1\")'\n"),
       "5:25: found '1', expected two hexadecimal digits after \\x"},
      {"ColumnsAfterDoubledQuotes", steps("  - server: 'send(a, \"''''\") = -1 EPIPEE'\n"),
       "5:35: found 'EPIPEE', expected an errno name (did you mean EPIPE?)"},
      {"ColumnsAfterEscapes", steps("  - server: \"send(a, \\\"\\\\n\\\") = -1 EPIPEE\"\n"),
       "5:36: found 'EPIPEE', expected an errno name (did you mean EPIPE?)"},
      {"ColumnsCountCharacters", steps("  - server: 'send(a, \"线程\") = -1 EPIPEE'\n"),
       "5:33: found 'EPIPEE', expected an errno name (did you mean EPIPE?)"},
      {"FoldedLine", steps("  - server: close(a)\n      = -1 EBADFF\n"),
       "6:12: found 'EBADFF', expected an errno name (did you mean EBADF?)"},
      {"CutByComment", steps("  - server: send(a, \"x # y\") = 5\n"), "5:23: " + kCut},
      {"CutByMapping", steps("  - server: send(a, \"x: y\") = 5\n"), "5:23: " + kCut},
      {"CutAtTheEnd", steps("  - server: recv(a, 8\n"), "5:22: " + kCut},
      {"ReturnsWithoutCall", kHead + "  - server: returns 1\n",
       "4:13: found 'returns', but server has made no call, expected a call before it"},
      {"ReturnsBlocks", steps("  - server: recv(a, 8) = blocks\n  - server: returns blocks\n"),
       "6:21: found 'returns blocks', expected the result with which the call returns"},
      {"AnyAndResult", steps("  - server: close(a) = 0\n    any: [0]\n"),
       "6:10: found 'any' beside a result, expected either the one or the other"},
      {"StringWithoutEnd", kHead + "  - a: write(1, \"abc)\n",
       "4:17: found a string without an end, expected a closing double quote"},
      {"Wait", kHead + "  - wait: 50\n", "4:11: found 50 without a unit, expected a time such as 50us, 50ms or 50s"},
      {"Field", steps("  - expect: a.stat == ESTABLISHED\n"),
       "5:15: found 'stat', expected a field of a socket, an epoll or an actor (did you mean state?)"},
      {"State", steps("  - expect: a.state == ESTABLISHD\n"),
       "5:24: found 'ESTABLISHD', expected a state such as ESTABLISHED, a number, or NAME.field (did you mean "
       "ESTABLISHED?)"},
      {"StateOfAnotherLanguage", steps("  - expect: a.state == LISTENING\n"),
       "5:24: found 'LISTENING', expected a state such as ESTABLISHED, a number, or NAME.field (did you mean LISTEN?)"},
      {"CallAsState", steps("  - expect: a.state == recv\n"),
       "5:24: found 'recv', expected a state such as ESTABLISHED, a number, or NAME.field"},
      {"NoStatesNumber", steps("  - expect: a.state != 99\n"),
       "5:24: found '99', expected a state such as ESTABLISHED, a number, or NAME.field"},
      {"StateAsCall", steps("  - expect: server.blocked_in == LISTEN\n"),
       "5:34: found 'LISTEN', expected a system call such as epoll_wait, or none (did you mean listen?)"},
      {"NumberAsCall", steps("  - expect: server.blocked_in == 3\n"),
       "5:34: found '3', expected a system call such as epoll_wait, or none"},
      {"WordAsNumber", steps("  - expect: CLOSE < a.recv_bytes\n"),
       "5:13: found 'CLOSE', expected a number, or NAME.field"},
      {"WordAsLength", steps("  - server: ep = epoll_create1(0)\n  - expect: len(ep.items) == none\n"),
       "6:30: found 'none', expected a number, or NAME.field"},
      {"StateOfAnEpoll", steps("  - server: ep = epoll_create1(0)\n  - expect: ep.state == LISTEN\n"),
       "6:13: found the field 'state' of 'ep', which is an epoll, expected one of items, ready_list, waiters, inode"},
      {"ItemsOfASocket", steps("  - server: b = dup(a)\n  - expect: a in a.items\n"),
       "6:18: found the field 'items' of 'a', which is a socket, expected one of state, accept_queue, backlog, "
       "recv_bytes, send_bytes, inode, error, waiters"},
      {"StateOfAnEventfd", steps("  - server: e = eventfd(0, 0)\n  - expect: e.state == CLOSE\n"),
       "6:13: found the field 'state' of 'e', which is an eventfd, expected inode"},
      {"ListAsNumber", steps("  - expect: a.items == 1\n"), "5:13: found 'a.items', expected a number: len(a.items)"},
      {"ActorBeforeFork", kHead + "  - child: a = dup(1)\n  - server: fork(child)\n",
       "4:5: found the actor 'child', expected an actor that exists: step 2 makes it"},
      {"ForkTwice", kHead + "  - server: fork(child)\n  - server: fork(child)\n",
       "5:18: found 'child', which exists already, expected the name of a new actor"},
      {"AfterExit", steps("  - server: exit()\n  - server: close(a)\n"),
       "6:5: found a call by 'server', expected an actor that has not made exit()"},
      {"ProgramBesideThread", kHead + "  - server: thread(t)\n  - server: execve()\n",
       "5:5: found execve() by 'server', whose process has another thread ('t'), expected a process whose other "
       "threads "
       "have made exit()"},
      {"ProgramBesideFirst", kHead + "  - server: thread(t)\n  - t: execve()\n",
       "5:5: found execve() by 't', whose process has another thread ('server'), expected a process whose other "
       "threads "
       "have made exit()"},
      {"Choice", kHead + "  - ask: {question: q, choices: [a, b], answer: 3}\n",
       "4:49: found '3', expected the number of the right choice, 1 to 2"},
      {"AskKey", kHead + "  - ask: {question: q, anwser: 3}\n",
       "4:24: found the key 'anwser', expected one of question, choices, answer, pick, why (did you mean answer?)"},
      {"Focus", steps("  - server: close(a)\n    focus: [b]\n"),
       "5:5: found 'b', expected a name that a process has bound (did you mean a?)"},
      {"SignalName", steps("  - signal: {to: server, name: SIGUSR}\n"),
       "5:32: found 'SIGUSR', expected a signal (did you mean SIGUSR1?)"},
      {"SignalOfLinux", steps("  - signal: {to: server, name: SIGKILL}\n"),
       "5:32: found 'SIGKILL', which is not modelled, expected one of SIGUSR1, SIGUSR2, SIGALRM, SIGTERM, SIGINT, "
       "SIGHUP, SIGPIPE, SIGCHLD, SIGIO, SIGURG"},
      {"FamilyOfLinux", kHead + "  - server: a = socket(AF_NETLINK, SOCK_RAW, 0)\n",
       "4:24: found 'AF_NETLINK', which is not modelled, expected one of AF_UNIX, AF_INET, AF_INET6, AF_LOCAL"},
  };
}

class BadScenario : public testing::TestWithParam<Bad> {};

TEST_P(BadScenario, IsRefusedWithItsPlace) {
  const auto parsed = parse("bad.yaml", GetParam().text);
  ASSERT_TRUE(std::holds_alternative<Problem>(parsed)) << "parsed, but should not";
  EXPECT_EQ(std::get<Problem>(parsed).text(), "bad.yaml:" + GetParam().message);
}

INSTANTIATE_TEST_SUITE_P(Table, BadScenario, testing::ValuesIn(bad_files()),
                         [](const auto& row) { return row.param.name; });

TEST(BadScenarioFile, IsNamedWhenItCannotBeRead) {
  const auto parsed = parse_file("no-such-file.yaml");
  ASSERT_TRUE(std::holds_alternative<Problem>(parsed));
  EXPECT_EQ(std::get<Problem>(parsed).text(),
            "no-such-file.yaml: found no file that can be read, expected a scenario file");
}

}  // namespace
}  // namespace wakepath::scenario
