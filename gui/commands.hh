#pragma once

#include <span>
#include <string>
#include <vector>

#include "gui/app.hh"
#include "gui/imgui_compat.hh"

/// What the keyboard does. One table: the keys themselves, their list (F1) and the palette (Ctrl + P) come from it.

namespace wakepath::gui {

/// A key, and whether Ctrl and Shift are held with it.
struct Chord {
  enum class Shift : std::uint8_t { kAny, kHeld, kNot };
  compat::Key key;
  bool ctrl = false;
  Shift shift = Shift::kAny;
  bool repeats = false;  ///< as long as it is held down
};

struct Command {
  const char* keys;   ///< As people read them.
  const char* words;  ///< What it does, in English.
  std::vector<Chord> chords = {};
  void (*run)(Ui&) = nullptr;  ///< nullptr: a key of some panel; not for the palette.
};

/// In the order of the list.
[[nodiscard]] std::span<const Command> commands();
/// Runs those whose keys went down in this frame.
void run_keys(Ui& ui);

/// A line of the palette: a command, or a step to go to.
struct PaletteLine {
  std::string words;  ///< In the language in use.
  const Command* command = nullptr;
  std::uint64_t step = 0;  ///< When it is no command.
};
/// All lines in which each word of `typed` stands, in either language, whatever its case.
[[nodiscard]] std::vector<PaletteLine> palette_lines(const Ui& ui, const std::string& typed);

}  // namespace wakepath::gui
