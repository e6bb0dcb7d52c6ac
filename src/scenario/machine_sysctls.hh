#pragma once

#include <string>
#include <utility>
#include <vector>

namespace wakepath::scenario {

/// Sysctls that no namespace has of its own: fs.file-max, fs.epoll.max_user_watches. With another value every program
/// of the machine lives under it, so it is changed only where somebody has said that this machine is for such tests,
/// with WAKEPATH_MACHINE_SYSCTLS=1; by one run at a time; and for no longer than the run.
[[nodiscard]] inline bool is_of_the_machine(const std::string& sysctl) { return sysctl.starts_with("fs."); }

/// A sysctl's name and the value that it is to have.
using Loan = std::pair<std::string, std::string>;

/// Gives them these values until the calling process has ended, however it ends: then a process of its own, which has
/// been made for that, puts the old ones back. (Should somebody kill that one too, the new values stay.) Call once,
/// while there is one thread. Throws Unavailable: not allowed, or refused.
void borrow_sysctls(const std::vector<Loan>& loans);

}  // namespace wakepath::scenario
