#include "src/scenario/views.hh"

#include <unistd.h>

#include <fmt/format.h>

#include <array>
#include <cerrno>
#include <cstdio>
#include <fstream>
#include <sstream>
#include <system_error>

#include "sim/export/proc.hh"
#include "sim/export/reading.hh"
#include "sim/trace/cursor.hh"
#include "src/scenario/kernel_oracle.hh"
#include "src/scenario/scope.hh"

namespace wakepath::scenario {
namespace {

namespace fs = std::filesystem;

/// Throws FileError, for a folder that cannot be made and for a full disk alike.
void write_file(const fs::path& path, const std::string& text) {
  std::error_code error;
  fs::create_directories(path.parent_path(), error);
  if (!error) {
    errno = 0;
    std::ofstream out(path, std::ios::binary | std::ios::trunc);
    out << text;
    out.close();
    error = out ? std::error_code() : std::error_code(errno != 0 ? errno : EIO, std::generic_category());
  }
  if (error) {
    throw FileError{{}, fmt::format("{} cannot be written: {}", path.string(), error.message())};
  }
}

/// A file of /proc; empty when it is not there.
std::string read_file(const std::string& path) {
  std::ifstream in(path, std::ios::binary);
  std::stringstream all;
  all << in.rdbuf();
  return all.str();
}

/// What a program prints; empty when it is not installed.
std::string output_of(const std::string& command) {
  FILE* pipe = popen(("LC_ALL=C " + command + " 2>/dev/null").c_str(), "re");
  if (pipe == nullptr) {
    return {};
  }
  std::string text;
  std::array<char, 4096> buffer{};
  while (const size_t size = fread(buffer.data(), 1, buffer.size(), pipe)) {
    text.append(buffer.data(), size);
  }
  pclose(pipe);
  return text;
}

/// ss fills its last column with blanks, as wide as the terminal would be.
std::string without_trailing_blanks(const std::string& text) {
  std::istringstream in(text);
  std::string out;
  for (std::string line; std::getline(in, line);) {
    out += line.substr(0, line.find_last_not_of(' ') + 1) + "\n";
  }
  return out;
}

}  // namespace

void write_kernel_views(const fs::path& folder, const std::map<std::string, pid_t>& actors) {
  for (const std::string table : {"tcp", "udp", "tcp6", "udp6"}) {
    write_file(folder / ("proc-net-" + table), read_file("/proc/thread-self/net/" + table));
  }
  write_file(folder / "ss", without_trailing_blanks(output_of("ss -tanie")));
  for (const auto& [name, tid] : actors) {
    const std::string task = fmt::format("/proc/{}", tid);
    write_file(folder / name / "fd", output_of("ls -l " + task + "/fd"));
    for (const int fd : open_descriptors(tid)) {
      write_file(folder / name / fmt::format("fdinfo-{}", fd), read_file(fmt::format("{}/fdinfo/{}", task, fd)));
    }
  }
}

namespace {

void write_task(const fs::path& folder, const trace::Trace& trace, const trace::World& world, const std::string& name) {
  const std::optional<std::string> listing = exports::proc_fd(trace, world, name);
  if (!listing) {
    return;  // it has exited
  }
  write_file(folder / "fd", *listing);
  const exports::Reading reading(trace, world);
  const trace::Object* files = reading.target(*reading.task(name), "files");
  for (const trace::Ref slot : reading.list(*files, "fd_array")) {
    const auto fd = static_cast<int>(reading.number(*reading.find(slot.object), "fd"));
    if (const std::optional<std::string> info = exports::proc_fdinfo(trace, world, name, fd)) {
      write_file(folder / fmt::format("fdinfo-{}", fd), *info);
    }
  }
}

}  // namespace

void write_model_views(const fs::path& folder, const trace::Trace& trace) {
  trace::Cursor cursor(trace);
  for (trace::Position at = 0; at < trace.size(); ++at) {
    const trace::Record& record = trace[at];
    if (record.kind != trace::RecordKind::kNote || record.field != static_cast<uint16_t>(trace::NoteKind::kMark)) {
      continue;
    }
    cursor.seek(at + 1);
    const trace::World& world = cursor.world();
    const fs::path place = folder / std::string(trace.string(record.object));
    write_file(place / "proc-net-tcp", exports::proc_net_tcp(trace, world));
    write_file(place / "proc-net-udp", exports::proc_net_udp(trace, world));
    write_file(place / "proc-net-tcp6", exports::proc_net_tcp6(trace, world));
    write_file(place / "proc-net-udp6", exports::proc_net_udp6(trace, world));
    write_file(place / "ss", exports::ss(trace, world, *exports::ss_options("tanie")));
    for (const trace::Task& task : world.tasks()) {
      if (task.object != 0) {
        const std::string name = trace::task_name(trace, world, task.id);
        write_task(place / name, trace, world, name);
      }
    }
  }
}

}  // namespace wakepath::scenario
