#include <fmt/format.h>

#include <algorithm>
#include <string>
#include <vector>

#include "sim/export/proc.hh"
#include "sim/export/reading.hh"

namespace wakepath::exports {

using trace::Object;

namespace {

/// What /proc tells of the file system that a file stands in. The numbers are those of one machine: they differ from
/// boot to boot.
struct Place {
  std::string link;
  std::uint64_t ino = 0;
  std::uint64_t mnt_id = 0;
  std::uint64_t sdev = 0;
};

/// What dentry->d_op->d_dname() gives.
std::string name_of(const Reading& reading, const Object& dentry, std::uint64_t ino) {
  std::string_view d_op = reading.symbol(dentry, "d_op");
  std::string_view name = reading.text(dentry, "d_name");
  if (d_op == "sockfs_dentry_operations") return fmt::format("socket:[{}]", ino);
  if (d_op == "pipefs_dentry_operations") return fmt::format("pipe:[{}]", ino);
  if (d_op == "anon_inodefs_dentry_operations") return fmt::format("anon_inode:{}", name);
  return fmt::format("/{} (deleted)", name);
}

Place place_of(const Reading& reading, const Object& file) {
  const Object* dentry = reading.target(file, "f_path.dentry");
  if (dentry == nullptr) return {"/dev/null", 3, 24, 0x6};  // the one file here that open(2) found in a directory
  Place place;
  if (const Object* inode = reading.target(file, "f_inode")) place.ino = reading.value(*inode, "i_ino");
  place.link = name_of(reading, *dentry, place.ino);
  const Object* sb = reading.target(*dentry, "d_sb");
  if (sb != nullptr) place.sdev = reading.value(*sb, "s_dev");
  for (const Object* mount : reading.living("mount"))
    if (reading.target(*mount, "mnt_sb") == sb) place.mnt_id = reading.value(*mount, "mnt_id");
  return place;
}

constexpr std::uint64_t kAccessMode = 3;  // O_ACCMODE

std::string link_line(const Reading& reading, std::int64_t fd, const Object& file) {
  std::uint64_t access = reading.value(file, "f_flags") & kAccessMode;
  std::string_view mode = access == 0 ? "lr-x------" : access == 1 ? "l-wx------" : "lrwx------";
  return fmt::format("{} 1 root root 64 Jan  1  1970 {} -> {}\n", mode, fd, place_of(reading, file).link);
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
    Place place = place_of(reading, *watched);
    out += fmt::format("tfd: {:8} events: {:8x} data: {:16x}  pos:0 ino:{:x} sdev:{:x}\n",
                       reading.number(*item, "ffd.fd"), reading.value(*item, "event.events") & 0xffffffff,
                       reading.value(*item, "event.data"), place.ino, place.sdev);
  }
  return out;
}

std::string eventfd_lines(const Reading& reading, const Object& file) {
  const Object* context = reading.target(file, "private_data");
  if (context == nullptr) return "";
  return fmt::format("eventfd-count: {:16x}\neventfd-id: {}\neventfd-semaphore: {}\n", reading.value(*context, "count"),
                     reading.value(*context, "id"), reading.value(*context, "flags") & 1);
}

/// timerfd_show(): times in seconds and ns. The settings were relative, with no flag.
std::string timerfd_lines(const Reading& reading, const Object& file) {
  const Object* context = reading.target(file, "private_data");
  if (context == nullptr) return "";
  auto pair = [](std::uint64_t ns) { return fmt::format("({}, {})", ns / 1'000'000'000, ns % 1'000'000'000); };
  std::uint64_t expires = reading.value(*context, "t.tmr.expires");
  std::uint64_t now = reading.world().now_ns();
  return fmt::format("clockid: {}\nticks: {}\nsettime flags: 00\nit_value: {}\nit_interval: {}\n",
                     reading.value(*context, "clockid"), reading.value(*context, "ticks"),
                     pair(expires > now ? expires - now : 0), pair(reading.value(*context, "tintv")));
}

/// signalfd_show_fdinfo(): a bit a signal, SIGHUP (1) the lowest.
std::string signalfd_lines(const Reading& reading, const Object& file) {
  const Object* context = reading.target(file, "private_data");
  if (context == nullptr) return "";
  return fmt::format("sigmask:\t{:016x}\n", reading.value(*context, "sigmask"));
}

/// unix_show_fdinfo(): how many files wait in messages. Other families show nothing.
std::string socket_lines(const Reading& reading, const Object& file) {
  const Object* socket = reading.target(file, "private_data");
  const Object* sk = socket == nullptr ? nullptr : reading.target(*socket, "sk");
  if (!reading.is(sk, "unix_sock")) return "";
  std::uint64_t files = 0;
  for (trace::Ref ref : reading.list(*sk, "sk_receive_queue.list")) {
    const Object* skb = reading.find(ref.object);
    const Object* list = skb == nullptr ? nullptr : reading.target(*skb, "fp");
    if (list != nullptr) files += reading.value(*list, "count");
  }
  return fmt::format("scm_fds: {}\n", files);
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
  Place place = place_of(reading, *file);
  std::uint64_t flags = reading.value(*file, "f_flags");
  for (trace::Ref ref : reading.list(*reading.target(*task, "files"), "fd_array")) {
    const Object* slot = reading.find(ref.object);
    constexpr std::uint64_t kCloseOnExec = 02000000;
    if (slot != nullptr && reading.number(*slot, "fd") == fd && reading.value(*slot, "close_on_exec") != 0)
      flags |= kCloseOnExec;
  }
  std::string_view f_op = reading.symbol(*file, "f_op");
  std::string out = fmt::format("pos:\t{}\nflags:\t0{:o}\nmnt_id:\t{}\nino:\t{}\n", reading.number(*file, "f_pos"),
                                flags, place.mnt_id, place.ino);
  if (f_op == "eventpoll_fops") out += epoll_lines(reading, *file);
  if (f_op == "socket_file_ops") out += socket_lines(reading, *file);
  if (f_op == "eventfd_fops") out += eventfd_lines(reading, *file);
  if (f_op == "timerfd_fops") out += timerfd_lines(reading, *file);
  if (f_op == "signalfd_fops") out += signalfd_lines(reading, *file);
  return out;
}

}  // namespace wakepath::exports
