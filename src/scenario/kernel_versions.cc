#include "src/scenario/kernel_versions.hh"

#include <sys/utsname.h>

#include <fmt/format.h>

#include <algorithm>
#include <cstdio>
#include <fstream>

#include "src/scenario/yaml.hh"

namespace wakepath::scenario {

extern const char* const kKernelVersions;  // made at build time from assets/kernel-versions.yaml

std::string KernelVersion::text() const { return fmt::format("{}.{}", major, minor); }

namespace {

class TableReader {
 public:
  explicit TableReader(const Source& source) : s_(source) {}

  VersionTable read() const {
    const Yaml root = read_yaml(s_);
    VersionTable table;
    table.judged_from = version(required(root, "judged_from"));
    for (const Yaml& item : required(root, "differences").items) {
      table.differences.push_back(difference(item));
    }
    return table;
  }

 private:
  const Yaml& required(const Yaml& mapping, std::string_view key) const {
    const Yaml* value = mapping.find(key);
    if (value == nullptr) {
      s_.fail(mapping.at, "an entry without '" + std::string(key) + "'", "one");
    }
    return *value;
  }

  KernelVersion version(const Yaml& value) const {
    KernelVersion out;
    char end = 0;
    if (std::sscanf(value.text.c_str(), "%d.%d%c", &out.major, &out.minor, &end) != 2) {
      s_.fail(value.at, "'" + value.text + "'", "a version such as 6.12");
    }
    return out;
  }

  VersionDifference difference(const Yaml& item) const {
    VersionDifference out;
    out.point = required(item, "point").text;
    out.first = version(required(item, "first"));
    if (const Yaml* since = item.find("since")) {
      out.since = version(*since);
    }
    for (const Yaml& call : required(item, "calls").items) {
      out.calls.push_back(call.text);
    }
    if (const Yaml* error = item.find("errno")) {
      out.model_errno = required(*error, "model").text;
      out.kernel_errno = required(*error, "kernel").text;
    }
    out.before = required(item, "before").text;
    out.source = required(item, "source").text;
    return out;
  }

  const Source& s_;
};

}  // namespace

VersionTable read_version_table(const std::string& file, const std::string& text) {
  const Source source(file, text);
  return TableReader(source).read();
}

const VersionTable& version_table() {
  static const VersionTable kTable = read_version_table("kernel-versions.yaml", kKernelVersions);
  return kTable;
}

HostKernel identify_kernel(std::string_view release, std::string_view proc_version) {
  HostKernel host;
  host.release = release;
  std::sscanf(host.release.c_str(), "%d.%d", &host.version.major, &host.version.minor);
  const auto has = [&](std::string_view text) {
    return release.find(text) != std::string_view::npos || proc_version.find(text) != std::string_view::npos;
  };
  // gVisor's fixed answer (pkg/sentry/syscalls/linux: a build date long before the version that it claims)
  if (has("gvisor") || has("gVisor") || has("#1 SMP Sun Jan 10 15:06:54 PST 2016")) {
    host.not_linux = "this is gVisor, an emulation of Linux, and not the kernel that the model follows";
  } else if (has("-Microsoft") && !has("WSL2") && !has("microsoft-standard")) {
    host.not_linux = "this is WSL 1, an emulation of Linux, and not the kernel that the model follows";
  }
  return host;
}

const HostKernel& host_kernel() {
  static const HostKernel kHost = [] {
    utsname name{};
    uname(&name);
    std::ifstream in("/proc/version");
    std::string text;
    std::getline(in, text);
    return identify_kernel(name.release, text);
  }();
  return kHost;
}

std::string why_not_judged(const VersionTable& table, const HostKernel& host) {
  if (!host.not_linux.empty() || host.version >= table.judged_from) {
    return host.not_linux;
  }
  return fmt::format("this is {}, and kernels are judged from {} on", host.release, table.judged_from.text());
}

std::vector<const VersionDifference*> applying(const VersionTable& table, const KernelVersion& version) {
  std::vector<const VersionDifference*> out;
  for (const VersionDifference& d : table.differences) {
    if (version < d.first && (!d.since || version >= *d.since)) {
      out.push_back(&d);
    }
  }
  return out;
}

namespace {

std::string error_of(const Entry& entry) { return !entry.error.empty() ? entry.error : entry.ret ? "0" : "blocked"; }

/// The listed difference that an entry of the kernel's run shows; `model` may be missing.
const VersionDifference* listed(const std::vector<const VersionDifference*>& known, const Entry& kernel,
                                const Entry* model) {
  const std::string call = kernel.call.substr(0, kernel.call.find('('));
  const std::string name = call.substr(call.rfind(' ') + 1);  // "c = accept4"
  for (const VersionDifference* d : known) {
    const bool fits = d->kernel_errno.empty() ||
                      (error_of(kernel) == d->kernel_errno && (model == nullptr || error_of(*model) == d->model_errno));
    if (fits && std::find(d->calls.begin(), d->calls.end(), name) != d->calls.end()) {
      return d;
    }
  }
  return nullptr;
}

std::string in_words(int step, const VersionDifference& d, const HostKernel& host) {
  return fmt::format("step {}: {} (before {}, here {}): {}", step, d.point, d.first.text(), host.release, d.before);
}

std::string not_judged(int step, const VersionTable& table, const HostKernel& host) {
  return fmt::format("step {}: not judged on {}, but from {} on", step, host.release, table.judged_from.text());
}

}  // namespace

Judged judge(const FileResult& model, const FileResult& kernel, const VersionTable& table, const HostKernel& host) {
  Judged out;
  const auto known = applying(table, host.version);
  for (const Difference& d : differences(model, kernel)) {
    const auto entry = [&](const FileResult& result) -> const Entry* {
      for (const Entry& e : result.entries) {
        if (e.step == d.step) {
          return &e;
        }
      }
      return nullptr;
    };
    const Entry* on_kernel = entry(kernel);
    const VersionDifference* found = on_kernel != nullptr ? listed(known, *on_kernel, entry(model)) : nullptr;
    if (found != nullptr) {
      out.excused.push_back(in_words(d.step, *found, host));
    } else if (host.version < table.judged_from) {
      out.excused.push_back(not_judged(d.step, table, host));
      out.unlisted = true;
    } else {
      out.failing.push_back(d);
    }
  }
  out.excused.erase(std::unique(out.excused.begin(), out.excused.end()), out.excused.end());  // one for several fields
  return out;
}

void excuse(FileResult& kernel, const VersionTable& table, const HostKernel& host) {
  if (kernel.ok || kernel.error || kernel.skipped) {
    return;
  }
  const auto known = applying(table, host.version);
  kernel.ok = true;
  for (const Entry& e : kernel.entries) {
    if (e.expect.empty() ? e.expected : e.truth != Entry::Truth::no) {
      continue;
    }
    const VersionDifference* found = e.expect.empty() ? listed(known, e, nullptr) : nullptr;
    if (found != nullptr) {
      kernel.notes.push_back(in_words(e.step, *found, host));
    } else if (host.version < table.judged_from) {
      kernel.notes.push_back(not_judged(e.step, table, host));
    } else {
      kernel.ok = false;
    }
  }
}

}  // namespace wakepath::scenario
