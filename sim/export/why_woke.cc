// Why a thread woke: back along the functions that were open when try_to_wake_up() made it runnable.
#include <algorithm>

#include "sim/export/why_parts.hh"

namespace wakepath::exports {

namespace {

/// Where the part of the chain begins that is about this wake-up: the segment's arrival in TCP, when there was one.
Position arrival(const History& history, const std::vector<Position>& chain) {
  for (Position call : chain)
    if (std::string_view name = history.function(call); name == "tcp_v4_do_rcv" || name == "tcp_v6_do_rcv" ||
                                                        name == "tcp_v4_rcv" || name == "tcp_v6_rcv" ||
                                                        name == "udp_rcv")
      return call;
  return chain.empty() ? 0 : chain.back();
}

/// What happened to make somebody worth waking: rules that applied on the way, errors aside.
void say_rules(const Question& q, Position begin, Position wake, WhyAnswer& answer) {
  bool by_epoll = q.history.find_in(q.history.chain(wake), "ep_poll_callback").has_value();
  for (Position at = begin; at < wake; ++at) {
    const trace::Rule* rule = q.history.rule_at(at);
    bool on_the_way = rule != nullptr && q.history.trace()[at].task == q.history.trace()[wake].task;
    if (rule != nullptr && rule->id.starts_with("epoll_") && !by_epoll) continue;  // the way to somebody else
    if (!on_the_way || rule->error != 0 || rule->id == "tcp_ack_delayed" || is_waiting(*rule)) continue;
    auto same = [&](const WhyLine& line) { return line.id == rule->id; };
    if (std::none_of(answer.lines.begin(), answer.lines.end(), same)) answer.lines.push_back(q.say_rule(at));
  }
}

}  // namespace

void why_woke(const Question& q, Position wake, WhyAnswer& answer) {
  std::vector<Position> chain = q.history.chain(wake);
  bool in_time = !q.history.find_in(chain, "hrtimer_wakeup") && !q.history.find_in(chain, "process_timeout");
  answer.lines.push_back(q.say(in_time ? "woke_by" : "woke_timeout", {{"who", q.whose_doing(wake)}}, wake));
  if (!in_time) return;
  Position begin = arrival(q.history, chain);
  say_rules(q, begin, wake, answer);
  std::string path;
  for (auto call = chain.rbegin(); call != chain.rend(); ++call) {
    if (*call < begin) continue;
    std::string name(q.history.function(*call));
    path += (path.empty() ? "" : " > ") + name;
    std::string id = "function." + name;
    std::string words = explain("en", id);
    trace::ObjectId subject = q.history.trace()[*call].object;
    if (words != id)
      answer.lines.push_back(
          q.say(id, {{"object", trace::object_name(q.history.trace(), q.reading.world(), subject)}}, *call));
  }
  answer.lines.push_back(q.say("woke_path", {{"path", path}}, wake));
}

}  // namespace wakepath::exports
