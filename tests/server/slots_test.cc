#include "src/server/slots.hh"

#include <gtest/gtest.h>

#include <set>
#include <string>
#include <vector>

#include "src/os/linux_os.hh"

namespace wakepath::server {
namespace {

os::LinuxOs machine;

TEST(SlotEdges, EveryStateIsReachedFromInvalidAndLeadsBackToIt) {
  auto closure = [](auto follows) {
    std::set<SlotState> reached{SlotState::invalid};
    for (size_t round = 0; round < kSlotStates.size(); ++round)
      for (SlotState from : std::set(reached))
        for (SlotState to : kSlotStates)
          if (follows(from, to)) reached.insert(to);
    return reached.size();
  };
  EXPECT_EQ(closure([](SlotState from, SlotState to) { return is_edge(from, to); }), kSlotStates.size());
  EXPECT_EQ(closure([](SlotState from, SlotState to) { return is_edge(to, from); }), kSlotStates.size());
}

TEST(SlotEdges, AnIdIsReservedBeforeAnythingElseAndNothingGoesBackToReserve) {
  for (SlotState state : kSlotStates) {
    EXPECT_EQ(is_edge(SlotState::invalid, state), state == SlotState::reserve) << name_of(state);
    EXPECT_EQ(is_edge(state, SlotState::reserve), state == SlotState::invalid) << name_of(state);
  }
}

TEST(SlotEdges, NoEdgeIsListedTwiceAndEachHasAReason) {
  std::set<std::pair<SlotState, SlotState>> seen;
  for (const SlotEdge& edge : kSlotEdges) {
    EXPECT_TRUE(seen.emplace(edge.from, edge.to).second) << name_of(edge.from) << " to " << name_of(edge.to);
    EXPECT_FALSE(edge.why.empty());
  }
}

/// Brings a new slot of `slots` into `state` along the edges.
Slot& slot_in(Slots& slots, SlotState state) {
  Slot& slot = *slots.reserve();
  if (state == SlotState::listen) slots.change(slot, SlotState::plisten);
  if (state == SlotState::halfclose_read || state == SlotState::halfclose_write)
    slots.change(slot, SlotState::connected);
  if (state != SlotState::reserve && state != SlotState::invalid) slots.change(slot, state);
  if (state == SlotState::invalid) slots.release(slot);
  return slot;
}

TEST(SlotEdgesDeathTest, TheChokePointLetsExactlyTheEdgesPass) {
  GTEST_FLAG_SET(death_test_style, "threadsafe");
  probe::Probe probe;
  for (SlotState from : {SlotState::listen, SlotState::halfclose_read})
    for (SlotState to : kSlotStates) {
      Slots slots(machine, 16, probe);
      Slot& slot = slot_in(slots, from);
      const std::string complaint = std::string("BUG: slot .* cannot go from .* to ") + std::string(name_of(to));
      if (is_edge(from, to) && to != SlotState::invalid) slots.change(slot, to);
      if (!is_edge(from, to)) {
        EXPECT_DEATH(slots.change(slot, to), complaint);
      }
    }
}

TEST(Slots, AllEdgesCanBeWalked) {
  for (const SlotEdge& edge : kSlotEdges) {
    probe::Probe probe;
    Slots slots(machine, 16, probe);
    Slot* slot = edge.from == SlotState::invalid ? slots.reserve() : &slot_in(slots, edge.from);
    if (edge.to == SlotState::invalid) {
      slots.release(*slot);
    } else if (edge.from != SlotState::invalid) {
      slots.change(*slot, edge.to);
    }
    EXPECT_EQ(slot->state.load(), edge.to);
  }
}

TEST(Slots, AStaleIdFindsNothingAlthoughItsSlotIsInUseAgain) {
  probe::Probe probe;
  Slots slots(machine, 1, probe);
  Slot* first = slots.reserve();
  const SocketId stale = first->id.load();
  slots.release(*first);
  EXPECT_EQ(slots.find(stale), nullptr);
  Slot* second = slots.reserve();
  ASSERT_EQ(second, first) << "there is but one slot";
  EXPECT_EQ(slots.find(stale), nullptr);
  EXPECT_EQ(slots.find(second->id.load()), second);
}

TEST(Slots, AnIdTellsItsSlotAndHowOftenThatWasUsed) {
  probe::Probe probe;
  Slots slots(machine, 2, probe);
  Slot* first = slots.reserve();
  Slot* second = slots.reserve();
  EXPECT_EQ(first->id.load(), 1U);
  EXPECT_EQ(second->id.load(), 2U);
  slots.release(*second);
  EXPECT_EQ(slots.reserve()->id.load(), kIdStride + 2);
}

TEST(Slots, ThereAreAsManyAsAreNeededAndAFreedOneComesAgainLast) {
  probe::Probe probe;
  Slots slots(machine, Slots::kMost, probe);
  std::vector<Slot*> held;
  for (int i = 0; i < 5000; ++i) held.push_back(slots.reserve());
  EXPECT_EQ(slots.made(), 5000U);
  for (Slot* slot : held) EXPECT_EQ(slots.find(slot->id.load()), slot) << "slots do not move when there are more";
  slots.release(*held[10]);
  slots.release(*held[3]);
  EXPECT_EQ(slots.reserve(), held[10]);
  EXPECT_EQ(slots.reserve(), held[3]);
  EXPECT_EQ(slots.made(), 5000U);
}

TEST(Slots, AreFoundByOtherThreadsWhileMoreAreMade) {
  probe::Probe probe;
  Slots slots(machine, Slots::kMost, probe);
  std::atomic<SocketId> latest{slots.reserve()->id.load()};
  std::atomic<bool> done{false};
  const int reader = machine.thread_start("reader", [&] {
    while (!done.load()) {
      const SocketId id = latest.load();
      EXPECT_NE(slots.find(id), nullptr) << id;
      EXPECT_EQ(slots.find(id + kIdStride), nullptr);
    }
  });
  for (int i = 0; i < 20'000; ++i) latest.store(slots.reserve()->id.load());
  done.store(true);
  EXPECT_EQ(machine.thread_join(reader), 0);
}

TEST(Slots, TakeLittleMemory) { EXPECT_LE(sizeof(Slot), 256U) << "of a connection that does nothing"; }

TEST(Slots, ThereIsNoSlotWithoutOneAndNoSocketWithIdZero) {
  probe::Probe probe;
  Slots slots(machine, 2, probe);
  ASSERT_NE(slots.reserve(), nullptr);
  ASSERT_NE(slots.reserve(), nullptr);
  EXPECT_EQ(slots.reserve(), nullptr);
  EXPECT_EQ(slots.find(0), nullptr);
}

TEST(Slots, TheProbeHearsOfEveryChange) {
  struct Listener : probe::Probe {
    void slot_changed(const probe::SlotChange& change) override {
      heard.push_back(std::to_string(change.socket) + " " + std::string(change.from) + ">" + std::string(change.to));
    }
    std::vector<std::string> heard;
  } probe;
  Slots slots(machine, 4, probe);
  Slot& slot = *slots.reserve();
  slots.change(slot, SlotState::paccept);
  slots.change(slot, SlotState::connected);
  slots.release(slot);
  EXPECT_EQ(probe.heard, (std::vector<std::string>{"1 invalid>reserve", "1 reserve>paccept", "1 paccept>connected",
                                                   "1 connected>invalid"}));
}

}  // namespace
}  // namespace wakepath::server
