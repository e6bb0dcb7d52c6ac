// Sleeping for a word of user space, or for a time.
#include <fmt/format.h>

#include "sim/kernel/futex.hh"
#include "sim/syscalls/syscall_scope.hh"
#include "sim/syscalls/syscalls.hh"

namespace wakepath::kernel {

namespace {

u64 deadline_of(const Kernel& k, u64 timeout_ns) { return timeout_ns == kForever ? kForever : k.now_ns() + timeout_ns; }

std::string word_name(u32 number) { return number == 0 ? "word" : fmt::format("word{}", number); }

std::string duration(u64 ns) { return ns == kForever ? "NULL" : fmt::format("{}ns", ns); }

}  // namespace

MaySleep<long> sys_futex_wait(Kernel& k, const std::atomic<u32>& word, u32 expected, u64 timeout_ns) {
  u32 number = futex_number(k, word);
  if (number == 0) number = ++k.next_futex;
  SyscallScope call(k, Fn::__x64_sys_futex, [&] {
    return fmt::format("futex({}, FUTEX_WAIT_PRIVATE, {}, {})", word_name(number), expected, duration(timeout_ns));
  });
  u64 deadline = deadline_of(k, timeout_ns);
  long result = 0;
  do result = co_await do_futex_wait(k, word, number, expected, deadline);
  while (restarts(k, &result));
  co_return call.done(result);
}

MaySleep<long> sys_futex_wake(Kernel& k, const std::atomic<u32>& word, int count) {
  SyscallScope call(k, Fn::__x64_sys_futex, [&] {
    return fmt::format("futex({}, FUTEX_WAKE_PRIVATE, {})", word_name(futex_number(k, word)), count);
  });
  co_return call.done(do_futex_wake(k, word, count));
}

MaySleep<long> sys_clock_nanosleep(Kernel& k, u64 duration_ns) {
  SyscallScope call(k, Fn::__x64_sys_clock_nanosleep,
                    [&] { return fmt::format("clock_nanosleep(CLOCK_MONOTONIC, {})", duration(duration_ns)); });
  u64 deadline = deadline_of(k, duration_ns);
  long result = 0;
  do result = co_await hrtimer_nanosleep(k, deadline);
  while (restarts(k, &result));
  co_return call.done(result);
}

}  // namespace wakepath::kernel
