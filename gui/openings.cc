#include "gui/openings.hh"

#include <algorithm>

namespace wakepath::gui {

using trace::ObjectId;
using trace::Position;
using trace::TaskId;

Openings::Openings(const Chains& chains, std::vector<Place> places)
    : chains_(&chains), revision_(chains.revision()), places_(std::move(places)), hosted_(places_.size(), 0) {
  for (std::size_t p = 0; p < places_.size(); ++p) {
    unsigned before = places_[p].plain > 1 ? 1 : 0;  // an eventpoll stands between those that lead to it
    for (unsigned i = 0; i < places_[p].epolls + places_[p].plain; ++i)
      seats_.push_back({0, 0, 0, i >= before && i < before + places_[p].epolls, p});
  }
  moves_.resize(seats_.size());
  for (auto& [root, chain] : chains.all()) owned_[chain.owner].push_back(&chain);
  update();
}

Openings::Value Openings::value(const Chains::Chain* chain) const {
  if (chain == nullptr || chain->dead(now_)) return {0, false, 0, 0};
  auto known = chain_memory_.find(chain->root);
  if (known == chain_memory_.end()) return {1, false, chain->rank(now_), 0};
  return {1, known->second.step == step_, chain->rank(now_), known->second.used};
}

Openings::Value Openings::value_of_place(std::size_t place) const {
  if (hosted_[place] == 0) return {0, false, 0, seats_.size()};
  const Memory& memory = task_memory_.at(hosted_[place]);
  int rank = 0;
  for (const Seat& seat : seats_)
    if (seat.place == place) rank = std::max(rank, std::get<2>(value(chains_->chain_of(seat.chain))));
  return {1, memory.step == step_, rank, memory.used};
}

bool Openings::open(ObjectId root) const {
  return std::any_of(seats_.begin(), seats_.end(), [&](const Seat& s) { return s.chain == root; });
}

void Openings::take(std::size_t seat, TaskId task, ObjectId chain) {
  seats_[seat].task = task, seats_[seat].chain = chain, seats_[seat].since = now_;
  auto& moves = moves_[seat];
  if (moves.empty() || moves.back().at != now_) moves.emplace_back();
  moves.back() = {now_, task, chain};
}

/// The place of a thread that comes into play: its own one, unless a guest is in play there.
std::size_t Openings::host(TaskId task) {
  std::size_t best = places_.size();
  for (std::size_t p = 0; p < places_.size(); ++p) {
    if (hosted_[p] == task) best = p;
  }
  if (best == places_.size()) {
    auto cost = [&](std::size_t p) {  // free ones first, the smallest of them; one's own before others
      auto [taken, touched, rank, used] = value_of_place(p);
      unsigned size = places_[p].epolls + places_[p].plain;
      bool own = places_[p].owner == task;
      return std::tuple(touched, !own, taken, rank, taken == 0 ? size : used);
    };
    best = 0;
    for (std::size_t p = 1; p < places_.size(); ++p)
      if (cost(p) < cost(best)) best = p;
    enter(task, best);
  }
  task_memory_[task] = {++clock_, step_};
  return best;
}

void Openings::enter(TaskId task, std::size_t place) {
  hosted_[place] = task;
  task_memory_.try_emplace(task);
  for (std::size_t s = 0; s < seats_.size(); ++s)
    if (seats_[s].place == place) take(s, task, 0);
  settle(place);
}

void Openings::spawn(TaskId task) {
  for (std::size_t p = 0; p < places_.size(); ++p)
    if (places_[p].owner == task && hosted_[p] == 0) enter(task, p);
}

/// Free seats are given to living chains, and what matters little goes where something better has no seat.
void Openings::settle(std::size_t place) {
  auto owned = owned_.find(hosted_[place]);
  if (owned == owned_.end()) return;
  for (std::size_t s = 0; s < seats_.size(); ++s) {
    if (seats_[s].place != place) continue;
    auto [taken, touched, rank, used] = value(chains_->chain_of(seats_[s].chain));
    if (taken != 0 && (touched || rank > 0)) continue;
    const Chains::Chain* best = nullptr;
    for (const Chains::Chain* chain : owned->second) {
      if (chain->born >= now_ || chain->dead(now_) || chain->epoll != seats_[s].epoll || open(chain->root)) continue;
      if (taken != 0 && chain->rank(now_) == 0) continue;
      if (best == nullptr || value(best) < value(chain)) best = chain;
    }
    if (best != nullptr) take(s, hosted_[place], best->root);
  }
}

void Openings::touch(ObjectId object, bool forced) {
  const Chains::Chain* chain = chains_->chain_of(object);
  if (chain == nullptr || chain->owner == 0 || places_.empty() || (!forced && chain->dead(now_))) return;
  std::size_t place = host(chain->owner);
  if (!open(chain->root)) {
    std::size_t best = seats_.size();
    for (bool any : {false, true})  // a guest's eventpoll stands in a plain column where there is no wide one
      for (std::size_t s = 0; s < seats_.size() && (!any || best == seats_.size()); ++s) {
        if (seats_[s].place != place || (!any && seats_[s].epoll != chain->epoll)) continue;
        if (best == seats_.size() ||
            value(chains_->chain_of(seats_[s].chain)) < value(chains_->chain_of(seats_[best].chain)))
          best = s;
      }
    if (best == seats_.size()) return;
    if (!forced && std::get<1>(value(chains_->chain_of(seats_[best].chain)))) return;
    take(best, chain->owner, chain->root);
  }
  chain_memory_[chain->root] = {++clock_, step_};
}

void Openings::begin_step() {
  ++step_;
  for (std::size_t p = 0; p < places_.size(); ++p) settle(p);
}

bool Openings::update() {
  if (revision_ != chains_->revision()) return false;
  const auto& uses = chains_->uses();
  using Type = Chains::Use::Type;
  for (; seen_ < uses.size(); ++seen_) {
    const Chains::Use& use = uses[seen_];
    now_ = use.at + 1;
    switch (use.type) {
      case Type::kSyscall:
        if (!chains_->has_steps()) begin_step();
        [[fallthrough]];
      case Type::kTask:
        if (use.id != 0 && !places_.empty()) host(static_cast<TaskId>(use.id));
        break;
      case Type::kStep:
        begin_step();
        break;
      case Type::kSpawn:
        spawn(static_cast<TaskId>(use.id));
        break;
      case Type::kObject:
        touch(use.id, true);
        if (ObjectId peer = chains_->peer_of(use.id, now_)) touch(peer, false);
        break;
    }
  }
  return true;
}

std::vector<Openings::Seat> Openings::at(Position position) const {
  std::vector<Seat> seats = seats_;
  for (std::size_t s = 0; s < seats.size(); ++s) {
    auto after = std::upper_bound(moves_[s].begin(), moves_[s].end(), position,
                                  [](Position at, const Move& move) { return at < move.at; });
    Move move = after == moves_[s].begin() ? Move{} : *std::prev(after);
    seats[s].task = move.task, seats[s].chain = move.chain, seats[s].since = move.at;
  }
  return seats;
}

}  // namespace wakepath::gui
