// Known differences: read, and found for what they explain alone.

#include <gtest/gtest.h>

#include "src/proof/known.hh"

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

TEST(KnownDifferences, OfTheProgramHaveReasonsAndSources) {
  for (const KnownDifference& row : known_differences()) {
    EXPECT_FALSE(row.reason.empty() || row.source.empty()) << row.id;
  }
}

}  // namespace
}  // namespace wakepath::proof
