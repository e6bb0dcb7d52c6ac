// Known differences: read, and found for what they explain alone.

#include <gtest/gtest.h>

#include "src/proof/known.hh"
#include "src/scenario/problem.hh"

namespace wakepath::proof {
namespace {

Judgement differing(const std::string& call, const scenario::Difference& difference) {
  Judgement out;
  out.kind = Judgement::Kind::differs;
  scenario::Entry entry;
  entry.step = difference.step;
  entry.call = call;
  out.model.entries.push_back(entry);
  out.differences.push_back(difference);
  return out;
}

const char* const kRows =
    "differences:\n"
    "  - {id: full-pipe, call: '^write', field: ret, model: '[0-9]+', kernel: '-1', reason: r, source: s}\n";

TEST(KnownDifferences, ExplainWhatTheyDescribe) {
  const auto known = read_known_differences("rows", kRows);
  ASSERT_EQ(known.size(), 1u);
  EXPECT_NE(explain(differing("write(w, \"x\")", {3, "ret", "1", "-1"}), known), nullptr);
}

TEST(KnownDifferences, ExplainNothingElse) {
  const auto known = read_known_differences("rows", kRows);
  EXPECT_EQ(explain(differing("read(w, 3)", {3, "ret", "1", "-1"}), known), nullptr);
  EXPECT_EQ(explain(differing("write(w, \"x\")", {3, "errno", "1", "-1"}), known), nullptr);
  EXPECT_EQ(explain(differing("write(w, \"x\")", {3, "ret", "1", "-14"}), known), nullptr);
}

TEST(KnownDifferences, WithoutReasonOrSourceAreRefused) {
  for (const std::string missing : {"reason: r, ", ", source: s"}) {
    std::string rows = kRows;
    rows.erase(rows.find(missing), missing.size());
    EXPECT_THROW(read_known_differences("rows", rows), scenario::ParseFailure) << rows;
  }
  for (const std::string given : {"reason: r", "source: s"}) {
    std::string rows = kRows;
    rows.replace(rows.find(given) + given.size() - 1, 1, "''");
    EXPECT_THROW(read_known_differences("rows", rows), scenario::ParseFailure) << rows;
  }
}

TEST(KnownDifferences, OfTheProgramCanBeRead) { EXPECT_NO_THROW(known_differences()); }

}  // namespace
}  // namespace wakepath::proof
