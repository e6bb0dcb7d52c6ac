#include <fmt/format.h>

#include <algorithm>
#include <string>
#include <vector>

#include "sim/export/proc.hh"
#include "sim/export/reading.hh"

namespace wakepath::exports {

using trace::Object;

namespace {

/// Where files of a kind live. The numbers are those of one machine: they differ from boot to boot.
struct Place {
  std::string_view f_op;
  std::string_view link;  ///< "{}" is the inode's number
  std::uint64_t ino = 0;  ///< when the model has none for it
  int mnt_id = 0;
  unsigned sdev = 0;
  unsigned extra_flags = 0;
};

constexpr unsigned kLargeFile = 0100000;  // O_LARGEFILE, which open(2) of a 64-bit program adds

constexpr Place kPlaces[] = {
    {"socket_file_ops", "socket:[{}]", 0, 10, 0x9, 0},
    {"eventpoll_fops", "anon_inode:[eventpoll]", 1038, 17, 0x10, 0},
    {"eventfd_fops", "anon_inode:[eventfd]", 1038, 17, 0x10, 0},
    {"timerfd_fops", "anon_inode:[timerfd]", 1038, 17, 0x10, 0},
    {"signalfd_fops", "anon_inode:[signalfd]", 1038, 17, 0x10, 0},
    {"pipefifo_fops", "pipe:[{}]", 0, 16, 0xf, 0},
    {"null_fops", "/dev/null", 3, 24, 0x6, kLargeFile},
};

const Place& place_of(const Reading& reading, const Object& file) {
  static constexpr Place kOther{"", "anon_inode:[{}]", 0, 0, 0, 0};
  std::string_view f_op = reading.symbol(file, "f_op");
  const auto* found = std::find_if(std::begin(kPlaces), std::end(kPlaces), [&](auto& p) { return p.f_op == f_op; });
  return found != std::end(kPlaces) ? *found : kOther;
}

/// file_inode(file)->i_ino
std::uint64_t inode_of(const Reading& reading, const Object& file) {
  if (const Object* inode = reading.target(file, "f_inode")) return reading.value(*inode, "i_ino");
  if (const Object* data = reading.target(file, "private_data"); data != nullptr && reading.has(*data, "i_ino"))
    return reading.value(*data, "i_ino");
  return place_of(reading, file).ino;
}

constexpr std::uint64_t kAccessMode = 3;  // O_ACCMODE

std::string link_line(const Reading& reading, std::int64_t fd, const Object& file) {
  std::uint64_t access = reading.value(file, "f_flags") & kAccessMode;
  std::string_view mode = access == 0 ? "lr-x------" : access == 1 ? "l-wx------" : "lrwx------";
  std::string target = fmt::format(fmt::runtime(place_of(reading, file).link), inode_of(reading, file));
  return fmt::format("{} 1 root root 64 Jan  1  1970 {} -> {}\n", mode, fd, target);
}

/// ep_show_fdinfo(): a line an item, in the order of the tree.
std::string epoll_lines(const Reading& reading, const Object& file) {
  std::string out;
  const Object* ep = reading.target(file, "private_data");
  if (ep == nullptr) return out;
  for (trace::Ref ref : reading.list(*ep, "rbr")) {
    const Object* item = reading.find(ref.object);
    if (item == nullptr) continue;
    const Object* watched = reading.target(*item, "ffd.file");
    if (watched == nullptr) continue;
    out +=
        fmt::format("tfd: {:8} events: {:8x} data: {:16x}  pos:0 ino:{:x} sdev:{:x}\n", reading.number(*item, "ffd.fd"),
                    reading.value(*item, "event.events") & 0xffffffff, reading.value(*item, "event.data"),
                    inode_of(reading, *watched), place_of(reading, *watched).sdev);
  }
  return out;
}

std::string eventfd_lines(const Reading& reading, const Object& file) {
  const Object* context = reading.target(file, "private_data");
  if (context == nullptr) return "";
  return fmt::format("eventfd-count: {:16x}\neventfd-id: {}\neventfd-semaphore: {}\n", reading.value(*context, "count"),
                     reading.value(*context, "id"), reading.value(*context, "flags") & 1);
}

}  // namespace

std::optional<std::string> proc_fd(const trace::Trace& trace, const trace::World& world, std::string_view name) {
  Reading reading(trace, world);
  const Object* task = reading.task(name);
  const Object* files = task == nullptr ? nullptr : reading.target(*task, "files");
  if (files == nullptr) return std::nullopt;
  std::vector<std::pair<std::string, std::string>> lines;
  for (trace::Ref ref : reading.list(*files, "fd_array")) {
    const Object* slot = reading.find(ref.object);
    const Object* file = slot == nullptr ? nullptr : reading.target(*slot, "file");
    if (file == nullptr) continue;  // only reserved
    std::int64_t fd = reading.number(*slot, "fd");
    lines.emplace_back(fmt::format("{}", fd), link_line(reading, fd, *file));
  }
  std::sort(lines.begin(), lines.end());
  std::string out = "total 0\n";
  for (const auto& [fd, line] : lines) out += line;
  return out;
}

std::optional<std::string> proc_fdinfo(const trace::Trace& trace, const trace::World& world, std::string_view name,
                                       int fd) {
  Reading reading(trace, world);
  const Object* task = reading.task(name);
  const Object* file = task == nullptr ? nullptr : reading.file(*task, fd);
  if (file == nullptr) return std::nullopt;
  const Place& place = place_of(reading, *file);
  std::uint64_t flags = reading.value(*file, "f_flags") | place.extra_flags;
  for (trace::Ref ref : reading.list(*reading.target(*task, "files"), "fd_array")) {
    const Object* slot = reading.find(ref.object);
    constexpr std::uint64_t kCloseOnExec = 02000000;
    if (slot != nullptr && reading.number(*slot, "fd") == fd && reading.value(*slot, "close_on_exec") != 0)
      flags |= kCloseOnExec;
  }
  std::string out =
      fmt::format("pos:\t0\nflags:\t0{:o}\nmnt_id:\t{}\nino:\t{}\n", flags, place.mnt_id, inode_of(reading, *file));
  if (place.f_op == "eventpoll_fops") out += epoll_lines(reading, *file);
  if (place.f_op == "eventfd_fops") out += eventfd_lines(reading, *file);
  return out;
}

}  // namespace wakepath::exports
