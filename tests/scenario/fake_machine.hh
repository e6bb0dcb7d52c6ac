#pragma once

#include <deque>
#include <functional>
#include <map>
#include <set>
#include <vector>

#include "src/scenario/machine.hh"

namespace wakepath::scenario {

/// A machine without a kernel: a test says what calls give and when. Its time is a number.
class FakeMachine : public Machine {
 public:
  /// Called at each start; what it returns is the outcome, or nothing: the call is blocked.
  std::function<std::optional<Outcome>(const std::string& actor, const Request&)> answer;
  /// Outcomes that become due when time reaches them.
  struct Due {
    Duration at;
    std::string actor;
    Outcome outcome;
  };
  std::vector<Due> due;
  std::map<std::string, long> fields;     ///< of observe(), by the field's name; others are not observable
  std::optional<Duration> timer_of_call;  ///< of timer()
  std::vector<std::string> log;           ///< what the runner asked for
  std::optional<Address> socket_address;  ///< of address()

  void finish(const std::string& actor, Outcome outcome) { done_[actor] = std::move(outcome); }

  std::string_view name() const override { return "kernel"; }
  std::optional<std::string> unknown(const CallStep& call) const override {
    return call.signature->call == Call::select ? std::optional<std::string>("select") : std::nullopt;
  }
  void open(const Scenario&) override { log.push_back("open"); }
  void add_actor(const std::string& actor, const std::string& process) override {
    log.push_back("actor " + actor + " of " + process);
  }
  void begin_step(const Step& step) override { log.push_back("step " + std::to_string(step.number)); }
  void end_step(const Step&) override {}
  void start(const std::string& actor, const Request& request) override {
    requests.push_back(request);
    if (auto outcome = answer ? answer(actor, request) : Outcome{}) {
      done_[actor] = *outcome;
    }
  }
  void signal(const std::string&, int, bool) override {}
  void fault(const Fault&) override {}
  void settle() override { fire(); }
  std::optional<Outcome> take(const std::string& actor) override {
    Outcome outcome = done_.at(actor);
    done_.erase(actor);
    return outcome;
  }
  bool returned(const std::string& actor) override { return done_.count(actor) > 0; }
  std::optional<Duration> timer(const std::string&) override { return timer_of_call; }
  Duration now() override { return now_; }
  void advance(Duration limit) override {
    Duration next = now_ + limit;
    for (const Due& d : due) {
      next = d.at > now_ ? std::min(next, d.at) : next;
    }
    now_ = next;
    fire();
  }
  std::optional<Address> address(const std::string&, int, bool) override { return socket_address; }
  Observation observe(const std::string&, int, const std::string& field) override {
    const auto found = fields.find(field);
    return found == fields.end() ? Observation{} : Observation::number(found->second);
  }
  Observation contains(const std::string&, int, const std::string&, int) override { return {}; }
  Observation observe_model(const std::string&, int, const std::vector<std::string>&) override { return {}; }

  std::vector<Request> requests;

 private:
  void fire() {
    for (const Due& d : due) {
      if (d.at <= now_ && fired_.insert({d.actor, d.at.count()}).second) {
        done_[d.actor] = d.outcome;
      }
    }
  }

  Duration now_{0};
  std::map<std::string, Outcome> done_;
  std::set<std::pair<std::string, long>> fired_;
};

}  // namespace wakepath::scenario
