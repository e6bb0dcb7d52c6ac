#pragma once

#include "src/guest/strace_log.hh"
#include "src/os/call_record.hh"

namespace wakepath::guest {

/// It makes a descriptor that is none of the model's.
bool makes_file(const StraceCall& call);
/// The descriptor that a call has made; -1. Of a pipe or a pair, both are in its output.
int made_by(const StraceCall& call);
inline bool makes_two(os::Call kind) { return kind == os::Call::pipe2 || kind == os::Call::socketpair; }
inline bool receives(os::Call kind) {
  return kind == os::Call::read || kind == os::Call::recv || kind == os::Call::recvfrom;
}

}  // namespace wakepath::guest
