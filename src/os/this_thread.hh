#pragma once

namespace wakepath::os {

/// Tells the calling thread from all others that live at the same time, in a load and without a call. A thread that
/// has ended may have had the same.
inline const void* this_thread_mark() {
  thread_local const char mark = 0;
  return &mark;
}

}  // namespace wakepath::os
