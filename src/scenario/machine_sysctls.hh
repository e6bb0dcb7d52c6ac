#pragma once

#include <string>

namespace wakepath::scenario {

/// Sysctls that no namespace has of its own: fs.file-max, fs.epoll.max_user_watches. With another value every program
/// of the machine lives under it, so it is changed only where somebody has said that this machine is for such tests,
/// with WAKEPATH_MACHINE_SYSCTLS=1; by one run at a time; and for no longer than the run.
[[nodiscard]] inline bool is_of_the_machine(const std::string& sysctl) { return sysctl.starts_with("fs."); }

/// Gives it this value until the calling process has ended, however it ends: then a process of its own, which has been
/// made for that, puts the old one back. (Should somebody kill that one too, the new value stays.) Call while there is
/// one thread. Throws Unavailable: not allowed, or refused.
void borrow_sysctl(const std::string& name, const std::string& value);

}  // namespace wakepath::scenario
