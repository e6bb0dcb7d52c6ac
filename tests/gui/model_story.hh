#pragma once

#include <memory>

#include "sim/trace/trace.hh"

namespace wakepath::gui::test {

/// What the modelled kernel records of a server in epoll_wait, a client that connects, sends, is read and closes.
std::shared_ptr<trace::Trace> record_model_story();

}  // namespace wakepath::gui::test
