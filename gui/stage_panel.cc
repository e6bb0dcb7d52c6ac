#include <cmath>

#include "gui/panel.hh"
#include "gui/tongue.hh"

namespace wakepath::gui {

namespace {

void draw_lanes(const Painter& p, const Stage& stage) {
  for (const Lane& lane : stage.lanes) {
    const Rect& r = lane.rect;
    Rgb c = theme().of(lane.layer);
    p.fill(r, ink(theme().panel, 0.75f), p.px(9));
    p.list()->AddRectFilledMultiColor({r.x + p.px(9), r.y}, {r.x + p.px(260), r.bottom()}, ink(c, 0.10f), ink(c, 0),
                                      ink(c, 0), ink(c, 0.10f));
    p.fill({r.x, r.y + p.px(7), p.px(4), r.h - p.px(14)}, ink(c), p.px(2));
    float room = stage.boundary_x - r.x - p.px(18);
    float y = r.y + p.px(9);
    y += p.wrapped(fonts().small_bold, {r.x + p.px(12), y}, ink(c), tr(lane.name), room, 2) + p.px(2);
    const int lines = std::min(2, static_cast<int>((r.bottom() - y) / (fonts().small.px * 1.32f)));
    p.wrapped(fonts().small, {r.x + p.px(12), y}, ink(theme().dim), tr(lane.hint), room, lines);
  }
  const Rect& user = stage.lanes.front().rect;
  const float room = stage.boundary_x - user.x - p.px(16);
  const int lines = std::max(1, Painter::count_lines(fonts().small_bold, tr("SYSTEM CALL"), room, 2));
  p.wrapped(fonts().small_bold, {user.x + p.px(12), stage.boundary_y - p.px(8) * static_cast<float>(lines)},
            ink(theme().syscall), tr("SYSTEM CALL"), room, lines);
  p.dashed({stage.boundary_x, stage.boundary_y}, {user.right() - p.px(8), stage.boundary_y}, ink(theme().syscall, 0.5f),
           p.px(6), 1.4f);
}

Point along(const std::vector<Point>& points, float part) {
  float total = 0;
  for (std::size_t i = 0; i + 1 < points.size(); ++i)
    total += std::hypot(points[i + 1].x - points[i].x, points[i + 1].y - points[i].y);
  float rest = total * part;
  for (std::size_t i = 0; i + 1 < points.size(); ++i) {
    Point a = points[i], b = points[i + 1];
    float length = std::hypot(b.x - a.x, b.y - a.y);
    if (rest <= length && length > 0) return {a.x + (b.x - a.x) * rest / length, a.y + (b.y - a.y) * rest / length};
    rest -= length;
  }
  return points.back();
}

void draw_edge(const Painter& p, const Edge& e, bool near_selection, double clock) {
  if (!e.hop) {
    bool callback = e.layer == trace::Layer::kEpoll;
    Rgb c = near_selection || callback ? theme().of(e.layer) : theme().line2;
    p.arrow(e.points,
            ink(c, near_selection ? 0.95f
                   : callback     ? 0.45f
                                  : 0.9f),
            near_selection ? 1.8f : 1.3f, true, p.px(7));
    return;
  }
  Rgb c = theme().of(e.layer);
  if (e.active) {
    p.arrow(e.points, ink(c, 0.07f), 11, false, p.px(8));
    p.arrow(e.points, ink(c, 0.14f), 6, false, p.px(8));
  }
  p.arrow(e.points, ink(c, e.active ? 1.0f : 0.72f), e.active ? 2.4f : 1.7f, true, p.px(8));
  if (!e.innermost) return;
  for (int k = 0; k < 3; ++k) {
    float part = static_cast<float>(std::fmod(clock * 0.8 + 0.45 + k * 0.09, 1.0));
    Point at_now = along(e.points, part);
    float f = static_cast<float>(k);
    p.list()->AddCircleFilled(at(at_now), p.px(7 - f * 1.5f), ink(c, 0.25f));
    p.list()->AddCircleFilled(at(at_now), p.px(3.4f - f * 0.7f), ink(theme().text, 0.95f - f * 0.25f));
  }
}

void draw_badge(const Painter& p, const Edge& e) {
  if (!e.hop) return;
  Rgb c = theme().of(e.layer);
  p.list()->AddCircleFilled(at(e.badge), p.px(10.5f), ink(theme().bg));
  p.list()->AddCircleFilled(at(e.badge), p.px(9), ink(c, e.active ? 1.0f : 0.85f));
  if (e.in_softirq) p.list()->AddCircle(at(e.badge), p.px(10.5f), ink(theme().softirq), 0, p.px(1.6f));
  std::string number = std::to_string(e.number);
  float w = Painter::width(fonts().small_bold, number);
  p.text(fonts().small_bold, {e.badge.x - w / 2, e.badge.y - fonts().small_bold.px / 2 - p.px(0.5f)},
         ink(theme().on_colour), number);
  if (e.label_rect.w <= 0) return;
  p.fill(e.label_rect, ink(theme().bg, 0.88f), p.px(4));
  p.text(fonts().mono_small, {e.label_rect.x + p.px(4), e.label_rect.y + p.px(0.5f)}, ink(c, e.active ? 1.0f : 0.85f),
         e.label, e.label_rect.w - p.px(4));
}

void draw_squares(const Painter& p, const Item& item, float alpha) {
  Rgb name = item.changed ? theme().now : theme().dim;
  float w = p.text(fonts().mono_small, {item.rect.x, item.rect.y + p.px(2)}, ink(name, alpha), tr(item.key),
                   item.tokens.empty() ? item.rect.w : item.name_width + p.px(2));
  if (item.tokens.empty() && item.more == 0)
    p.text(fonts().mono_small, {item.rect.x + w + p.px(8), item.rect.y + p.px(2)}, ink(theme().faint, alpha),
           tr(item.value.empty() ? "empty" : std::string_view(item.value)), item.rect.w - w - p.px(8));
  float x = item.rect.x + w + p.px(8);
  for (const Token& token : item.tokens) {
    Rgb c = token.fresh ? theme().now : theme().of(token.layer);
    p.fill(token.rect, ink(c, (token.fresh ? 1.0f : 0.75f) * alpha), p.px(3));
    if (token.fresh)
      p.frame({token.rect.x - p.px(2), token.rect.y - p.px(2), token.rect.w + p.px(4), token.rect.h + p.px(4)},
              ink(c, 0.5f), p.px(4), 1.5f);
    float tw = Painter::width(fonts().small_bold, token.text);
    p.text(fonts().small_bold, {token.rect.x + std::max(p.px(3), (token.rect.w - tw) / 2), token.rect.y + p.px(1)},
           ink(theme().on_colour), token.text, token.rect.w - p.px(4));
    x = token.rect.right() + p.px(4);
  }
  if (item.more != 0)
    p.text(fonts().small_bold, {x, item.rect.y + p.px(2)}, ink(theme().now), "+" + std::to_string(item.more),
           item.rect.right() - x);
}

void draw_chips(const Painter& p, const Item& item, float alpha) {
  std::string key = item.key;
  if (item.more != 0) key += "  " + said("+{} more", item.more);
  float w = p.text(fonts().mono_small, {item.rect.x, item.rect.y}, ink(item.changed ? theme().now : theme().dim, alpha),
                   key, item.rect.w);
  if (item.tokens.empty() && item.more == 0)
    p.text(fonts().mono_small, {item.rect.x + w + p.px(8), item.rect.y}, ink(theme().faint, alpha), tr("empty"),
           item.rect.w - w - p.px(8));
  for (const Token& token : item.tokens) {
    Rgb c = token.fresh ? theme().now : theme().of(token.layer);
    p.fill(token.rect, ink(c, 0.15f * alpha), p.px(5));
    p.frame(token.rect, ink(c, (token.fresh ? 1.0f : 0.55f) * alpha), p.px(5), token.fresh ? 1.5f : 1);
    p.text(fonts().mono_small, {token.rect.x + p.px(6), token.rect.y + p.px(1.5f)},
           ink(token.fresh ? c : theme().text, alpha), token.text, token.rect.w - p.px(10));
  }
}

void draw_field(const Painter& p, const Item& item, float alpha) {
  Rect r = item.rect;
  if (item.changed)
    p.fill({r.x - p.px(5), r.y, r.w + p.px(10), r.h - p.px(1)}, ink(theme().now, 0.13f * alpha), p.px(3));
  float x = r.x;
  if (!item.key.empty())
    x += p.text(fonts().mono_small, {x, r.y}, ink(theme().dim, alpha), tr(item.key), r.w * 0.62f) + p.px(7);
  Rgb c = item.changed ? theme().now : colour_of(item.tone);
  x += p.text(fonts().mono_small, {x, r.y}, ink(c, alpha), tr(item.value), r.right() - x);
  if (!item.was.empty() && r.right() - x > p.px(56))
    p.text(fonts().small, {x + p.px(8), r.y}, ink(theme().dim, alpha), said("was {}", item.was),
           r.right() - x - p.px(8));
}

void draw_card(const Painter& p, const Card& card, bool hovered) {
  const Rect& r = card.rect;
  Rgb c = theme().of(card.layer);
  float alpha = card.dead ? 0.38f : 1;
  float round = p.px(8);
  if (card.selected) {
    for (int i = 4; i >= 1; --i) {
      float o = p.px(static_cast<float>(i) * 1.6f);
      p.frame({r.x - o, r.y - o, r.w + 2 * o, r.h + 2 * o}, ink(c, 0.08f), round + o, 2.2f);
    }
  } else if (!card.dead) {
    p.fill({r.x, r.bottom() - round, r.w, round + p.px(3)}, ink(0x000000, 0.22f), round);
  }
  p.fill({r.x, r.y, 2 * round, r.h}, ink(c, card.dead ? 0.3f : 1), round);  // only what will be seen of it
  p.fill({r.x + p.px(4), r.y, r.w - p.px(4), r.h}, ink(card.dead ? theme().panel : theme().raised), round - p.px(2));
  bool outlined = card.selected || card.lit || card.created || hovered;
  Rgb edge = card.created && !card.selected ? theme().now : c;
  p.frame(r, outlined ? ink(edge, card.selected ? 1.0f : 0.75f) : ink(theme().line2, 0.8f * alpha), round,
          card.selected ? 1.8f
          : outlined    ? 1.4f
                        : 1.0f);
  float room = r.w - p.px(22);
  float pill = 0;
  if (!card.pill.empty()) {
    Rgb pc = card.pill_tone == Tone::kPlain ? c : colour_of(card.pill_tone);
    pill = p.pill({r.right() - p.px(8), r.y + p.px(6)}, tr(card.pill), pc, true, std::min(room * 0.56f, p.px(150)));
  }
  p.text(fonts().bold, {r.x + p.px(12), r.y + p.px(6)},
         ink(card.dead ? theme().dim : theme().text, card.dead ? 0.7f : 1), card.title, room - pill);
  p.list()->PushClipRect({r.x, r.y}, {r.right(), r.bottom()}, true);
  for (const Item& item : card.items) {
    if (item.type == Item::Type::kSquares)
      draw_squares(p, item, alpha);
    else if (item.type == Item::Type::kChips)
      draw_chips(p, item, alpha);
    else if (item.type == Item::Type::kPill)
      p.pill({item.rect.x - p.px(2), item.rect.y}, tr(item.value), item.tone == Tone::kPlain ? c : colour_of(item.tone),
             false, item.rect.w);
    else
      draw_field(p, item, alpha);
  }
  p.list()->PopClipRect();
}

void draw_syscalls(const Painter& p, const Stage& stage) {
  for (const SyscallPill& pill : stage.syscalls) {
    Rgb c = pill.sleeping ? theme().dim : theme().syscall;
    p.fill(pill.rect, ink(theme().bg), p.px(10));
    p.fill(pill.rect, ink(c, 0.18f), p.px(10));
    p.frame(pill.rect, ink(c, 0.8f), p.px(10));
    p.text(fonts().mono_small, {pill.rect.x + p.px(9), pill.rect.y + p.px(2)}, ink(c), pill.text,
           pill.rect.w - p.px(14));
  }
}

void card_tooltip(const Card& card) {
  ImGui::BeginTooltip();
  ImGui::TextUnformatted(card.title.c_str());
  for (const Item& item : card.items) {
    if (item.tokens.empty()) {
      ImGui::TextDisabled("%s  %s", item.key.c_str(), item.value.c_str());
      continue;
    }
    for (const Token& token : item.tokens) ImGui::TextDisabled("%s  %s", item.key.c_str(), token.text.c_str());
  }
  ImGui::EndTooltip();
}

/// "Click the thread that wakes": a card that is one of the names answers the question that is open.
void answer_by_card(ViewModel& model, const Card& card) {
  const Quiz::Asked* asked = model.question();
  if (asked == nullptr || asked->question.pick.empty()) return;
  for (const std::string& name : asked->question.names)
    if (name == card.title) model.answer(name);
}

}  // namespace

void draw_stage_of(Ui& ui, ViewModel& model, StageView& view, Rect area, const char* name) {
  Panel panel((std::string("##") + name).c_str(), area, theme().bg);
  Painter p(ImGui::GetWindowDrawList(), ui.scale);
  if (view.revision != model.revision() || view.language != language() || !(view.stage.area == area)) {
    view = {build_stage(model, area, ui.scale), model.revision(), language()};
  }
  const Stage& stage = view.stage;
  bool clicked = hit(name, area);
  bool inside = ImGui::IsItemHovered();
  Point mouse{ImGui::GetIO().MousePos.x, ImGui::GetIO().MousePos.y};
  draw_lanes(p, stage);
  for (const Edge& e : stage.edges)
    if (!e.hop) draw_edge(p, e, model.selected() != 0 && (e.from == model.selected() || e.to == model.selected()), 0);
  for (const Edge& e : stage.edges)
    if (e.hop) draw_edge(p, e, false, ui.clock);
  const std::string cards = &model == &ui.model ? "card/" : "twin/card/";
  const Card* under = nullptr;
  for (const Card& card : stage.cards) {
    bool hovered = inside && card.rect.contains(mouse);
    if (hovered) under = &card;
    draw_card(p, card, hovered);
    marks::put(cards + card.title, card.rect);
  }
  draw_syscalls(p, stage);
  for (const Edge& e : stage.edges) draw_badge(p, e);
  if (stage.path_hops > 16)  // beside the channel over the last lane
    p.text(fonts().small, {stage.lanes[4].rect.x + p.px(12), stage.lanes[4].rect.y - p.px(21)}, ink(theme().dim),
           said("16 of {} hops", stage.path_hops), stage.boundary_x - stage.lanes[4].rect.x - p.px(14));
  if (under != nullptr) card_tooltip(*under);
  if (!clicked) return;
  if (under != nullptr) answer_by_card(model, *under);
  model.select(stage.object_at(mouse));
}

void draw_stage(Ui& ui, Rect area) { draw_stage_of(ui, ui.model, ui.stage, area, "stage"); }

}  // namespace wakepath::gui
