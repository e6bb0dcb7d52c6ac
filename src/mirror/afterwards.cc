#include "src/mirror/afterwards.hh"

#include <algorithm>
#include <bit>
#include <string>
#include <utility>
#include <vector>

namespace wakepath::mirror {

os::CallLogOptions ring_of(std::size_t slots) {
  constexpr std::size_t kMostData = 256;
  return {.slots = std::bit_ceil(std::max<std::size_t>(slots, 1024)), .keeps_last = true, .most_data = kMostData};
}

namespace {

/// What a pipe held before the entries begin: the first bytes that were read of it and that nobody has written since.
std::string held_before(int read_end, int write_end, const std::vector<os::LogItem>& entries) {
  std::string read;
  std::size_t written = 0;
  std::size_t held = 0;
  for (const os::LogItem& item : entries) {
    if (item.kind != os::LogItem::Kind::returned || item.record.result < 0) continue;
    const int fd = descriptor_of(item.record);
    if (item.record.call() == os::Call::close && (fd == read_end || fd == write_end)) break;
    if (item.record.call() == os::Call::write && fd == write_end)
      written += static_cast<std::size_t>(item.record.result);
    if (item.record.call() == os::Call::read && fd == read_end) read += item.record.output.data;
    if (read.size() > written) held = std::max(held, read.size() - written);
  }
  return read.substr(0, held);
}

}  // namespace

void follow_afterwards(os::CallLog& log, Mirror& mirror) {
  os::LogHistory history = log.history();
  Present present{.origins = std::move(history.origins)};
  for (const os::LogItem& item : present.origins) {
    if (item.record.call() != os::Call::pipe2) continue;
    const auto [read_end, write_end] = item.record.output.fds;
    present.in_pipes[write_end] = held_before(read_end, write_end, history.kept);
  }
  mirror.begin(present);
  for (os::LogItem& item : history.kept) mirror.take(item);
  mirror.follow(true);
}

}  // namespace wakepath::mirror
