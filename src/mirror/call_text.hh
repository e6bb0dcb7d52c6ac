#pragma once

#include <string>

#include "src/os/call_record.hh"

namespace wakepath::mirror {

/// One returned call in a line, as strace would: "server: epoll_wait(5, 64, -1) = 1 [{EPOLLIN, 3}]".
std::string text_of(const os::CallRecord& record);
/// "[{EPOLLIN, 3}, {EPOLLIN|EPOLLHUP, 7}]"
std::string text_of(const std::vector<epoll_event>& events);
/// "[{POLLIN, 3}]": those that have events.
std::string text_of(const std::vector<pollfd>& polled);

}  // namespace wakepath::mirror
