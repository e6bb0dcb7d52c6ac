#pragma once

#include <string>

#include "sim/trace/world.hh"

namespace wakepath::exports {

struct TreeOptions {
  bool fields = false;  ///< Every change of a field; else only of states (enumerations).
  bool lists = true;    ///< What joins and leaves queues and lists.
  bool objects = true;  ///< Objects that appear and are freed.
  bool rules = true;    ///< Named rules that applied.
  bool fold = true;     ///< `a > b > c` for calls that do nothing but call; else one line each.
};

/// What happened between two positions, as a tree of calls: thread, context, function, object.
///
///     step 2  client sends 5 bytes
///     client  syscall  sendto(6, 5 bytes) = 5
///     client  process    __x64_sys_sendto > __sys_sendto > tcp_sendmsg(tcp_sock#2)
///     client  softirq      net_rx_action > process_backlog
///     client  softirq        * wakes server
///
/// Indented under a function is what it called; `a > b` is a function that did nothing else than call the next; a name
/// in brackets is the object that the call is about, told when it is another than the caller's. Lines with `*` are
/// events: states, objects new and freed, wake-ups, sleep. `... a > b` are functions entered before, to which the
/// thread came back. The text ends with a newline, or is empty. `from` and `to` beyond the end mean the end.
[[nodiscard]] std::string call_tree(const trace::Trace& trace, trace::Position from, trace::Position to,
                                    const TreeOptions& options = {});

/// One record in words, as the lines with `*` above: "tcp_sock#2.sk_state: TCP_CLOSE -> TCP_LISTEN". Empty for records
/// that have no words of their own (calls, returns). `world` is the one before or after the record.
[[nodiscard]] std::string record_text(const trace::Trace& trace, const trace::World& world,
                                      const trace::Record& record);

}  // namespace wakepath::exports
