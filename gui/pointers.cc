// Which pointers between cards are drawn: the ones that a reader follows from descriptor to callback.
#include <algorithm>
#include <array>

#include "gui/fields.hh"
#include "gui/stage.hh"

namespace wakepath::gui {

using trace::Layer;
using trace::ObjectId;

namespace {

/// The card on which an object is drawn: its own, or that of its home.
ObjectId card_of(const Stage& stage, const ViewModel& model, ObjectId id) {
  if (stage.find(id) != nullptr) return id;
  ObjectId home = model.chains().home(id);
  return stage.find(home) != nullptr ? home : 0;
}

}  // namespace

void add_pointers(Stage& stage, const ViewModel& model) {
  static constexpr std::array<const char*, 4> kDown{"private_data", "f_inode", "socket.sk", "sk"};
  std::vector<Edge> edges;
  auto add = [&](ObjectId from, ObjectId to, Layer layer) {
    if (from == 0 || to == 0 || from == to) return;
    bool known = std::any_of(edges.begin(), edges.end(), [&](const Edge& e) { return e.from == from && e.to == to; });
    if (!known) edges.push_back({.from = from, .to = to, .layer = layer});
  };
  for (const Card& card : stage.cards) {
    if (card.id >= kGroupCards || card.dead) continue;
    const trace::Object& object = model.world().objects()[card.id];
    Reader read(model.trace(), model.world(), object);
    if (model.chains().chain_of(card.id) == nullptr) continue;
    for (const char* name : kDown)
      if (ObjectId target = read.target(name); target != 0 && stage.find(target) != nullptr)
        add(card.id, target, card.layer);
    // a callback of epoll on somebody's wait queue leads to its eventpoll
    for (const Item& item : card.items)
      for (const Token& token : item.tokens) {
        if (token.object >= model.world().objects().size()) continue;
        const trace::Object& member = model.world().objects()[token.object];
        if (model.trace().schema().kinds[member.kind].name == "eppoll_entry")
          add(card.id, card_of(stage, model, token.object), Layer::kEpoll);
      }
  }
  stage.edges.insert(stage.edges.end(), edges.begin(), edges.end());
}

}  // namespace wakepath::gui
