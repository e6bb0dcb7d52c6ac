#include "gui/browser.hh"

#include <algorithm>
#include <filesystem>
#include <tuple>

#include "gui/panel.hh"
#include "gui/tongue.hh"

namespace wakepath::gui {

namespace {

constexpr float kRow = 28, kHeading = 34, kBar = 54;

struct Level {
  const char* name;
  const char* word;
};
constexpr Level kLevels[] = {{"", "All"}, {"intro", "Intro"}, {"core", "Core"}, {"deep", "Deep"}};

int rank(const std::string& level) { return level == "intro" ? 0 : level == "core" ? 1 : 2; }

Rgb colour_of_level(const std::string& level) {
  return level == "intro" ? theme().good : level == "core" ? theme().user : theme().epoll;
}

std::string_view level_word(const std::string& level) {
  for (const Level& one : kLevels)
    if (level == one.name && !level.empty()) return tr(one.word);
  return {};
}

}  // namespace

Browser::Browser(const std::vector<Story>& stories) : stories_(stories) { show_level(""); }

void Browser::show_level(const std::string& level) {
  level_ = level;
  shown_.clear();
  cursor_ = 0;
  scroll_ = 0;
  for (std::size_t i = 0; i < stories_.size(); ++i)
    if (level.empty() || stories_[i].level == level) shown_.push_back(i);
  const auto key = [&](std::size_t i) {
    const Story& s = stories_[i];
    return std::tuple(s.lesson == 0, s.lesson, s.order, rank(s.level), s.file);
  };
  std::sort(shown_.begin(), shown_.end(), [&](std::size_t a, std::size_t b) { return key(a) < key(b); });
}

std::optional<std::size_t> Browser::current() const {
  return cursor_ < shown_.size() ? std::optional(shown_[cursor_]) : std::nullopt;
}

void Browser::keys() {
  using compat::Key;
  using compat::pressed;
  const std::size_t last = shown_.empty() ? 0 : shown_.size() - 1;
  if (pressed(Key::kDown)) cursor_ = std::min(last, cursor_ + 1);
  if (pressed(Key::kUp)) cursor_ = cursor_ == 0 ? 0 : cursor_ - 1;
  if (pressed(Key::kHome, false)) cursor_ = 0;
  if (pressed(Key::kEnd, false)) cursor_ = last;
  for (std::size_t i = 0; i < std::size(kLevels); ++i)
    if (pressed(static_cast<Key>(static_cast<std::size_t>(Key::kOne) + i), false)) show_level(kLevels[i].name);
  if (pressed(Key::kF3, false)) use_theme(next_of(theme_names(), std::string(theme().name)));
  if (pressed(Key::kF4, false)) use_language(next_of(languages(), language()));
  if (pressed(Key::kEnter, false)) chosen_ = current();
}

void Browser::draw_levels(Rect area, float scale) {
  Panel panel("##browsertop", area, theme().bar);
  const Painter p(ImGui::GetWindowDrawList(), scale);
  const Rgb bars[] = {theme().user, theme().socket, theme().epoll};
  for (int i = 0; i < 3; ++i) {
    const float f = static_cast<float>(i);
    p.fill({p.px(16), p.px(16 + f * 8), p.px(24 - f * 5), p.px(5)}, ink(bars[i]), p.px(2.5f));
  }
  p.text(fonts().title, {p.px(52), p.px(8)}, ink(theme().text), "Wakepath");
  p.text(fonts().small, {p.px(52), p.px(31)}, ink(theme().dim), tr("Choose a story"));
  float x = p.px(230);
  for (const Level& level : kLevels) {
    const std::string_view word = tr(level.word);
    const Rect r{x, p.px(12), Painter::width(fonts().small, word) + p.px(20), p.px(30)};
    const bool on = level_ == level.name;
    if (hit((std::string("browser/level/") + level.word).c_str(), r)) show_level(level.name);
    p.fill(r, on ? ink(theme().user, 0.26f) : ink(ImGui::IsItemHovered() ? theme().hover : theme().button), p.px(6));
    p.text(fonts().small, {r.x + p.px(10), r.y + p.px(7.5f)}, ink(on ? theme().text : theme().dim), word);
    x = r.right() + p.px(4);
  }
  p.text_right(fonts().small, {area.right() - p.px(16), p.px(20)}, ink(theme().dim),
               tr("Up Down choose   Enter opens   1 2 3 4 level   F3 colours   F4 language"),
               area.right() - x - p.px(30));
}

void Browser::draw_list(Rect area, float scale) {
  Panel panel("##browserlist", area, theme().panel);
  const Painter p(ImGui::GetWindowDrawList(), scale);
  if (ImGui::GetIO().MouseWheel != 0) scroll_ -= ImGui::GetIO().MouseWheel * p.px(3 * kRow);
  float y = area.y + p.px(8), cursor_y = 0;
  long lesson = -1;
  const std::size_t before = cursor_;
  for (std::size_t i = 0; i < shown_.size(); ++i) {
    const Story& story = stories_[shown_[i]];
    if (story.lesson != lesson) {
      lesson = story.lesson;
      const float at = y - scroll_;
      if (at > area.y - p.px(kHeading) && at < area.bottom())
        p.text(fonts().small_bold, {area.x + p.px(18), at + p.px(12)}, ink(theme().dim),
               lesson == 0 ? std::string(tr("MORE STORIES")) : said("LESSON {}", lesson), area.w - p.px(36));
      y += p.px(kHeading);
    }
    const Rect row{area.x + p.px(10), y - scroll_, area.w - p.px(20), p.px(kRow)};
    if (i == cursor_) cursor_y = y;
    y += p.px(kRow);
    if (row.bottom() < area.y || row.y > area.bottom()) continue;
    const bool clicked = hit(("browser/" + std::filesystem::path(story.file).stem().string()).c_str(), row);
    if (i == cursor_)
      p.fill(row, ink(theme().user, 0.22f), p.px(6));
    else if (ImGui::IsItemHovered())
      p.fill(row, ink(theme().hover, 0.6f), p.px(6));
    const std::string_view level = level_word(story.level);
    const float pill = level.empty() ? 0
                                     : p.pill({row.right() - p.px(6), row.y + p.px(5)}, level,
                                              colour_of_level(story.level), true, p.px(120));
    p.text(fonts().text, {row.x + p.px(12), row.y + p.px(5)}, ink(theme().text), story.title.in(language()),
           row.w - pill - p.px(30));
    if (!clicked) continue;
    if (i == before) chosen_ = shown_[i];  // the second click opens it
    cursor_ = i;
  }
  const float most = std::max(0.0f, y - area.bottom() + p.px(8));
  if (cursor_seen_ != cursor_) {                                    // the cursor moved: it stays in sight
    const float least = cursor_y + p.px(kRow + 8) - area.bottom();  // its row at the lower end, at the upper end
    scroll_ = std::clamp(scroll_, least, std::max(least, cursor_y - area.y - p.px(kHeading + 8)));
    cursor_seen_ = cursor_;
  }
  scroll_ = std::clamp(scroll_, 0.0f, most);
}

void Browser::draw_about(Rect area, float scale) {
  Panel panel("##browserabout", area, theme().bg);
  const Painter p(ImGui::GetWindowDrawList(), scale);
  const auto at = current();
  if (!at) return;
  const Story& story = stories_[*at];
  const float x = area.x + p.px(24), w = area.w - p.px(48);
  float y = area.y + p.px(20);
  y += p.wrapped(fonts().title, {x, y}, ink(theme().text), story.title.in(language()), w, 3) + p.px(8);
  p.text(fonts().mono_small, {x, y}, ink(theme().dim), story.file, w);
  y += p.px(28);
  const int lines = std::max(1, static_cast<int>((area.bottom() - y - p.px(70)) / (fonts().text.px * 1.32f)));
  y += p.wrapped(fonts().text, {x, y}, ink(theme().text), story.about.in(language()), w, lines) + p.px(16);
  const std::string_view word = tr("Open   Enter");
  const Rect button{x, y, Painter::width(fonts().bold, word) + p.px(32), p.px(34)};
  if (hit("browser/open", button)) chosen_ = at;
  p.fill(button, ink(theme().user, ImGui::IsItemHovered() ? 1.0f : 0.85f), p.px(6));
  p.text(fonts().bold, {button.x + p.px(16), button.y + p.px(8)}, ink(theme().on_colour), word);
}

void Browser::frame(float width, float height, float scale) {
  marks::clear();
  keys();
  const float bar = kBar * scale, list = std::min(width * 0.5f, 640 * scale);
  draw_levels({0, 0, width, bar}, scale);
  draw_list({0, bar, list, height - bar}, scale);
  draw_about({list, bar, width - list, height - bar}, scale);
}

}  // namespace wakepath::gui
