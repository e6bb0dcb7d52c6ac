#pragma once

#include "sim/kernel/kernel.hh"

namespace wakepath::kernel {

/// What __fput() does around a file's own release: whoever watches it is told first, while it still can be polled; at
/// the end nothing is left of it.
class FinalPut {
 public:
  FinalPut(Kernel& k, struct file* file);
  ~FinalPut();
  FinalPut(const FinalPut&) = delete;
  FinalPut& operator=(const FinalPut&) = delete;

 private:
  Kernel& k_;
  struct file* file_;
  Call call_;
};

}  // namespace wakepath::kernel
