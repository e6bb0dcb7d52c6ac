// wakepath grade FILE --answers A…: what students answered to a scenario's questions, and which questions are hard.
#include <fmt/format.h>

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <nlohmann/json.hpp>
#include <set>

#include "src/cli/commands.hh"
#include "src/cli/output.hh"
#include "src/lesson/grade.hh"
#include "src/scenario/parser.hh"
#include "src/scenario/text_output.hh"

namespace wakepath::cli {

namespace {

using lesson::Mark;
using Json = nlohmann::ordered_json;

struct Paper {
  std::string student;  ///< the file's name when it does not say
  std::vector<Mark> marks;

  [[nodiscard]] std::size_t right() const {
    return static_cast<std::size_t>(std::count_if(marks.begin(), marks.end(), [](const Mark& m) { return m.right; }));
  }
};

/// Right answers to the question at `which` of all papers.
std::size_t right_at(const std::vector<Paper>& papers, std::size_t which) {
  return static_cast<std::size_t>(
      std::count_if(papers.begin(), papers.end(), [&](const Paper& p) { return p.marks[which].right; }));
}

std::string as_text(const std::vector<Paper>& papers) {
  std::string out;
  for (const Paper& paper : papers) {
    out += fmt::format("{}: {} of {} right\n", paper.student, paper.right(), paper.marks.size());
    for (const Mark& mark : paper.marks)
      if (!mark.right)
        out += fmt::format("  step {}  {}\n    answered: {}\n    expected: {}\n", mark.step, mark.question,
                           mark.given.empty() ? "nothing" : mark.given, mark.expected);
  }
  if (papers.size() < 2) return out;
  out += "\nright answers by question\n";
  for (std::size_t i = 0; i < papers[0].marks.size(); ++i)
    out += fmt::format("  {:>3} of {:<3} step {}  {}\n", right_at(papers, i), papers.size(), papers[0].marks[i].step,
                       papers[0].marks[i].question);
  return out;
}

std::string as_json(const std::vector<Paper>& papers) {
  Json students = Json::array(), questions = Json::array();
  for (const Paper& paper : papers) {
    Json marks = Json::array();
    for (const Mark& mark : paper.marks)
      marks.push_back({{"step", mark.step}, {"given", mark.given}, {"expected", mark.expected}, {"right", mark.right}});
    students.push_back({{"student", paper.student}, {"right", paper.right()}, {"marks", marks}});
  }
  for (std::size_t i = 0; i < papers[0].marks.size(); ++i)
    questions.push_back({{"step", papers[0].marks[i].step},
                         {"question", papers[0].marks[i].question},
                         {"right", right_at(papers, i)},
                         {"of", papers.size()}});
  return Json{{"students", students}, {"questions", questions}}.dump(1, ' ', false, Json::error_handler_t::replace) +
         "\n";
}

std::string as_junit(const std::vector<Paper>& papers) {
  std::vector<scenario::JunitCase> cases;
  for (const Paper& paper : papers)
    for (const Mark& mark : paper.marks) {
      scenario::JunitCase& one = cases.emplace_back();
      one.file = fmt::format("step {}  {}", mark.step, mark.question);
      one.on = paper.student;
      if (!mark.right) one.failure = fmt::format("answered: {}\nexpected: {}", mark.given, mark.expected);
    }
  return scenario::junit_report(cases);
}

}  // namespace

int grade(const GradeOptions& options) {
  const auto parsed = scenario::parse_file(options.file);
  if (const auto* problem = std::get_if<scenario::Problem>(&parsed)) return fail(kWrong, problem->text());
  std::vector<Paper> papers;
  std::set<std::filesystem::path> seen;
  for (const std::string& file : options.answers) {
    std::error_code unknown;
    if (!seen.insert(std::filesystem::weakly_canonical(file, unknown)).second) {
      fmt::print(stderr, "{}: named more than once, counted once\n", file);
      continue;
    }
    std::ifstream in(file);
    if (!in) return fail(kWrong, file + ": cannot be read");
    const std::string text{std::istreambuf_iterator<char>(in), {}};
    const auto answers = lesson::read_answers(file, text);
    if (const auto* error = std::get_if<std::string>(&answers)) return fail(kWrong, *error);
    const auto& given = std::get<lesson::Answers>(answers);
    if (const std::string why = lesson::misfit(std::get<scenario::Scenario>(parsed), given); !why.empty())
      return fail(kWrong, file + ": " + why);
    papers.push_back(
        {given.student.empty() ? file : given.student, lesson::grade(std::get<scenario::Scenario>(parsed), given)});
  }
  if (papers.at(0).marks.empty()) return fail(kWrong, options.file + ": found no ask:, expected questions to grade");
  fmt::print("{}", options.format == "json"    ? as_json(papers)
                   : options.format == "junit" ? as_junit(papers)
                                               : as_text(papers));
  const bool all =
      std::all_of(papers.begin(), papers.end(), [](const Paper& p) { return p.right() == p.marks.size(); });
  return all ? 0 : 1;
}

}  // namespace wakepath::cli
