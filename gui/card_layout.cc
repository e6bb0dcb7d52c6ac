#include <algorithm>

#include "gui/stage.hh"

namespace wakepath::gui {

namespace {

float height_of(const Item& item, const Metrics& m) {
  switch (item.type) {
    case Item::Type::kField:
    case Item::Type::kText:
      return m.line();
    case Item::Type::kPill:
      return m.px(20);
    case Item::Type::kSquares:
      return m.px(20);
    case Item::Type::kChips:
      return (item.key.empty() ? 0 : m.px(16)) + static_cast<float>(item.tokens.size()) * m.px(20);
  }
  return m.line();
}

void place_squares(Item& item, const Metrics& m) {
  float name = m.mono_width(item.key.size());
  if (!item.tokens.empty())  // a long name gives way to the first packet
    name = std::min(name, item.rect.w - std::max(m.square(), m.mono_width(item.tokens[0].text.size()) + m.px(8)) -
                              (item.tokens.size() > 1 ? m.px(34) : m.px(8)));
  item.name_width = std::max(m.px(20), name);
  float x = item.rect.x + item.name_width + m.px(8);
  std::size_t shown = 0;
  for (Token& token : item.tokens) {
    float width = std::max(m.square(), m.mono_width(token.text.size()) + m.px(8));
    bool last = &token == &item.tokens.back();
    if (x + width + (last ? 0 : m.px(26)) > item.rect.right() + 1) break;
    token.rect = {x, item.rect.y + m.px(1), width, m.px(17)};
    x += width + m.px(4);
    ++shown;
  }
  item.more = item.tokens.size() - shown;
  item.tokens.resize(shown);
}

/// Chips stand one below the other, hanging on their queue; the last line says how many more there are.
void place_chips(Item& item, float bottom, const Metrics& m) {
  float y = item.rect.y + (item.key.empty() ? 0 : m.px(16));
  auto room = static_cast<std::size_t>(std::max(0.0f, (bottom - y + m.px(4)) / m.px(20)));
  if (item.tokens.size() > room) {
    item.more = item.tokens.size() - room;
    item.tokens.resize(room);
  }
  for (Token& token : item.tokens) {
    token.rect = {item.rect.x, y, item.rect.w, m.px(18)};
    y += m.px(20);
  }
  item.rect.h = y - item.rect.y;
}

/// Sections stand side by side, all of one width.
float place_sections(std::vector<Item*>& items, Rect room, const Metrics& m) {
  float gap = m.px(10), x = room.x, lowest = room.y;
  float w = (room.w - gap * static_cast<float>(items.size() - 1)) / static_cast<float>(items.size());
  for (Item* item : items) {
    item->rect = {x, room.y, w, room.h};
    place_chips(*item, room.bottom(), m);
    lowest = std::max(lowest, item->rect.bottom());
    x += w + gap;
  }
  return lowest;
}

}  // namespace

void lay_out_card(Card& card, const Metrics& m) {
  float beside =
      card.rect.w - m.title_width(card.title.size()) - m.px(7.4f) * static_cast<float>(card.pill.size()) - m.px(44);
  if (beside < 0 && !card.pill.empty()) {  // the state does not fit beside the name: it becomes the first line
    card.items.insert(card.items.begin(), {.type = Item::Type::kPill, .value = card.pill, .tone = card.pill_tone});
    card.pill.clear();
  }
  Rect room{card.rect.x + m.pad(), card.rect.y + m.header(), card.rect.w - 2 * m.pad(),
            card.rect.h - m.header() - m.px(5)};
  std::vector<Item*> sections;
  for (Item& item : card.items)
    if (item.section >= 0) sections.push_back(&item);
  float y = room.y;
  if (!sections.empty()) {  // a queue of waiters below them keeps its room
    bool waiters = std::any_of(card.items.begin(), card.items.end(), [](const Item& i) {
      return i.section < 0 && i.type == Item::Type::kChips && !i.tokens.empty();
    });
    Rect upper = room;
    upper.h -= waiters ? m.px(35) : m.px(16);
    y = place_sections(sections, upper, m);
  }
  std::vector<Item> kept;
  std::vector<Item> dropped;
  for (Item& item : card.items) {
    if (item.section >= 0) {
      kept.push_back(std::move(item));
      continue;
    }
    float h = height_of(item, m);
    bool shrinkable = item.type == Item::Type::kChips && item.tokens.size() > 1;
    float least = shrinkable ? (item.key.empty() ? 0 : m.px(16)) + m.px(20) : std::min(h, m.px(16));
    if (y + least > room.bottom() + m.px(2)) {
      dropped.push_back(std::move(item));
      continue;
    }
    item.rect = {room.x, y, room.w, h};
    if (item.type == Item::Type::kSquares) place_squares(item, m);
    if (item.type == Item::Type::kChips) place_chips(item, room.bottom(), m);
    y += item.rect.h;
    kept.push_back(std::move(item));
  }
  // what just changed must be seen: it takes the place of a plain field that did not change
  for (Item& item : dropped) {
    if (!item.changed || item.type != Item::Type::kField) continue;
    auto victim = std::find_if(kept.rbegin(), kept.rend(),
                               [](const Item& k) { return k.type == Item::Type::kField && !k.changed; });
    if (victim == kept.rend()) break;
    item.rect = victim->rect;
    std::swap(*victim, item);
  }
  card.more = dropped.size();
  card.items = std::move(kept);
}

const Card* Stage::find(trace::ObjectId id) const {
  auto found = std::find_if(cards.begin(), cards.end(), [&](const Card& c) { return c.id == id; });
  return found == cards.end() ? nullptr : &*found;
}

trace::ObjectId Stage::object_at(Point p) const {
  for (const Card& card : cards) {
    if (!card.rect.contains(p)) continue;
    for (const Item& item : card.items) {
      for (const Token& token : item.tokens)
        if (token.rect.contains(p)) return token.object;
      if (item.link != 0 && item.tokens.empty() && item.rect.contains(p)) return item.link;
    }
    return card.id < kGroupCards ? card.id : 0;
  }
  for (const SyscallPill& pill : syscalls)
    if (pill.rect.contains(p)) return pill.task;
  return 0;
}

}  // namespace wakepath::gui
