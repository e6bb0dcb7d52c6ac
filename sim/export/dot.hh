#pragma once

#include <string>
#include <string_view>

#include "sim/trace/schema.hh"

/// What the Graphviz pictures have in common: colours, fonts, escaping. HTML-like tables everywhere, never record
/// shapes: Graphviz drops edges between fields of records on the same rank.

namespace wakepath::exports {

/// "#RRGGBB", the same on every picture and on the stage.
[[nodiscard]] std::string_view layer_colour(trace::Layer layer);
constexpr std::string_view kChangedColour = "#FFF0C2";  ///< behind what changed in this step
constexpr std::string_view kInk = "#0D1117";
constexpr std::string_view kDim = "#5C6B80";
constexpr std::string_view kLine = "#C5CCD6";

/// `text` for an HTML-like label: markup escaped, what XML cannot hold replaced by '?', cut at `most` characters with
/// "…".
[[nodiscard]] std::string html(std::string_view text, std::size_t most = 60);
/// `text` as a quoted DOT string.
[[nodiscard]] std::string quoted(std::string_view text);
/// `<FONT …>text</FONT>`; `inner` is HTML already.
[[nodiscard]] std::string small(std::string_view inner, std::string_view colour = kDim);

/// `digraph … {` with the defaults of a picture: fonts, margins, direction ("LR", "TB"), and a title above it.
[[nodiscard]] std::string graph_head(std::string_view name, std::string_view direction, std::string_view title,
                                     std::string_view subtitle);

}  // namespace wakepath::exports
