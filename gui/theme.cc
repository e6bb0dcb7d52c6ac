#include "gui/theme.hh"

namespace wakepath::gui {

namespace {

constexpr Theme kDark{.name = "dark",
                      .bg = 0x0D1117,
                      .panel = 0x131922,
                      .bar = 0x10161E,
                      .raised = 0x1A222D,
                      .button = 0x1E2733,
                      .hover = 0x2A3747,
                      .line = 0x263040,
                      .line2 = 0x3A4A60,
                      .text = 0xE6EBF2,
                      .dim = 0x9AA8BC,
                      .faint = 0x64748B,
                      .on_colour = 0x0D1117,
                      .user = 0x5AA9FF,
                      .syscall = 0xF0B849,
                      .vfs = 0xA78BFA,
                      .socket = 0x2DD4BF,
                      .epoll = 0xF472B6,
                      .tcp = 0x7BD88F,
                      .ip = 0x8FB8C9,
                      .softirq = 0xFF8A65,
                      .scheduler = 0xC3CAD6,
                      .now = 0xFFD166,
                      .good = 0x7BD88F,
                      .bad = 0xFF6B6B};

constexpr Theme kLight{.name = "light",
                       .bg = 0xEEF1F5,
                       .panel = 0xFAFBFC,
                       .bar = 0xFFFFFF,
                       .raised = 0xFFFFFF,
                       .button = 0xE6EAF0,
                       .hover = 0xD8DFE8,
                       .line = 0xD5DCE5,
                       .line2 = 0x9AA8BA,
                       .text = 0x17202C,
                       .dim = 0x4A586B,
                       .faint = 0x8492A6,
                       .on_colour = 0xFFFFFF,
                       .user = 0x1D6FD1,
                       .syscall = 0x9A6700,
                       .vfs = 0x6D4AD6,
                       .socket = 0x0B7F72,
                       .epoll = 0xC22377,
                       .tcp = 0x1E7F3C,
                       .ip = 0x3F6C80,
                       .softirq = 0xC2471F,
                       .scheduler = 0x5B6472,
                       .now = 0xB45309,
                       .good = 0x1E7F3C,
                       .bad = 0xC81E1E};

// The eight colours of Okabe and Ito, on the dark surfaces.
constexpr Theme kContrast = [] {
  Theme t = kDark;
  t.name = "contrast";
  t.bg = 0x000000, t.panel = 0x0B0F14, t.bar = 0x0B0F14, t.raised = 0x161C24;
  t.line = 0x3A4656, t.line2 = 0x5B6B80, t.dim = 0xC0CAD6, t.text = 0xFFFFFF;
  t.user = 0x56B4E9, t.syscall = 0xE69F00, t.vfs = 0xB9A3FF, t.socket = 0x00C896, t.epoll = 0xE58ABF;
  t.tcp = 0x8FD14F, t.ip = 0x9FC7DA, t.softirq = 0xFF7F3F, t.now = 0xF0E442, t.good = 0x8FD14F, t.bad = 0xFF5C5C;
  return t;
}();

// A lamp in a lit room leaves a fraction of the contrast: white paper, black ink, the deepest hue of each layer.
constexpr Theme kProjector = [] {
  Theme t = kLight;
  t.name = "projector";
  t.bg = 0xFFFFFF, t.panel = 0xFFFFFF, t.button = 0xE2E6EC, t.hover = 0xCBD3DE;
  t.line = 0xB4BECC, t.line2 = 0x9AA5B4, t.dim = 0x2A3442, t.faint = 0x5A6778, t.text = 0x000000;
  t.user = 0x0047A8, t.syscall = 0x7A4A00, t.vfs = 0x4A22B8, t.socket = 0x005C50, t.epoll = 0x9C0058;
  t.tcp = 0x005C1E, t.ip = 0x1F4A5E, t.softirq = 0xA02800, t.scheduler = 0x38414E;
  t.now = 0x8A3A00, t.good = 0x005C1E, t.bad = 0xB00000;
  return t;
}();

const Theme* in_use = &kDark;

}  // namespace

Rgb Theme::of(trace::Layer layer) const {
  using trace::Layer;
  switch (layer) {
    case Layer::kUser:
      return user;
    case Layer::kSyscall:
      return syscall;
    case Layer::kVfs:
      return vfs;
    case Layer::kSocket:
      return socket;
    case Layer::kEpoll:
      return epoll;
    case Layer::kTcp:
      return tcp;
    case Layer::kIp:
      return ip;
    case Layer::kSoftirq:
      return softirq;
    case Layer::kScheduler:
      return scheduler;
  }
  return scheduler;
}

const Theme& theme_named(std::string_view name) {
  for (const Theme* one : {&kLight, &kContrast, &kProjector})
    if (name == one->name) return *one;
  return kDark;
}

const std::vector<std::string>& theme_names() {
  static const std::vector<std::string> kNames = {"dark", "light", "contrast", "projector"};
  return kNames;
}

const Theme& theme() { return *in_use; }
void use_theme(std::string_view name) { in_use = &theme_named(name); }

}  // namespace wakepath::gui
