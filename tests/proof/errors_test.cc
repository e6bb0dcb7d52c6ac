// Errors by state: the table is made on the running kernel while the test runs, and the model must give the same.

#include <gtest/gtest.h>

#include <fmt/format.h>

#include <cctype>

#include "src/proof/errors.hh"

namespace wakepath::proof {

/// For GoogleTest, which else shows the bytes.
void PrintTo(const Situation& situation, std::ostream* out) { *out << situation.name; }

namespace {

class CallsOnADescriptor : public testing::TestWithParam<Situation> {};

TEST_P(CallsOnADescriptor, GiveWhatTheKernelGives) {
  for (const std::string& call : calls_on_a_descriptor()) {
    const Cell cell = try_call(GetParam(), call);
    if (cell.judgement.kind == Judgement::Kind::not_run) {
      GTEST_SKIP() << cell.judgement.why_not;
    }
    for (const std::string& sentence : cell.judgement.excused) {
      fmt::print("{}, {}: {}\n", cell.situation, call, sentence);
    }
    if (stands(cell.judgement.kind)) {
      continue;
    }
    ADD_FAILURE() << cell.situation << ", " << call << ": " << cell.model << " on the model, " << cell.kernel
                  << " on the kernel"
                  << (cell.judgement.complaints.empty() ? "" : "; " + cell.judgement.complaints.front());
    for (const scenario::Difference& d : cell.judgement.differences) {
      ADD_FAILURE() << "  step " << d.step << " " << d.field << ": model " << d.model << ", kernel " << d.kernel;
    }
  }
}

INSTANTIATE_TEST_SUITE_P(Situation, CallsOnADescriptor, testing::ValuesIn(situations()), [](const auto& row) {
  std::string name;
  for (const char c : row.param.name) {
    name.push_back(std::isalnum(static_cast<unsigned char>(c)) != 0 ? c : '_');
  }
  return name;
});

}  // namespace
}  // namespace wakepath::proof
