// Edges run in the channels between the lanes and in the gaps between the columns: never across a card.
#include <algorithm>
#include <cmath>

#include "gui/stage.hh"

namespace wakepath::gui {

namespace {

struct Router {
  Stage& stage;
  Metrics m;
  std::vector<int> tracks = std::vector<int>(kLaneCount + 1, 0);  // used tracks by channel; channel i is above lane i
  std::map<std::pair<trace::ObjectId, bool>, int> attached = {};  // card and side (true: top) -> edges there
  std::map<int, int> gaps = {};                                   // x of a gap -> runs in it
  std::vector<Rect> labels = {};

  /// The next free height in the channel above lane `index` (kLaneCount: below the last).
  float track(int index) {
    float top = index == 0 ? stage.area.y : stage.lanes[static_cast<std::size_t>(index) - 1].rect.bottom();
    float bottom = index == kLaneCount ? stage.area.bottom() : stage.lanes[static_cast<std::size_t>(index)].rect.y;
    static constexpr float kPlaces[] = {0.5f, 0.25f, 0.75f, 0.1f, 0.9f};
    int n = tracks[static_cast<std::size_t>(index)]++;
    return top + (bottom - top) * kPlaces[n % 5];
  }

  float attach(const Card& card, bool top, bool hop) {
    static constexpr float kHop[] = {0.5f, 0.64f, 0.36f, 0.78f};
    int n = attached[{card.id, top}]++;
    if (!hop) return card.rect.x + card.rect.w * (0.14f + 0.07f * static_cast<float>(n % 2));
    return card.rect.x + card.rect.w * kHop[n % 4];
  }

  /// x of the gap between columns that makes the way from x1 to x2 shortest.
  float gap_between(float x1, float x2) {
    float x = stage.gaps.empty() ? x1 : stage.gaps.front();
    auto way = [&](float gap) { return std::abs(gap - x1) + std::abs(gap - x2); };
    for (float gap : stage.gaps)
      if (way(gap) < way(x)) x = gap;
    int n = gaps[static_cast<int>(std::lround(x))]++;
    static constexpr float kShift[] = {0, -4, 4};
    return x + m.px(kShift[n % 3]);
  }

  void route(Edge& edge) {
    const Card* from = stage.find(edge.from);
    const Card* to = stage.find(edge.to);
    if (from == nullptr || to == nullptr) return;
    if (from->lane == to->lane) return same_lane(edge, *from, *to);
    bool down = to->lane > from->lane;
    float x1 = attach(*from, !down, edge.hop);
    float x2 = attach(*to, down, edge.hop);
    float y1 = down ? from->rect.bottom() : from->rect.y;
    float y2 = down ? to->rect.y : to->rect.bottom();
    int first = down ? from->lane + 1 : from->lane;  // the channel where it leaves, and the one where it arrives
    int last = down ? to->lane : to->lane + 1;
    if (first == last) {
      float low = std::max(from->rect.x, to->rect.x) + m.px(16),
            high = std::min(from->rect.right(), to->rect.right()) - m.px(16);
      if (low <= high) {  // one above the other: straight
        float x = std::clamp(from->rect.w < to->rect.w ? x1 : x2, low, high);
        edge.points = {{x, y1}, {x, y2}};
      } else {
        float y = track(first);
        edge.points = {{x1, y1}, {x1, y}, {x2, y}, {x2, y2}};
      }
      return;
    }
    float gap = gap_between(x1, x2);
    float ya = track(first), yb = track(last);
    edge.points = {{x1, y1}, {x1, ya}, {gap, ya}, {gap, yb}, {x2, yb}, {x2, y2}};
  }

  void same_lane(Edge& edge, const Card& from, const Card& to) {
    bool right = to.rect.x > from.rect.x;
    float x1 = right ? from.rect.right() : from.rect.x, x2 = right ? to.rect.x : to.rect.right();
    bool blocked = std::any_of(stage.cards.begin(), stage.cards.end(), [&](const Card& c) {
      return c.lane == from.lane && c.id != from.id && c.id != to.id && c.rect.x >= std::min(x1, x2) - 1 &&
             c.rect.right() <= std::max(x1, x2) + 1;
    });
    if (!blocked && (from.lane == 4 || !edge.hop)) {
      float y = std::max(from.rect.y, to.rect.y) + std::min(from.rect.h, to.rect.h) * (edge.hop ? 0.42f : 0.7f);
      edge.points = {{x1, y}, {x2, y}};
      return;
    }
    bool above = from.lane == 4 || edge.hop;  // pointers pass below, the path above
    float a = attach(from, above, edge.hop), b = attach(to, above, edge.hop);
    float y = track(above ? from.lane : from.lane + 1);
    edge.points = {
        {a, above ? from.rect.y : from.rect.bottom()}, {a, y}, {b, y}, {b, above ? to.rect.y : to.rect.bottom()}};
  }

  /// The badge stands in the middle of the last run that has room, its label to the right of it (or left, or nowhere).
  void place_label(Edge& edge) {
    if (!edge.hop || edge.points.size() < 2) return;
    std::size_t best = 0;
    float longest = -1;
    for (std::size_t i = 0; i + 1 < edge.points.size(); ++i) {
      Point a = edge.points[i], b = edge.points[i + 1];
      float length = std::abs(a.x - b.x) + std::abs(a.y - b.y);
      bool in_channel = edge.points.size() == 2 || std::abs(a.y - b.y) < 1;
      if (in_channel && length > longest) longest = length, best = i;
    }
    Point a = edge.points[best], b = edge.points[best + 1];
    edge.badge = {(a.x + b.x) / 2, (a.y + b.y) / 2};
    bool vertical = std::abs(a.x - b.x) < 1;
    float wanted = m.mono_width(edge.label.size()) + m.px(8);
    bool beside =
        stage.find(edge.from) != nullptr && stage.find(edge.from)->lane == 4 && !vertical && edge.points.size() == 2;
    if (beside) {  // between two cards of one lane: the label stands over the badge
      float width = std::min(wanted, std::abs(a.x - b.x) - m.px(6));
      edge.label_rect = {edge.badge.x - width / 2, edge.badge.y - m.px(27), width, m.px(16)};
      labels.push_back(edge.label_rect);
      return;
    }
    for (float shift : {0.0f, 0.16f, -0.16f, 0.3f, -0.3f}) {
      Point at = edge.badge;
      if (!vertical) at.x += (b.x - a.x) * shift;
      Rect own{at.x - m.px(11), at.y - m.px(10), m.px(22), m.px(20)};
      Rect right{at.x + m.px(13), at.y - m.px(8), wanted, m.px(16)};
      Rect left{at.x - m.px(13) - wanted, at.y - m.px(8), wanted, m.px(16)};
      for (Rect rect : {right, left}) {
        bool clash = rect.right() > stage.area.right() - m.px(8) || rect.x < stage.boundary_x - m.px(2);
        for (const Rect& other : labels) clash |= rect.overlaps(other) || own.overlaps(other);
        for (const SyscallPill& pill : stage.syscalls) clash |= rect.overlaps(pill.rect) || own.overlaps(pill.rect);
        if (clash) continue;
        edge.badge = at;
        edge.label_rect = rect;
        labels.push_back(own);
        labels.push_back(rect);
        return;
      }
    }
    labels.push_back({edge.badge.x - m.px(11), edge.badge.y - m.px(10), m.px(22), m.px(20)});
  }
};

}  // namespace

void route_edges(Stage& stage) {
  Router router{stage, Metrics(stage.scale)};
  for (Edge& edge : stage.edges)
    if (edge.hop) router.route(edge);  // the path takes the best places
  for (Edge& edge : stage.edges)
    if (!edge.hop) router.route(edge);
  for (Edge& edge : stage.edges) router.place_label(edge);
  std::erase_if(stage.edges, [](const Edge& e) { return e.points.size() < 2; });
}

}  // namespace wakepath::gui
