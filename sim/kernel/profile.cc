#include "sim/kernel/profile.hh"

#include <array>
#include <string>

#include "sim/kernel/kernel.hh"

namespace wakepath::kernel {

namespace {

using Kind = ProfilePoint::Kind;

struct TypedPoint {
  Fn function;
  Kind kind;
  const char* name;
  const char* source;
};

/// The table's lines about functions of the model.
constexpr TypedPoint kFunctions[] = {
#define WP_RENAMED(function, name, source) {Fn::function, Kind::renamed, name, source},
#define WP_ABSENT(function, name, source) {Fn::function, Kind::absent, name, source},
#define WP_ONLY(function, source) {Fn::function, Kind::only, #function, source},
#include "sim/kernel/profile_4_19.def"
#undef WP_RENAMED
#undef WP_ABSENT
#undef WP_ONLY
};

constexpr std::size_t kFunctionCount = 0
#define WP_FUNCTION(name, layer, source, sentence) +1
#include "sim/kernel/functions.def"
#undef WP_FUNCTION
    ;

constexpr std::array<std::uint8_t, kFunctionCount> absent_in_4_19() {
  std::array<std::uint8_t, kFunctionCount> absent{};
  for (const TypedPoint& point : kFunctions)
    if (point.kind == Kind::absent) absent[static_cast<std::size_t>(point.function)] = 1;
  return absent;
}

}  // namespace

std::string_view profile_name(Profile profile) { return profile == Profile::v4_19 ? "4.19" : "6.18"; }

const std::vector<ProfilePoint>& profile_4_19() {
  static const std::vector<ProfilePoint> points = {
#define WP_RENAMED(function, name, source) {Kind::renamed, #function, name, source, ""},
#define WP_ABSENT(function, name, source) {Kind::absent, #function, name, source, ""},
#define WP_ONLY(function, source) {Kind::only, #function, #function, source, ""},
#define WP_BEHAVES(function, source, sentence) {Kind::behaves, function, function, source, sentence},
#include "sim/kernel/profile_4_19.def"
#undef WP_RENAMED
#undef WP_ABSENT
#undef WP_ONLY
#undef WP_BEHAVES
  };
  return points;
}

const std::vector<ProfileGap>& profile_4_19_gaps() {
  static const std::vector<ProfileGap> gaps = {
#define WP_GAP(about, sentence) {about, sentence},
#include "sim/kernel/profile_4_19.def"
#undef WP_GAP
  };
  return gaps;
}

void name_by_profile(trace::Schema& schema, Profile profile) {
  schema.producer = "modelled kernel, profile " + std::string(profile_name(profile));
  if (profile == Profile::v6_18) return;
  for (const TypedPoint& point : kFunctions) {
    if (point.kind != Kind::renamed) continue;
    trace::FunctionInfo& function = schema.functions[static_cast<std::size_t>(point.function)];
    function.name = point.name;
    function.source = point.source;
  }
}

const std::uint8_t* absent_functions(Profile profile) {
  static constexpr std::array<std::uint8_t, kFunctionCount> kAbsent = absent_in_4_19();
  return profile == Profile::v4_19 ? kAbsent.data() : nullptr;
}

}  // namespace wakepath::kernel
