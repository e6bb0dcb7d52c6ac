#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "sim/trace/schema.hh"

/// Every colour of the stage, in one table per theme. A layer keeps its colour everywhere: on cards, in the call stack,
/// on the timeline. Saturated colour means "active now"; and colour never stands alone: there is a word beside it.

namespace wakepath::gui {

/// 0xRRGGBB.
using Rgb = std::uint32_t;

struct Theme {
  std::string_view name;
  Rgb bg, panel, bar, raised, button, hover, line, line2;  ///< surfaces, from the deepest to the nearest; lines
  Rgb text, dim, faint;                                    ///< faint is never used for what must be read
  Rgb on_colour;                                           ///< text on a saturated surface
  Rgb user, syscall, vfs, socket, epoll, tcp, ip, softirq, scheduler;
  Rgb now, good, bad;

  [[nodiscard]] Rgb of(trace::Layer layer) const;
};

/// "dark" (also for an unknown name), "light", "contrast" (colours that stay apart for the colour-blind), "projector"
/// (dark ink on white, for a lamp that washes colours out).
[[nodiscard]] const Theme& theme_named(std::string_view name);
[[nodiscard]] const std::vector<std::string>& theme_names();
/// The one in use; dark until `use_theme`.
[[nodiscard]] const Theme& theme();
void use_theme(std::string_view name);

}  // namespace wakepath::gui
