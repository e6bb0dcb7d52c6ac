#pragma once

// The kernel versions that the model can stand for. 6.18 is the model itself; another version is a table of what is
// different there (profile_4_19.def), with the file of that version which says so, and a few `if (k.linux_4_19())`
// where order or effect differ. What no file was found for stands as a gap and is as in 6.18.

#include <cstdint>
#include <string_view>
#include <vector>

#include "sim/trace/schema.hh"

namespace wakepath::kernel {

enum class Profile : std::uint8_t { v6_18, v4_19 };

/// "6.18", "4.19"
std::string_view profile_name(Profile profile);

/// One point in which Linux 4.19 differs.
struct ProfilePoint {
  enum class Kind {
    renamed,  ///< `function` of the model has the name `name` in 4.19, or stands in another file.
    absent,   ///< 4.19 has no `function`: its `name` does that work itself.
    only,     ///< The model enters `function` under 4.19 alone.
    behaves,  ///< In `function` of 4.19, what `sentence` says.
  };
  Kind kind;
  std::string_view function;
  std::string_view name;
  std::string_view source;  ///< File of Linux 4.19.
  std::string_view sentence;
};
const std::vector<ProfilePoint>& profile_4_19();

/// What is not known of Linux 4.19, or known and not modelled.
struct ProfileGap {
  std::string_view about;
  std::string_view sentence;
};
const std::vector<ProfileGap>& profile_4_19_gaps();

/// Gives the schema's functions the names and files of the profile, and its producer the profile's name.
void name_by_profile(trace::Schema& schema, Profile profile);
/// For Recorder::leave_out(): the functions that the profile does not have. nullptr: it has all.
const std::uint8_t* absent_functions(Profile profile);

}  // namespace wakepath::kernel
