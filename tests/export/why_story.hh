#pragma once

#include <gtest/gtest.h>

#include <memory>
#include <string>
#include <variant>
#include <vector>

#include "sim/export/why.hh"
#include "sim/trace/index.hh"
#include "src/scenario/model_machine.hh"
#include "src/scenario/parser.hh"

/// Stories of which tests ask why.

namespace wakepath::exports {

/// Server `s` with listener l and epoll ep, client `c` with k connected to it, a its end; everything after that is the
/// story. Every step may give what it gives.
class Story {
 public:
  explicit Story(const std::string& steps, const std::string& to_listen = "8", const std::string& kernel = "") {
    std::string text = "wakepath: 1\ntitle: a story\n" + kernel + "steps:\n" +
                       "  - s: l = socket(AF_INET, SOCK_STREAM, 0)\n  - s: bind(l, 127.0.0.1:0) = 0\n"
                       "  - s: listen(l, " +
                       to_listen +
                       ") = 0\n  - s: ep = epoll_create1(0)\n"
                       "  - c: k = socket(AF_INET, SOCK_STREAM, 0)\n  - c: connect(k, addr(l)) = 0\n"
                       "  - s: a = accept4(l, SOCK_NONBLOCK)\n" +
                       steps;
    auto parsed = scenario::parse("story.yaml", text);
    if (auto* problem = std::get_if<scenario::Problem>(&parsed)) {
      ADD_FAILURE() << problem->text();
      return;
    }
    auto result = scenario::run_on_model(std::get<scenario::Scenario>(parsed), {}, &trace_);
    EXPECT_FALSE(result.skipped) << *result.skipped;
    EXPECT_FALSE(result.error) << result.error->text();
  }

  /// Answers about `actor` in the step `back` steps before the last.
  std::vector<WhyAnswer> about(const std::string& actor, std::size_t back = 0) const {
    trace::Index index(*trace_);
    index.update();
    const trace::StepEntry& step = index.steps().at(index.steps().size() - 1 - back);
    return why(*trace_, step.begin, step.end + 1, {actor, "en"});
  }
  /// The ids of all reasons of one kind.
  std::vector<std::string> reasons(const std::string& actor, WhyKind kind, std::size_t back = 0) const {
    std::vector<std::string> out;
    for (const WhyAnswer& answer : about(actor, back))
      for (const WhyLine& line : answer.lines)
        if (answer.kind == kind) out.push_back(line.id);
    return out;
  }
  std::vector<std::string> blocked(const std::string& actor, std::size_t back = 0) const {
    return reasons(actor, WhyKind::kBlocked, back);
  }
  std::vector<std::string> returned(const std::string& actor, std::size_t back = 0) const {
    return reasons(actor, WhyKind::kReturned, back);
  }
  const trace::Trace& trace() const { return *trace_; }

 private:
  std::shared_ptr<trace::Trace> trace_;
};

inline std::string steps(const std::vector<std::string>& lines) {
  std::string out;
  for (const std::string& line : lines)
    out += "  - " + line.substr(0, line.find(": ")) + ": '" + line.substr(line.find(": ") + 2) + " = ?'\n";
  return out;
}

}  // namespace wakepath::exports
