#include "sim/export/dot.hh"

#include <fmt/format.h>

#include <array>
#include <cstdint>

namespace wakepath::exports {

std::string_view layer_colour(trace::Layer layer) {
  static constexpr std::array<std::string_view, trace::kLayers> kColours = {
      "#5AA9FF", "#F0B849", "#A78BFA", "#2DD4BF", "#F472B6", "#7BD88F", "#A3E635", "#FF8A65", "#93A1B5"};
  return kColours[static_cast<std::size_t>(layer)];
}

namespace {

/// Bytes of the UTF-8 character that begins `text`; 0 when none does.
std::size_t character(std::string_view text) {
  auto first = static_cast<unsigned char>(text.front());
  std::size_t length = first < 0x80 ? 1 : (first >> 5) == 6 ? 2 : (first >> 4) == 14 ? 3 : (first >> 3) == 30 ? 4 : 0;
  if (length == 0 || text.size() < length || (length == 1 && first < 0x20)) return 0;
  for (std::size_t i = 1; i < length; ++i)
    if ((static_cast<unsigned char>(text[i]) & 0xC0) != 0x80) return 0;
  return length;
}

std::string escaped(std::string_view one) {
  if (one == "&") return "&amp;";
  if (one == "<") return "&lt;";
  if (one == ">") return "&gt;";
  if (one == "\"") return "&quot;";
  return std::string(one);
}

}  // namespace

std::string html(std::string_view text, std::size_t most) {
  std::string out;
  for (std::size_t count = 0; !text.empty(); ++count) {
    if (count == most) return out + "…";
    std::size_t length = character(text);
    out += length == 0 ? "?" : escaped(text.substr(0, length));
    text.remove_prefix(std::max<std::size_t>(length, 1));
  }
  return out;
}

std::string quoted(std::string_view text) {
  std::string out = "\"";
  for (char c : text) {
    if (c == '"' || c == '\\') out += '\\';
    out += static_cast<unsigned char>(c) < 0x20 ? ' ' : c;
  }
  return out + "\"";
}

std::string small(std::string_view inner, std::string_view colour) {
  return fmt::format(R"(<FONT POINT-SIZE="8" COLOR="{}">{}</FONT>)", colour, inner);
}

std::string graph_head(std::string_view name, std::string_view direction, std::string_view title,
                       std::string_view subtitle) {
  constexpr std::string_view kFont = "DejaVu Sans,sans-serif";
  std::string label(title.empty() && subtitle.empty() ? 1 : 0, ' ');  // an empty one is a syntax error
  if (!title.empty())
    label = fmt::format(R"(<FONT POINT-SIZE="15"><B>{}</B></FONT><BR ALIGN="LEFT"/>)", html(title, 120));
  if (!subtitle.empty())
    label += fmt::format(R"(<FONT POINT-SIZE="10" COLOR="{}">{}</FONT><BR ALIGN="LEFT"/>)", kDim, html(subtitle, 160));
  return fmt::format(
      "digraph {} {{\n"
      "  graph [rankdir={}, bgcolor=white, pad=0.3, nodesep=0.22, ranksep=0.55, splines=true, labelloc=t, "
      "labeljust=l,\n"
      "         fontname=\"{}\", fontsize=10, fontcolor=\"{}\", label=<{}>];\n"
      "  node [shape=plain, fontname=\"{}\", fontsize=9, fontcolor=\"{}\"];\n"
      "  edge [fontname=\"{}\", fontsize=8, color=\"{}\", fontcolor=\"{}\", arrowsize=0.6, penwidth=1.1];\n",
      name, direction, kFont, kInk, label, kFont, kInk, kFont, kDim, kDim);
}

}  // namespace wakepath::exports
