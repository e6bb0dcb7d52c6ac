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
    static constexpr float kPlaces[] = {0.5f, 0.22f, 0.78f, 0.36f, 0.64f};
    int n = tracks[static_cast<std::size_t>(index)]++;
    return top + (bottom - top) * kPlaces[n % 5];
  }

  float attach(const Card& card, bool top, bool hop) {
    static constexpr float kHop[] = {0.5f, 0.7f, 0.34f, 0.84f};
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

  /// Another card of the same column stands between this card's side and the channel there.
  [[nodiscard]] bool walled_in(const Card& card, bool top) const {
    return std::any_of(stage.cards.begin(), stage.cards.end(), [&](const Card& c) {
      return c.lane == card.lane && c.id != card.id && std::abs(c.rect.x - card.rect.x) < 1 &&
             (top ? c.rect.y < card.rect.y : c.rect.y > card.rect.y);
    });
  }

  /// Where an edge meets a card: at its top or bottom, or by way of the gap beside it. From the card outwards; the last
  /// point is where the edge goes on up or down.
  std::vector<Point> port(const Card& card, bool top, bool hop) {
    float x = attach(card, top, hop);
    if (!walled_in(card, top)) return {{x, top ? card.rect.y : card.rect.bottom()}};
    float y = card.rect.y + card.rect.h * (hop ? 0.5f : 0.75f), side = card.rect.right();
    return {{side, y}, {side + m.px(8), y}};
  }

  void route(Edge& edge) {
    const Card* from = stage.find(edge.from);
    const Card* to = stage.find(edge.to);
    if (from == nullptr || to == nullptr) return;
    if (from->lane == to->lane) return same_lane(edge, *from, *to);
    bool down = to->lane > from->lane;
    int first = down ? from->lane + 1 : from->lane;  // the channel where it leaves, and the one where it arrives
    int last = down ? to->lane : to->lane + 1;
    std::vector<Point> start = port(*from, !down, edge.hop), finish = port(*to, down, edge.hop);
    float x1 = start.back().x, x2 = finish.back().x;
    float low = std::max(from->rect.x, to->rect.x) + m.px(16);
    float high = std::min(from->rect.right(), to->rect.right()) - m.px(16);
    bool straight = first == last && low <= high && start.size() == 1 && finish.size() == 1;
    if (straight) {  // one above the other
      float x = std::clamp(from->rect.w < to->rect.w ? x1 : x2, low, high);
      edge.points = {{x, start[0].y}, {x, finish[0].y}};
      return;
    }
    edge.points = start;
    float ya = track(first);
    if (first == last) {
      edge.points.insert(edge.points.end(), {{x1, ya}, {x2, ya}});
    } else {
      float gap = gap_between(x1, x2), yb = track(last);
      edge.points.insert(edge.points.end(), {{x1, ya}, {gap, ya}, {gap, yb}, {x2, yb}});
    }
    edge.points.insert(edge.points.end(), finish.rbegin(), finish.rend());
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

  [[nodiscard]] Rect around(Point badge) const { return {badge.x - m.px(11), badge.y - m.px(10), m.px(22), m.px(20)}; }

  [[nodiscard]] bool taken(const Rect& rect) const {
    auto overlaps = [&](const Rect& other) { return rect.overlaps(other); };
    return std::any_of(labels.begin(), labels.end(), overlaps) ||
           std::any_of(stage.syscalls.begin(), stage.syscalls.end(),
                       [&](const SyscallPill& pill) { return rect.overlaps(pill.rect); });
  }

  /// The badge stands in the middle of the longest run in a channel, or beside the middle where that is taken.
  void place_badge(Edge& edge) {
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
    for (float part : {0.5f, 0.34f, 0.66f, 0.2f, 0.8f, 0.1f, 0.9f}) {
      edge.badge = {a.x + (b.x - a.x) * part, a.y + (b.y - a.y) * part};
      if (!taken(around(edge.badge))) break;
    }
    labels.push_back(around(edge.badge));
  }

  /// The label stands to the right of its badge, or left of it, or nowhere; between two cards of the last lane over it.
  void place_label(Edge& edge) {
    if (!edge.hop || edge.points.size() < 2) return;
    float wanted = m.mono_width(edge.label.size()) + m.px(8);
    const Card* from = stage.find(edge.from);
    bool level = edge.points.size() == 2 && std::abs(edge.points[0].y - edge.points[1].y) < 1;
    if (level && from != nullptr && from->lane == kLaneCount - 1) {
      float width = std::min(wanted, std::abs(edge.points[0].x - edge.points[1].x) - m.px(6));
      edge.label_rect = {edge.badge.x - width / 2, edge.badge.y - m.px(27), width, m.px(16)};
      labels.push_back(edge.label_rect);
      return;
    }
    for (float x : {edge.badge.x + m.px(12), edge.badge.x - m.px(12) - wanted}) {
      Rect rect{x, edge.badge.y - m.px(8), wanted, m.px(16)};
      bool outside = rect.right() > stage.area.right() - m.px(8) || rect.x < stage.boundary_x - m.px(2);
      if (outside || taken(rect)) continue;
      edge.label_rect = rect;
      labels.push_back(rect);
      return;
    }
  }
};

}  // namespace

void route_edges(Stage& stage) {
  Router router{stage, Metrics(stage.scale)};
  for (Edge& edge : stage.edges)
    if (edge.hop) router.route(edge);  // the path takes the best places
  for (Edge& edge : stage.edges)
    if (!edge.hop) router.route(edge);
  for (Edge& edge : stage.edges) router.place_badge(edge);
  for (Edge& edge : stage.edges) router.place_label(edge);
  std::erase_if(stage.edges, [](const Edge& e) { return e.points.size() < 2; });
}

}  // namespace wakepath::gui
