#pragma once

#include <gtest/gtest.h>

#include "sim/kernel/kernel.hh"
#include "src/os/linux_os.hh"
#include "src/os/model_os.hh"

/// The machines on which one and the same test runs.
namespace wakepath::os {

struct OnLinux {
  LinuxOs os;
};

struct OnModel {
  kernel::Kernel kernel;
  ModelOs os{kernel};
  OnModel() = default;
  OnModel(const OnModel&) = delete;
  OnModel& operator=(const OnModel&) = delete;
  ~OnModel() { EXPECT_EQ(os.problem(), ""); }
};

/// The model with whoever runs next chosen by a seed.
struct OnModelBySeed {
  kernel::Kernel kernel;
  ModelOs os{kernel, {.schedule_seed = 7, .preemptible = true}};
  OnModelBySeed() = default;
  OnModelBySeed(const OnModelBySeed&) = delete;
  OnModelBySeed& operator=(const OnModelBySeed&) = delete;
  ~OnModelBySeed() { EXPECT_EQ(os.problem(), ""); }
};

using Machines = testing::Types<OnLinux, OnModel, OnModelBySeed>;

struct MachineNames {
  template <class Machine>
  static std::string GetName(int) {
    if (std::is_same_v<Machine, OnLinux>) return "OnLinux";
    return std::is_same_v<Machine, OnModel> ? "OnModel" : "OnModelBySeed";
  }
};

}  // namespace wakepath::os
