#pragma once

#include "sim/trace/schema.hh"

namespace wakepath::gui::test {

/// The kinds, fields and functions that the hand-written traces use, under their Linux names.
trace::Schema linux_schema();

}  // namespace wakepath::gui::test
