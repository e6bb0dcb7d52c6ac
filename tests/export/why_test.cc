// Reasons: for each that is known a story in which it is the reason, and one in which it is not.
#include "sim/export/why.hh"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <functional>
#include <nlohmann/json.hpp>
#include <string>
#include <vector>

#include "sim/export/explain.hh"
#include "tests/export/story.hh"
#include "tests/export/why_story.hh"

namespace wakepath::exports {
namespace {

using ::testing::Contains;
using ::testing::ElementsAreArray;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::Not;

const char* const kWatch = "s: epoll_ctl(ep, EPOLL_CTL_ADD, a, EPOLLIN)";
const char* const kWatchEdge = "s: epoll_ctl(ep, EPOLL_CTL_ADD, a, EPOLLIN|EPOLLET)";
const char* const kSleep = "s: epoll_wait(ep, 8, -1)";
const char* const kLook = "s: epoll_wait(ep, 8, 0)";
const char* const kSend = "c: send(k, \"abc\")";

// --- why a thread woke ---

TEST(WhyWoke, WalksFromTheSenderToTheSleeper) {
  Story story(steps({kWatch, kSleep, kSend}));
  auto woke = story.reasons("s", WhyKind::kWoke);
  EXPECT_THAT(woke, Contains("epoll_item_ready"));
  EXPECT_THAT(woke, Contains("function.sock_def_readable"));
  EXPECT_THAT(woke, Contains("function.ep_autoremove_wake_function"));
  EXPECT_THAT(woke, Not(Contains("woke_timeout")));
  std::string text = why_text(story.about("s"));
  EXPECT_THAT(text, HasSubstr("What woke it: c's send(3, \"abc\", 3) (step 10)."));
  EXPECT_THAT(text, HasSubstr("tcp_rcv_established > tcp_data_queue > tcp_data_ready > sock_def_readable > "
                              "__wake_up_sync_key > __wake_up_common > ep_poll_callback > __wake_up_sync > "
                              "__wake_up_common > ep_autoremove_wake_function > try_to_wake_up"));
}

TEST(WhyWoke, TellsATimeoutFromAnEvent) {
  Story story(steps({kWatch, "s: epoll_wait(ep, 8, 50)"}));
  EXPECT_THAT(story.reasons("s", WhyKind::kWoke), ElementsAreArray({"woke_timeout"}));
  EXPECT_THAT(story.returned("s"), ElementsAreArray({"timed_out", "item_nothing_queued"}));
}

TEST(WhyWoke, ASleeperInRecvAndOneInAccept) {
  Story data(steps({"s: thread(t)", "c: x = socket(AF_INET, SOCK_STREAM, 0)", "c: connect(x, addr(l))",
                    "s: b = accept(l)", "t: recv(b, 9)", "c: send(x, \"abc\")"}));
  EXPECT_THAT(data.reasons("t", WhyKind::kWoke), Contains("function.woken_wake_function"));
  Story connection(steps({"s: accept(l)", "c: x = socket(AF_INET, SOCK_STREAM, 0)", "c: connect(x, addr(l))"}));
  auto woke = connection.reasons("s", WhyKind::kWoke);
  EXPECT_THAT(woke, Contains("accept_1"));
  EXPECT_THAT(woke, Contains("function.autoremove_wake_function"));
  EXPECT_THAT(woke, Not(Contains("function.ep_poll_callback")));
}

TEST(WhyWoke, ByAPeerWhoReadAndMadeRoom) {
  Story story(steps({"s: thread(t)", "c: setsockopt(k, SOL_SOCKET, SO_SNDBUF, 4608)", "c: send(k, \"x\"*300000)",
                     "s: recv(a, 300000)"}));
  EXPECT_THAT(story.reasons("c", WhyKind::kWoke), Contains("function.sk_stream_write_space"));
}

// --- why a call returned what it did ---

TEST(WhyReturned, AnErrorByItsRule) {
  Story story(steps({"s: recv(a, 9)", "s: recv(77, 9)", "s: epoll_ctl(ep, EPOLL_CTL_DEL, a)", "s: accept4(a, 0)"}));
  EXPECT_THAT(story.returned("s", 3), ElementsAreArray({"recv_would_block"}));
  EXPECT_THAT(story.returned("s", 2), ElementsAreArray({"fd_not_open"}));
  EXPECT_THAT(story.returned("s", 1), ElementsAreArray({"epoll_not_watched"}));
  EXPECT_THAT(story.returned("s", 0), ElementsAreArray({"accept_not_listening"}));
}

TEST(WhyReturned, APendingErrorByWhoLeftIt) {
  Story story(
      steps({"c: setsockopt(k, SOL_SOCKET, SO_LINGER, {1, 0})", "c: close(k)", "s: recv(a, 9)", "s: recv(a, 9)"}));
  EXPECT_THAT(story.returned("s", 1), ElementsAreArray({"sock_error_taken", "tcp_reset_came", "error_set_by"}));
  EXPECT_THAT(why_text(story.about("s", 1)), HasSubstr("left at tcp_sock#3 by c's close(3) (step 9)"));
  EXPECT_THAT(story.returned("s", 0), Not(Contains("sock_error_taken")));
}

TEST(WhyReturned, EventsByWhatIsThere) {
  Story story(steps({kWatch, kSend, kLook, kLook, "s: recv(a, 9)", kLook}));
  EXPECT_THAT(story.returned("s", 3),
              ElementsAreArray({"event_reported", "ready_by_callback", "epoll_level_requeued"}));
  EXPECT_THAT(story.returned("s", 2), ElementsAreArray({"event_reported", "ready_by_requeue", "epoll_level_requeued"}));
  EXPECT_THAT(story.returned("s", 1), ElementsAreArray({"bytes_came"}));
  EXPECT_THAT(story.returned("s", 0), ElementsAreArray({"asked_only", "item_nothing_queued"}));
}

TEST(WhyReturned, ReadyWhenAddedAndMoreThanFits) {
  Story story(steps({kSend, kWatch, "c: x = socket(AF_INET, SOCK_STREAM, 0)", "c: connect(x, addr(l))",
                     "s: epoll_ctl(ep, EPOLL_CTL_ADD, l, EPOLLIN)", "s: epoll_wait(ep, 1, 0)"}));
  auto reasons = story.returned("s");
  EXPECT_THAT(reasons, Contains("ready_when_added"));
  EXPECT_THAT(reasons, Contains("more_are_ready"));
}

TEST(WhyReturned, TheEndOfTheStreamByWhoEndedIt) {
  Story story(steps({"c: shutdown(k, SHUT_WR)", "s: recv(a, 9)"}));
  EXPECT_THAT(story.returned("s"), ElementsAreArray({"end_of_stream"}));
  EXPECT_THAT(why_text(story.about("s")), HasSubstr("c's shutdown(3, SHUT_WR) (step 8)"));
}

// --- why epoll_wait() did not return ---

TEST(WhyBlocked, NothingQueuedOrAnEmptyAcceptQueue) {
  Story story(steps({kWatch, "s: epoll_ctl(ep, EPOLL_CTL_ADD, l, EPOLLIN)", kSleep}));
  auto reasons = story.blocked("s");
  EXPECT_THAT(reasons, Contains("item_nothing_queued"));
  EXPECT_THAT(reasons, Contains("item_accept_queue_empty"));
  Story other(steps({kWatch, kSend, kSleep}));
  EXPECT_THAT(other.blocked("s"), IsEmpty()) << "it returned at once";
}

TEST(WhyBlocked, NothingWatched) {
  EXPECT_THAT(Story(steps({kSleep})).blocked("s"), ElementsAreArray({"nothing_watched"}));
  EXPECT_THAT(Story(steps({kWatch, kSleep})).blocked("s"), Not(Contains("nothing_watched")));
}

TEST(WhyBlocked, NotInTheInterestList) {
  Story story(steps({"s: epoll_ctl(ep, EPOLL_CTL_ADD, l, EPOLLIN)", kSleep, kSend}));
  EXPECT_THAT(story.blocked("s"), ElementsAreArray({"item_accept_queue_empty", "not_in_interest_list"}));
  EXPECT_THAT(story.blocked("s", 1), Not(Contains("not_in_interest_list"))) << "nothing had come yet";
}

TEST(WhyBlocked, NoNewEdge) {
  Story story(steps({kWatchEdge, kSend, kLook, kSleep}));
  EXPECT_THAT(story.blocked("s"), ElementsAreArray({"no_new_edge"}));
  EXPECT_THAT(why_text(story.about("s")), HasSubstr("it was reported in step 10, and nothing new has come since"));
  Story drained(steps({kWatchEdge, kSend, kLook, "s: recv(a, 9)", kSleep}));
  EXPECT_THAT(drained.blocked("s"), ElementsAreArray({"item_nothing_queued"}));
  Story again(steps({kWatchEdge, kSend, kLook, kSleep, kSend}));
  EXPECT_THAT(again.returned("s"), Contains("epoll_edge_taken")) << "more data is a new edge";
}

TEST(WhyBlocked, DisarmedByOneShot) {
  const char* once = "s: epoll_ctl(ep, EPOLL_CTL_ADD, a, EPOLLIN|EPOLLONESHOT)";
  Story story(steps({once, kSend, kLook, kSleep, kSend}));
  EXPECT_THAT(story.blocked("s"), ElementsAreArray({"oneshot_disarmed"}));
  Story armed(steps({once, kSend, kLook, "s: epoll_ctl(ep, EPOLL_CTL_MOD, a, EPOLLIN|EPOLLONESHOT)", kLook}));
  EXPECT_THAT(armed.returned("s"), Contains("event_reported"));
}

TEST(WhyBlocked, MaskedOut) {
  Story story(steps({"s: epoll_ctl(ep, EPOLL_CTL_ADD, a, EPOLLRDHUP)", kSleep, kSend}));
  EXPECT_THAT(story.blocked("s"), ElementsAreArray({"masked_out"}));
  EXPECT_THAT(story.blocked("s", 1), ElementsAreArray({"item_nothing_there"}));
  Story urgent(steps({"s: epoll_ctl(ep, EPOLL_CTL_ADD, a, EPOLLPRI)", kSleep, kSend}));
  EXPECT_THAT(urgent.blocked("s"), ElementsAreArray({"woke_in_vain", "masked_out"}))
      << "sock_def_readable() brings EPOLLPRI, too: the thread is woken and finds nothing of it";
}

TEST(WhyBlocked, NoRoomToWrite) {
  Story story(steps({"c: send(k, \"x\"*4000000, MSG_DONTWAIT)", "c: ep = epoll_create1(0)",
                     "c: epoll_ctl(ep, EPOLL_CTL_ADD, k, EPOLLOUT)", "c: epoll_wait(ep, 8, -1)"}));
  EXPECT_THAT(story.blocked("c"), ElementsAreArray({"no_room_to_write"}));
}

TEST(WhyBlocked, AnotherThreadOfTheSameEpollTookIt) {
  Story story(steps({kWatchEdge, "s: thread(t)", kSleep, "t: epoll_wait(ep, 8, -1)", kSend}));
  EXPECT_THAT(story.blocked("s"), ElementsAreArray({"no_new_edge", "another_waiter_woken"}));
  EXPECT_THAT(why_text(story.about("s")), HasSubstr("was woken instead: t."));
  EXPECT_THAT(story.blocked("s", 1), Not(Contains("another_waiter_woken")));
}

TEST(WhyBlocked, AnExclusiveWaiterTookIt) {
  const char* first = "s: epoll_ctl(ep, EPOLL_CTL_ADD, a, EPOLLIN|EPOLLEXCLUSIVE)";
  const char* second = "s: epoll_ctl(eq, EPOLL_CTL_ADD, a, EPOLLIN|EPOLLEXCLUSIVE)";
  Story story(
      steps({"s: thread(t)", "s: eq = epoll_create1(0)", first, second, kSleep, "t: epoll_wait(eq, 8, -1)", kSend}));
  EXPECT_THAT(story.returned("s"), Contains("event_reported"));
  EXPECT_THAT(story.blocked("t"), ElementsAreArray({"exclusive_taken"}));
  Story shared(steps({"s: thread(t)", "s: eq = epoll_create1(0)", kWatch, "s: epoll_ctl(eq, EPOLL_CTL_ADD, a, EPOLLIN)",
                      kSleep, "t: epoll_wait(eq, 8, -1)", kSend}));
  EXPECT_THAT(shared.returned("t"), Contains("event_reported")) << "without EPOLLEXCLUSIVE both are told";
}

// --- why other calls did not return ---

TEST(WhyBlocked, InAccept) {
  Story story(steps({"s: accept(l)"}));
  EXPECT_THAT(story.blocked("s"), ElementsAreArray({"accept_queue_empty"}));
  Story two(steps({"s: thread(t)", "s: accept(l)", "t: accept(l)", "c: x = socket(AF_INET, SOCK_STREAM, 0)",
                   "c: connect(x, addr(l))"}));
  EXPECT_THAT(two.blocked("t"), ElementsAreArray({"accept_queue_empty", "another_waiter_woken"}));
  EXPECT_THAT(two.returned("s"), ElementsAreArray({"connection_came", "accept_3"}));
}

TEST(WhyBlocked, InRecv) {
  Story story(steps({"c: recv(k, 9)"}));
  EXPECT_THAT(story.blocked("c"), ElementsAreArray({"nothing_queued"}));
  Story little(steps({"c: setsockopt(k, SOL_SOCKET, SO_RCVLOWAT, 5)", "c: recv(k, 9)", "s: send(a, \"abc\")"}));
  EXPECT_THAT(little.blocked("c"), Contains("too_little_queued"));
}

TEST(WhyBlocked, InSendOnAPeerWhoDoesNotRead) {
  Story story(steps({"c: send(k, \"x\"*4000000)"}));
  EXPECT_THAT(story.blocked("c"), ElementsAreArray({"buffer_not_free_enough", "window_closed"}));
  EXPECT_THAT(Story(steps({"c: send(k, \"x\"*1000)"})).returned("c"), ElementsAreArray({"sent"}));
}

TEST(WhyBlocked, InConnectToAFullAcceptQueue) {
  Story story(steps({"c: x = socket(AF_INET, SOCK_STREAM, 0)", "c: connect(x, addr(l))",
                     "d: y = socket(AF_INET, SOCK_STREAM, 0)", "d: connect(y, addr(l))"}),
              "0");
  EXPECT_THAT(story.returned("c", 2), ElementsAreArray({"connected"}));
  EXPECT_THAT(story.blocked("d"), ElementsAreArray({"syn_unanswered", "accept_queue_full_syn_dropped"}));
}

TEST(WhyBlocked, OnAPipe) {
  Story story(steps({"s: r, w = pipe2(0)", "s: read(r, 9)"}));
  EXPECT_THAT(story.blocked("s"), ElementsAreArray({"pipe_is_empty"}));
  EXPECT_THAT(Story(steps({"s: r, w = pipe2(0)", "s: write(w, \"x\"*70000)"})).blocked("s"),
              ElementsAreArray({"pipe_is_full"}));
}

TEST(WhyBlocked, ForADatagramACounterOrInPoll) {
  Story datagram(steps({"s: u = socket(AF_INET, SOCK_DGRAM, 0)", "s: bind(u, 127.0.0.1:0)", "s: recv(u, 9)"}));
  EXPECT_THAT(datagram.blocked("s"), ElementsAreArray({"no_datagram"}));
  Story counter(steps({"s: e = eventfd(0, 0)", "s: read(e, 8)"}));
  EXPECT_THAT(counter.blocked("s"), ElementsAreArray({"counter_is_zero"}));
  Story poll(steps({"s: poll([{a, POLLIN}, {l, POLLIN}], -1)"}));
  EXPECT_THAT(poll.blocked("s"), ElementsAreArray({"item_nothing_queued", "item_accept_queue_empty"}));
  Story watched(steps({"s: e = eventfd(0, 0)", "s: epoll_ctl(ep, EPOLL_CTL_ADD, e, EPOLLIN)", kSleep}));
  EXPECT_THAT(watched.blocked("s"), ElementsAreArray({"item_counter_is_zero"}));
}

// --- the words ---

/// Words of a thing that the schema has English ones for.
bool is_of_the_schema(const std::string& id) {
  return id.starts_with("rule.") || id.starts_with("kind.") || id.starts_with("about.");
}

TEST(Explain, HasTheSameSentencesInBothLanguages) {
  auto english = explain_ids("en");
  auto chinese = explain_ids("zh");
  std::erase_if(chinese, is_of_the_schema);
  EXPECT_EQ(english, chinese);
  EXPECT_GT(english.size(), 50u);
}

TEST(Explain, TellsEveryRuleKindAndFunctionOfTheModelInChineseAndNoOthers) {
  Story story("");
  const trace::Schema& schema = story.trace().schema();
  std::vector<std::string> there;
  for (const trace::Rule& rule : schema.rules) there.push_back("rule." + rule.id);
  for (const trace::Kind& kind : schema.kinds) there.push_back("kind." + kind.name);
  for (const trace::FunctionInfo& function : schema.functions) there.push_back("about." + function.name);
  std::vector<std::string> told = explain_ids("zh");
  std::erase_if(told, std::not_fn(is_of_the_schema));
  EXPECT_THAT(told, ::testing::UnorderedElementsAreArray(there));
  EXPECT_EQ(explain_kind("zh", *schema.find_kind("epitem")), "epoll 关注的一个描述符。");
  EXPECT_EQ(explain_kind("en", *schema.find_kind("epitem")), schema.find_kind("epitem")->sentence);
}

TEST(Why, IsToldAsJson) {
  Story story(steps({"s: recv(a, 9)"}));
  auto json = nlohmann::json::parse(why_json(story.about("s")));
  ASSERT_EQ(json["answers"].size(), 1u);
  EXPECT_EQ(json["answers"][0]["kind"], "returned");
  EXPECT_EQ(json["answers"][0]["result"], "-1 EAGAIN");
  EXPECT_EQ(json["answers"][0]["reasons"][0]["id"], "recv_would_block");
  EXPECT_EQ(json["answers"][0]["reasons"][0]["step"], 8);
}

/// A server's thread gets data; `worker` runs the service's callback.
std::vector<std::string> why_handled(bool by_worker, bool with_message) {
  story::Writer writer(story::schema());
  const trace::TaskId server = writer.spawn("socket-server"), worker = writer.spawn("worker-1");
  writer.run(server);
  writer.step("socket-server: recv(13, 64)");
  writer.syscall("__x64_sys_accept4", "recv(13, 64)");
  writer.leave_syscall(5, "5 \"hello\"");
  if (with_message) writer.log("message 4 data of socket 2 pushed to service 1, 1 waiting");
  if (by_worker) writer.run(worker);
  if (with_message) writer.log("message 4 data of socket 2 taken by service 1");
  writer.log("callback on_data of service 1 begins, socket 2");
  std::vector<std::string> out;
  for (const WhyAnswer& answer : why(writer.trace, 0, writer.trace.size()))
    if (answer.kind == WhyKind::kHandled)
      for (const WhyLine& line : answer.lines) out.push_back(line.id + ": " + line.text);
  return out;
}

TEST(WhyHandled, NamesTheMessageItsPusherAndTheCallThatBroughtIt) {
  EXPECT_THAT(why_handled(true, true),
              ElementsAreArray(
                  {"handled_taken: It handles a message: message 4 data of socket 2 taken by service 1.",
                   "handled_pushed: socket-server had pushed it into the queue (step 1).",
                   "handled_after: What brought it: socket-server's recv(13, 64) returned 5 \"hello\" (step 1)."}));
  EXPECT_THAT(why_handled(false, true), Contains(HasSubstr("handled_pushed_itself: The same thread")));
}

TEST(WhyHandled, SaysWhenNoMessageStandsBehindIt) {
  EXPECT_THAT(why_handled(true, false), ElementsAreArray({HasSubstr("handled_without_message")}));
}

}  // namespace
}  // namespace wakepath::exports
