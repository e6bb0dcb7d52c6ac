#pragma once

#include "gui/stage.hh"

namespace wakepath::gui {

/// How a member of a queue is shown: a packet by its flags or length, a wait entry by its callback and who waits, an
/// epitem by its descriptor and events.
[[nodiscard]] Token make_token(const ViewModel& model, const Moment& moment, trace::Ref member);

}  // namespace wakepath::gui
