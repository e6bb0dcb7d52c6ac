#pragma once

#include <compare>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "src/scenario/json_output.hh"

/// Which kernel runs here, and what of a difference to the model its version excuses. The table is
/// assets/kernel-versions.yaml, built into the program.

namespace wakepath::scenario {

struct KernelVersion {
  int major = 0;
  int minor = 0;
  auto operator<=>(const KernelVersion&) const = default;
  std::string text() const;
};

/// One way in which older kernels behave otherwise than the model.
struct VersionDifference {
  std::string point;
  KernelVersion first;                 ///< the first version that behaves as the model
  std::optional<KernelVersion> since;  ///< the version that brought the other behaviour; nothing: always there
  std::vector<std::string> calls;
  std::string model_errno;  ///< "EBADF", "0"; empty: any result
  std::string kernel_errno;
  std::string before;  ///< what the older kernel does, in words
  std::string source;
};

struct VersionTable {
  KernelVersion judged_from;  ///< below it nothing fails
  std::vector<VersionDifference> differences;
};

/// Throws ParseFailure.
VersionTable read_version_table(const std::string& file, const std::string& text);
const VersionTable& version_table();

struct HostKernel {
  KernelVersion version;
  std::string release;
  std::string not_linux;  ///< why it is not judged at all: something that only looks like Linux; empty: it is Linux
};
/// Why what a kernel gives is not held against the model: it is none, or older than the table's `judged_from`. Empty:
/// it is.
std::string why_not_judged(const VersionTable& table, const HostKernel& host);
/// From uname(2)'s release and the text of /proc/version.
HostKernel identify_kernel(std::string_view release, std::string_view proc_version);
const HostKernel& host_kernel();

/// The differences that a kernel of that version shows.
std::vector<const VersionDifference*> applying(const VersionTable& table, const KernelVersion& version);

/// Differences between the machines, parted by what the kernel's version says of them.
struct Judged {
  std::vector<Difference> failing;
  std::vector<std::string> excused;  ///< in words
  bool unlisted = false;             ///< something is excused that the table does not list, by the kernel's age alone
};
Judged judge(const FileResult& model, const FileResult& kernel, const VersionTable& table = version_table(),
             const HostKernel& host = host_kernel());

/// The same for one run on the kernel against what the file expects: sets `ok` and `notes`.
void excuse(FileResult& kernel, const VersionTable& table = version_table(), const HostKernel& host = host_kernel());

}  // namespace wakepath::scenario
