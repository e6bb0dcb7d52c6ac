#include "src/mirror/evidence.hh"

#include <sys/resource.h>
#include <sys/utsname.h>
#include <time.h>

#include <algorithm>
#include <cstdio>

namespace wakepath::mirror::evidence {

PortRange port_range() {
  PortRange range{32768, 60999};
  if (FILE* file = std::fopen("/proc/sys/net/ipv4/ip_local_port_range", "re")) {
    unsigned low = 0, high = 0;
    if (std::fscanf(file, "%u %u", &low, &high) == 2) range = {static_cast<uint16_t>(low), static_cast<uint16_t>(high)};
    std::fclose(file);
  }
  return range;
}

std::size_t descriptor_limit() {
  rlimit limit{};
  getrlimit(RLIMIT_NOFILE, &limit);
  return static_cast<std::size_t>(std::min<rlim_t>(limit.rlim_cur, 1U << 20));
}

std::string kernel_name() {
  utsname name{};
  uname(&name);
  return std::string(name.sysname) + " " + name.release;
}

int64_t now_ns() {
  timespec now{};
  clock_gettime(CLOCK_MONOTONIC, &now);
  return now.tv_sec * int64_t{1'000'000'000} + now.tv_nsec;
}

}  // namespace wakepath::mirror::evidence
