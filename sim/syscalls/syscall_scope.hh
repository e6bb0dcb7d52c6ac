#pragma once

#include <cstring>
#include <string>

#include "sim/kernel/kernel.hh"

namespace wakepath::kernel {

/// One system call of a task, from entry to return, with its words. The outermost frame of the task's stack.
class SyscallScope {
 public:
  SyscallScope(Kernel& k, Fn entry, const std::string& text) : entered_(k, entry, text), call_(k, entry, nullptr) {}

  /// Notes the result and passes it on. `output` stands behind the number: data, events, an address.
  long done(long result, const std::string& output = "") {
    entered_.result = result;
    entered_.text = result < 0 ? std::string("-1 ") + error_name(result) : std::to_string(result) + output;
    return call_.result(result);
  }

 private:
  static const char* error_name(long result) {
    const char* name = strerrorname_np(static_cast<int>(-result));
    return name != nullptr ? name : "E?";
  }

  struct Entered {
    Entered(Kernel& kernel, Fn function, const std::string& words)
        : k(kernel), entry(function), at(k.recorder.syscall(static_cast<trace::FunctionId>(function), words)) {}
    ~Entered() { k.recorder.syscall_return(at, static_cast<trace::FunctionId>(entry), result, text); }
    Entered(const Entered&) = delete;
    Entered& operator=(const Entered&) = delete;
    Kernel& k;
    Fn entry;
    trace::Position at;
    long result = 0;
    std::string text = "killed";
  };

  Entered entered_;  // before call_: it ends after it
  Call call_;
};

}  // namespace wakepath::kernel
