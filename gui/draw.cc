#include "gui/draw.hh"

#include <cfloat>
#include <cmath>

namespace wakepath::gui {

ImU32 ink(Rgb colour, float alpha) {
  return IM_COL32((colour >> 16) & 255, (colour >> 8) & 255, colour & 255, static_cast<int>(alpha * 255 + 0.5f));
}

Rgb colour_of(Tone tone) {
  switch (tone) {
    case Tone::kPlain:
      return theme().text;
    case Tone::kDim:
      return theme().dim;
    case Tone::kLink:
      return theme().user;
    case Tone::kGood:
      return theme().good;
    case Tone::kWait:
      return theme().syscall;
    case Tone::kBad:
      return theme().bad;
    case Tone::kNow:
      return theme().now;
  }
  return theme().text;
}

float Painter::width(const Font& font, std::string_view text) {
  return font.face->CalcTextSizeA(font.px, FLT_MAX, 0, text.data(), text.data() + text.size()).x;
}

namespace {

/// Longest beginning of `text` that leaves room for an ellipsis; cuts between characters, not inside one.
std::string elided(const Font& font, std::string_view text, float room) {
  static const std::string kDots = "\u2026";
  float dots = Painter::width(font, kDots);
  if (room < dots) return "";
  std::size_t low = 0, high = text.size();
  while (low < high) {
    std::size_t middle = (low + high + 1) / 2;
    if (Painter::width(font, text.substr(0, middle)) <= room - dots)
      low = middle;
    else
      high = middle - 1;
  }
  while (low > 0 && (static_cast<unsigned char>(text[low]) & 0xC0) == 0x80) --low;
  return std::string(text.substr(0, low)) + kDots;
}

}  // namespace

float Painter::text(const Font& font, Point p, ImU32 colour, std::string_view text, float room) const {
  if (text.empty() || room <= 0) return 0;
  ImVec2 place(std::round(p.x), std::round(p.y));
  float w = width(font, text);
  if (w <= room) {
    list_->AddText(font.face, font.px, place, colour, text.data(), text.data() + text.size());
    return w;
  }
  std::string cut = elided(font, text, room);
  list_->AddText(font.face, font.px, place, colour, cut.data(), cut.data() + cut.size());
  return width(font, cut);
}

float Painter::text_right(const Font& font, Point p, ImU32 colour, std::string_view words, float room) const {
  float w = std::min(width(font, words), room);
  return text(font, {p.x - w, p.y}, colour, words, room);
}

namespace {

/// Bytes of the character at `at`.
std::size_t character(std::string_view text, std::size_t at) {
  std::size_t end = at + 1;
  while (end < text.size() && (static_cast<unsigned char>(text[end]) & 0xC0) == 0x80) ++end;
  return end - at;
}

/// Chinese stands without spaces: a line may end behind any of its characters, but not before a closing mark.
bool breaks_behind(std::string_view character) {
  return character.size() >= 3 && static_cast<unsigned char>(character[0]) >= 0xE3;
}
bool closes(std::string_view character) {
  static constexpr std::string_view kClosing = "，。、；：？！）”》」』…";
  return character.size() >= 3 && kClosing.find(character) != std::string_view::npos;
}

/// The first place behind `from` where a line may end; the end of the text when there is none.
std::size_t next_break(std::string_view line, std::size_t from) {
  for (std::size_t at = from; at < line.size();) {
    const std::size_t size = character(line, at), next = at + size;
    if (line[at] == ' ' && at > from) return at;
    if (breaks_behind(line.substr(at, size)) && next < line.size() && !closes(line.substr(next, character(line, next))))
      return next;
    at = next;
  }
  return line.size();
}

/// Takes the next line of at most `room` pixels off the front of `words`; the last line takes everything.
std::string_view next_line(const Font& font, std::string_view& words, float room, bool last) {
  std::size_t line_end = words.find('\n');
  std::string_view line = last ? words : words.substr(0, line_end);
  std::size_t fits = line.size();
  if (!last && Painter::width(font, line) > room) {
    fits = 0;
    std::size_t next = next_break(line, 0);
    for (; next < line.size() && Painter::width(font, line.substr(0, next)) <= room; next = next_break(line, next))
      fits = next;
    if (fits == 0) fits = next;  // one long word: the ellipsis cuts it
  }
  line = line.substr(0, fits);
  words.remove_prefix(std::min(words.size(), fits));
  while (!words.empty() && (words.front() == ' ' || words.front() == '\n')) words.remove_prefix(1);
  return line;
}

}  // namespace

int Painter::count_lines(const Font& font, std::string_view words, float room, int lines) {
  int count = 0;
  for (; !words.empty() && count < lines; ++count) next_line(font, words, room, false);
  return count;
}

float Painter::wrapped(const Font& font, Point p, ImU32 colour, std::string_view words, float room, int lines) const {
  float y = p.y;
  for (; !words.empty() && lines > 0; --lines, y += std::round(font.px * 1.32f))
    text(font, {p.x, y}, colour, next_line(font, words, room, lines == 1), room);
  return y - p.y;
}

void Painter::fill(Rect r, ImU32 colour, float rounding) const {
  list_->AddRectFilled({r.x, r.y}, {r.right(), r.bottom()}, colour, rounding);
}

void Painter::frame(Rect r, ImU32 colour, float rounding, float thickness) const {
  list_->AddRect({r.x, r.y}, {r.right(), r.bottom()}, colour, rounding, 0, px(thickness));
}

void Painter::line(Point a, Point b, ImU32 colour, float thickness) const {
  list_->AddLine(at(a), at(b), colour, px(thickness));
}

void Painter::dashed(Point a, Point b, ImU32 colour, float dash, float thickness) const {
  float length = std::hypot(b.x - a.x, b.y - a.y);
  if (length < 1) return;
  float dx = (b.x - a.x) / length, dy = (b.y - a.y) / length;
  for (float t = 0; t < length; t += 2 * dash) {
    float e = std::min(length, t + dash);
    line({a.x + dx * t, a.y + dy * t}, {a.x + dx * e, a.y + dy * e}, colour, thickness);
  }
}

float Painter::pill(Point p, std::string_view words, Rgb colour, bool right, float room, bool solid) const {
  const Font& font = fonts().small_bold;
  float w = std::min(width(font, words), room - px(14));
  if (w <= 0) return 0;
  Rect r{right ? p.x - w - px(14) : p.x, p.y, w + px(14), px(18)};
  fill(r, solid ? ink(colour) : ink(colour, 0.17f), px(9));
  if (!solid) frame(r, ink(colour, 0.5f), px(9));
  text(font, {r.x + px(7), r.y + (r.h - font.px) / 2 - px(0.5f)}, solid ? ink(theme().on_colour) : ink(colour), words,
       w + 1);
  return r.w;
}

void Painter::arrow(const std::vector<Point>& points, ImU32 colour, float thickness, bool head, float radius) const {
  if (points.size() < 2) return;
  Point last = points.back(), before = points[points.size() - 2];
  float length = std::max(1e-3f, std::hypot(last.x - before.x, last.y - before.y));
  float dx = (last.x - before.x) / length, dy = (last.y - before.y) / length;
  float size = head ? px(8) : 0;
  Point stop{last.x - dx * size * 0.8f, last.y - dy * size * 0.8f};
  list_->PathLineTo(at(points.front()));
  for (std::size_t i = 1; i + 1 < points.size(); ++i) {
    Point a = points[i - 1], b = points[i], c = points[i + 1];
    float in = std::hypot(b.x - a.x, b.y - a.y), out = std::hypot(c.x - b.x, c.y - b.y);
    float r = std::min({radius, in / 2, out / 2});
    if (in < 1e-3f || out < 1e-3f) continue;
    Point p{b.x - (b.x - a.x) / in * r, b.y - (b.y - a.y) / in * r};
    Point q{b.x + (c.x - b.x) / out * r, b.y + (c.y - b.y) / out * r};
    list_->PathLineTo(at(p));
    list_->PathBezierQuadraticCurveTo(at(b), at(q), 6);
  }
  list_->PathLineTo(at(stop));
  list_->PathStroke(colour, 0, px(thickness));
  if (head)
    list_->AddTriangleFilled(at(last), {last.x - dx * size + dy * size * 0.5f, last.y - dy * size - dx * size * 0.5f},
                             {last.x - dx * size - dy * size * 0.5f, last.y - dy * size + dx * size * 0.5f}, colour);
}

namespace marks {

namespace {
std::map<std::string, Rect> places;
}

void clear() { places.clear(); }
void put(std::string name, Rect rect) { places.insert_or_assign(std::move(name), rect); }
const std::map<std::string, Rect>& all() { return places; }

}  // namespace marks

}  // namespace wakepath::gui
