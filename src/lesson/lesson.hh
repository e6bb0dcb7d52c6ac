#pragma once

#include <string>
#include <variant>
#include <vector>

#include "sim/export/layout.hh"
#include "sim/trace/trace.hh"
#include "src/scenario/ast.hh"

/// A scenario as a page that anybody can open: one HTML file with its steps, words, questions and pictures.

namespace wakepath::lesson {

/// What stands beside a step: one of them is not empty.
struct Note {
  int step = 0;  ///< number of the scenario's step that it is
  const scenario::Text* say = nullptr;
  const scenario::Ask* ask = nullptr;
  std::string holds;  ///< an `expect` as written
  std::string mark;
};

/// One stop of the reader: a step in which something happens, and the words up to the next such step. The first stands
/// before all steps.
struct Slide {
  const scenario::Step* step = nullptr;  ///< nullptr: the beginning
  std::vector<Note> notes;
};
/// In the order of the steps; points into the scenario.
[[nodiscard]] std::vector<Slide> slides_of(const scenario::Scenario& scenario);

/// The pictures of a slide; empty where there is nothing to show.
struct Pictures {
  std::string objects;  ///< SVG element
  std::string path;     ///< SVG element
  std::string tree;     ///< the path as text
};
/// Of every slide, by the trace of the scenario on the model. Or the sentence that says why one cannot be drawn.
[[nodiscard]] std::variant<std::vector<Pictures>, std::string> draw(const std::vector<Slide>& slides,
                                                                    const trace::Trace& trace,
                                                                    exports::LayoutHelper& helper);

/// The page: UTF-8, complete in itself, loads nothing. One picture for each slide.
[[nodiscard]] std::string page(const scenario::Scenario& scenario, const std::vector<Slide>& slides,
                               const std::vector<Pictures>& pictures);

}  // namespace wakepath::lesson
