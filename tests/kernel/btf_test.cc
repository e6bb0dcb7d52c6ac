// The structures of Linux 6.18 as its own type information (BTF) has them, member by member: each is recorded by the
// model under its name, or left out for a reason that btf-members.txt gives. The list is of the structures that the
// paths of a socket-server touch.
#include <gtest/gtest.h>

#include <algorithm>
#include <fstream>
#include <sstream>

#include "tests/kernel/machine.hh"

namespace wakepath::testing_kernel {
namespace {

struct Line {
  std::string structure, member, reason;
};

std::vector<Line> lines() {
  std::ifstream in(std::string(WAKEPATH_SOURCE_DIR) + "/tests/kernel/btf-members.txt");
  std::vector<Line> out;
  for (std::string text; std::getline(in, text);) {
    if (text.empty() || text[0] == '#') continue;
    Line& line = out.emplace_back();
    std::istringstream words(text);
    words >> line.structure >> line.member;
    std::getline(words >> std::ws, line.reason);
  }
  return out;
}

/// A field of it, or the structure's part that stands at this member.
bool is_recorded(const trace::Schema& schema, const Line& line) {
  for (const trace::Kind& kind : schema.kinds) {
    for (const trace::FieldInfo& field : kind.fields)
      if (kind.parts[field.part].type == line.structure && field.name == line.member) return true;
    for (const trace::Part& part : kind.parts)
      if (!part.path.empty() && kind.parts[part.parent].type == line.structure &&
          (part.path == line.member || part.path.ends_with("." + line.member)))
        return true;
  }
  return false;
}

TEST(Btf, EveryMemberIsRecordedOrLeftOutForAReason) {
  Machine m;
  const trace::Schema& schema = m.k.trace()->schema();
  const auto all = lines();
  EXPECT_GT(all.size(), 200U);
  for (const Line& line : all) {
    if (line.reason.empty())
      EXPECT_TRUE(is_recorded(schema, line)) << line.structure << " " << line.member;
    else
      EXPECT_FALSE(is_recorded(schema, line)) << line.structure << " " << line.member << " is there: " << line.reason;
  }
}

}  // namespace
}  // namespace wakepath::testing_kernel
