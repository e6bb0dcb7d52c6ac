#pragma once

#include "sim/export/call_text.hh"
#include "sim/export/explain.hh"
#include "sim/export/history.hh"
#include "sim/export/reading.hh"
#include "sim/export/why.hh"

/// The parts of why(): one file a kind of question. Nobody else includes this.

namespace wakepath::exports {

using trace::Object;
using trace::ObjectId;
using trace::Position;
using trace::Record;
using trace::RecordKind;

/// One question: the moment, the records that belong to it, and how to say things.
struct Question {
  const History& history;
  const Reading& reading;  ///< The world at `to`.
  trace::Position from = 0;
  trace::Position to = 0;
  std::string language;

  [[nodiscard]] WhyLine say(std::string_view id, const Places& places = {}, trace::Position at = 0) const;
  /// A rule that applied at a record.
  [[nodiscard]] WhyLine say_rule(trace::Position at) const;
  /// "client's send(3, …) (step 9)", or the timer on whose time a record was written.
  [[nodiscard]] std::string whose_doing(trace::Position at) const;
  [[nodiscard]] std::string task_name(trace::TaskId task) const;
  [[nodiscard]] std::string call_text(trace::Position syscall) const;
};

/// A call that has returned, with everything that its reasons are read from.
struct Return {
  Position entered = 0;
  Position at = 0;  ///< Its kSyscallReturn.
  trace::TaskId task = 0;
  CallText call;
  std::string_view said;    ///< The result in words: "1 [{POLLIN, 3}]".
  std::int64_t result = 0;  ///< Not negative.
  const Object* caller = nullptr;
  const Object* file = nullptr;  ///< Of the first descriptor, if it is still open.
};

/// A rule by which a thread goes to sleep: it explains a sleep, not its end.
[[nodiscard]] bool is_waiting(const trace::Rule& rule);

void why_woke(const Question& question, trace::Position wake, WhyAnswer& answer);
void why_returned(const Question& question, trace::Position returned, WhyAnswer& answer);
/// Who brought what a call of CallFamily::kRead took, or why there was nothing.
void why_read(const Question& question, const Return& call, std::vector<WhyLine>& lines);
/// What poll() or select() found, or that they found nothing.
void why_polled(const Question& question, const Return& call, std::vector<WhyLine>& lines);
/// `task` sleeps in poll() or select(): why none of the files has ended it.
void why_poll_is_quiet(const Question& question, ObjectId task, std::vector<WhyLine>& lines);
/// What a call that neither read nor waited has done.
void why_done(const Question& question, const Return& call, std::vector<WhyLine>& lines);
/// Whether a record is a note that a service's callback begins, and why it did.
[[nodiscard]] bool begins_callback(const trace::Trace& trace, const trace::Record& record);
void why_handled(const Question& question, trace::Position began, WhyAnswer& answer);
/// `task` is in a system call at `question.to`.
void why_blocked(const Question& question, trace::TaskId task, WhyAnswer& answer);
/// Of a file of which nothing that is wanted is there: what it lacks. `places`: fd, object, wanted.
[[nodiscard]] WhyLine nothing_there(const Question& question, const Object& file, std::uint32_t wanted, Places places);
/// The id of the sentence for a file that can never have any of that: the read end of a pipe, EPOLLOUT. "" for others.
[[nodiscard]] std::string_view never_there(const Reading& reading, const Object& file, std::uint32_t wanted);
/// The rule by which a listener has dropped the first SYN of this socket, or the last one sent again.
[[nodiscard]] std::optional<trace::Position> syn_dropped(const Question& question, ObjectId sock);
/// Why nothing that an epoll watches ended a wait: a line an item, or that there is none.
void why_epoll_is_quiet(const Question& question, const trace::Object& epoll, trace::TaskId task,
                        std::vector<WhyLine>& lines);

}  // namespace wakepath::exports
