#pragma once

#include <concepts>
#include <cstring>
#include <string_view>

#include "sim/kernel/kernel.hh"
#include "sim/syscalls/words.hh"

namespace wakepath::kernel {

/// One system call of a task, from entry to return, with its words. The outermost frame of the task's stack.
/// Words are given as functions that return a text: with recording off nobody pays for them.
class SyscallScope {
 public:
  template <std::invocable Words>
  SyscallScope(Kernel& k, Fn entry, Words words) : entered_(k, entry, words), call_(k, entry, nullptr) {}

  ~SyscallScope() {
    Kernel& k = entered_.k;
    if (k.task_works > 0 || k.unix_gc_scheduled) exit_to_user_mode(k);
  }
  SyscallScope(const SyscallScope&) = delete;
  SyscallScope& operator=(const SyscallScope&) = delete;

  /// Notes the result and passes it on. `output` gives what stands behind the number: data, events, an address.
  template <std::invocable Output>
  long done(long result, Output output) {
    if (signal_pending(entered_.k)) arch_do_signal_or_restart(entered_.k, &result);
    entered_.result = result;
    if (entered_.k.recorder.enabled()) entered_.say(result < 0 ? failed(result) : words::text(result, output()));
    return call_.result(result);
  }
  long done(long result) {
    return done(result, [] { return ""; });
  }

 private:
  static words::Words failed(long result) {
    const char* name = strerrorname_np(static_cast<int>(-result));
    return words::text("-1 ", name != nullptr ? name : "E?");
  }

  struct Entered {
    template <class Words>
    Entered(Kernel& kernel, Fn function, Words& words) : k(kernel), entry(function) {
      if (k.recorder.enabled()) at = k.recorder.syscall(static_cast<trace::FunctionId>(function), words());
    }
    ~Entered() {
      if (!k.recorder.enabled()) return;
      if (said == 0) say("killed");
      k.recorder.syscall_return(at, static_cast<trace::FunctionId>(entry), result, said);
    }
    void say(std::string_view text) { said = k.recorder.trace().intern(text); }
    Entered(const Entered&) = delete;
    Entered& operator=(const Entered&) = delete;
    Kernel& k;
    Fn entry;
    trace::Position at = 0;
    long result = 0;
    trace::StringId said = 0;  // what done() says
  };

  Entered entered_;  // before call_: it ends after it
  Call call_;
};

}  // namespace wakepath::kernel
