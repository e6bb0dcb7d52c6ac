// A toy with its own kinds proves the writing side: each change is one record, and the recording can be walked both
// ways.
#include <gtest/gtest.h>
#include <sys/mman.h>

#include <algorithm>
#include <cstdlib>
#include <memory>
#include <vector>

#include "sim/record/field.hh"
#include "sim/record/list.hh"
#include "sim/trace/cursor.hh"

namespace wakepath::record {
namespace {

using trace::Record;
using trace::RecordKind;

struct Wheel {
  Field<int> turns;
  static void describe(KindBuilder<Wheel>& b) { b.field(&Wheel::turns, "turns"); }
};

/// Embeds a wheel at its own offset 0, as tcp_sock embeds a sock.
struct Cart {
  Wheel front;
  Wheel back;
  Field<int> load;
  Field<std::uint8_t> small;
  Ptr<Wheel> favourite;
  Ptr<Cart> towed;
  ListNode<Cart> node;
  static void describe(KindBuilder<Cart>& b) {
    b.embed(&Cart::front, "front", "wheel", 0, 8)
        .embed(&Cart::back, "back", "wheel", 8, 8)
        .field(&Cart::load, "load")
        .field(&Cart::small, "small")
        .field(&Cart::favourite, "favourite")
        .field(&Cart::towed, "towed");
  }
};

struct Train {
  List<Cart, &Cart::node> carts;
  static void describe(KindBuilder<Train>& b) { b.field(&Train::carts, "carts"); }
};

static_assert(sizeof(Field<int>) == sizeof(int));
static_assert(sizeof(Field<std::uint8_t>) == 1);
static_assert(sizeof(Ptr<Cart>) == sizeof(void*));

trace::Schema toy_schema(std::vector<Layout>& layouts) {
  trace::Schema schema;
  schema.functions = {{"outer", {}, "", ""}, {"inner", {}, "", ""}};
  schema.symbols = {"NULL"};
  layouts.push_back(describe_kind<Cart>(schema, {"cart", {}, "", ""}));
  layouts.push_back(describe_kind<Train>(schema, {"train", {}, "", ""}));
  return schema;
}

class Toy : public testing::Test {
 protected:
  std::vector<Layout> layouts_;
  trace::Trace trace_{toy_schema(layouts_)};
  Recorder recorder_{trace_};
  Arena<Cart> carts_{recorder_, layouts_[0]};
  Arena<Train> trains_{recorder_, layouts_[1]};
  Cart* cart_ = carts_.make();
  Cart* other_ = carts_.make();
  trace::Position from_ = trace_.size();

  /// The records since the last call of this.
  std::vector<Record> news() {
    std::vector<Record> out;
    for (; from_ < trace_.size(); ++from_) out.push_back(trace_[from_]);
    return out;
  }
  std::string field_name(const Record& r) { return trace_.schema().kinds[0].fields[r.field].name; }
  std::string part_path(const Record& r) {
    const trace::Kind& kind = trace_.schema().kinds[0];
    return kind.parts[kind.fields[r.field].part].path;
  }
  std::string here(int line) { return "record_test.cc:" + std::to_string(line); }
  std::string site(const Record& r) {
    std::string text(trace_.site(r.site));
    return text.substr(text.rfind('/') + 1);
  }
};

TEST_F(Toy, AnAssignmentIsOneRecordWithBothValuesAndItsLine) {
  int line = __LINE__ + 1;
  cart_->load = 7;
  auto records = news();
  ASSERT_EQ(records.size(), 1u);
  EXPECT_EQ(records[0].kind, RecordKind::kSet);
  EXPECT_EQ(records[0].object, object_of(cart_));
  EXPECT_EQ(field_name(records[0]), "load");
  EXPECT_EQ(records[0].before, 0u);
  EXPECT_EQ(records[0].after, 7u);
  EXPECT_EQ(site(records[0]), here(line));
}

TEST_F(Toy, TheSameValueAgainIsNoRecord) {
  cart_->load = 0;
  EXPECT_TRUE(news().empty());
}

TEST_F(Toy, CompoundAssignmentsKnowTheirLine) {
  int line = __LINE__ + 1;
  cart_->load += 5;
  cart_->load -= 1;
  cart_->load |= 3;
  auto records = news();
  ASSERT_EQ(records.size(), 3u);
  EXPECT_EQ(records[2].after, 7u);
  for (int i = 0; i < 3; ++i) EXPECT_EQ(site(records[static_cast<std::size_t>(i)]), here(line + i));
}

TEST_F(Toy, IncrementsTakeTheLineOfTheInnermostCall) {
  int line = __LINE__ + 1;
  Call call(recorder_, 0);
  ++cart_->load;
  --cart_->small;
  auto records = news();
  ASSERT_EQ(records.size(), 3u);
  EXPECT_EQ(site(records[1]), here(line));
  EXPECT_EQ(records[1].cause, static_cast<std::uint32_t>(from_ - 3)) << "the call is its cause";
  EXPECT_EQ(records[2].after, 255u);
}

TEST_F(Toy, AssignmentBetweenFieldsAndChainsAreRecorded) {
  cart_->load = 3;
  (void)news();
  other_->load = cart_->load;
  EXPECT_EQ(news().size(), 1u);
  cart_->load = other_->load = 9;
  auto records = news();
  ASSERT_EQ(records.size(), 2u);
  EXPECT_EQ(records[0].object, object_of(other_));
  EXPECT_EQ(records[1].object, object_of(cart_));
  EXPECT_EQ(cart_->load, 9);
}

TEST_F(Toy, AStructCopyIsOneRecordForEachChangedMember) {
  cart_->front.turns = 4;
  (void)news();
  other_->front = cart_->front;
  auto records = news();
  ASSERT_EQ(records.size(), 1u);
  EXPECT_EQ(part_path(records[0]), "front");
  cart_->back = other_->front;
  records = news();
  ASSERT_EQ(records.size(), 1u);
  EXPECT_EQ(part_path(records[0]), "back");
}

TEST_F(Toy, PointersSayWhichStructureAtAnAddressTheyMean) {
  other_->favourite = &cart_->front;  // the wheel stands where the cart begins
  other_->towed = cart_;
  other_->favourite = nullptr;
  auto records = news();
  ASSERT_EQ(records.size(), 3u);
  trace::Ref wheel = trace::Ref::unpack(records[0].after);
  EXPECT_EQ(wheel.object, object_of(cart_));
  EXPECT_EQ(trace_.schema().kinds[0].parts[wheel.part].path, "front");
  EXPECT_EQ(trace::Ref::unpack(records[1].after), (trace::Ref{object_of(cart_), 0}));
  EXPECT_EQ(records[2].after, 0u);
}

TEST_F(Toy, ListsRecordWhoStandsBehindWhom) {
  Train* train = trains_.make();
  (void)news();
  train->carts.push_back(cart_);
  train->carts.push_front(other_);
  train->carts.erase(cart_);
  auto records = news();
  ASSERT_EQ(records.size(), 3u);
  EXPECT_EQ(records[0].kind, RecordKind::kListInsert);
  EXPECT_EQ(records[0].before, 0u);
  EXPECT_EQ(records[1].before, 0u);
  EXPECT_EQ(records[2].kind, RecordKind::kListErase);
  EXPECT_EQ(records[2].before, ref_of(other_).packed());
  EXPECT_EQ(train->carts.size(), 1u);
}

TEST_F(Toy, AListTakesAndLosesAtEitherEndAndBetween) {
  Train* train = trains_.make();
  auto order = [train] {
    std::vector<const Cart*> out;
    for (Cart* cart : train->carts) out.push_back(cart);
    return out;
  };
  Cart* third = carts_.make();
  using Carts = std::vector<const Cart*>;
  train->carts.push_back(cart_);
  train->carts.insert_behind(cart_, third);  // behind the last
  train->carts.insert_behind(cart_, other_);
  EXPECT_EQ(order(), (Carts{cart_, other_, third}));
  EXPECT_EQ(train->carts.back(), third);
  train->carts.erase(other_);
  train->carts.insert_behind(nullptr, other_);  // before the first
  EXPECT_EQ(order(), (Carts{other_, cart_, third}));
  EXPECT_EQ(train->carts.prev(cart_), other_);
  train->carts.erase(third);
  EXPECT_EQ(train->carts.back(), cart_);
  train->carts.erase(other_);
  EXPECT_EQ(order(), Carts{cart_});
  EXPECT_EQ(train->carts.back(), cart_);
  train->carts.erase(cart_);
  EXPECT_TRUE(train->carts.empty());
  EXPECT_EQ(train->carts.back(), nullptr);
}

TEST_F(Toy, AListMayLoseTheElementThatAWalkStandsOn) {
  Train* train = trains_.make();
  train->carts.push_back(cart_);
  train->carts.push_back(other_);
  int seen = 0;
  for (Cart* cart : train->carts) {
    train->carts.erase(cart);
    ++seen;
  }
  EXPECT_EQ(seen, 2);
}

using ToyDeath = Toy;

TEST_F(ToyDeath, OneElementTwiceOnAListIsABug) {
  GTEST_FLAG_SET(death_test_style, "threadsafe");
  Train* train = trains_.make();
  train->carts.push_back(cart_);
  EXPECT_DEATH(train->carts.push_back(cart_), "BUG: node.linked");
}

#if defined(WAKEPATH_ASAN)
TEST_F(ToyDeath, AReadOfAFreedObjectIsSeen) {
  GTEST_FLAG_SET(death_test_style, "threadsafe");
  carts_.free(other_);
  EXPECT_DEATH(std::exit(other_->load), "use-after-poison");
}

TEST_F(ToyDeath, AReadOfAPlaceThatNobodyHadYetIsSeen) {
  GTEST_FLAG_SET(death_test_style, "threadsafe");
  const Cart* before = std::min(cart_, other_) - 1;
  EXPECT_DEATH(std::exit(before->load), "use-after-poison");
}
#endif

TEST_F(Toy, AFreedPlaceIsUsedAgainUnderANewNumber) {
  trace::ObjectId before = object_of(other_);
  Cart* place = other_;
  other_->load = 5;
  carts_.free(other_);
  other_ = carts_.make();
  EXPECT_EQ(other_ == place, !kPoisons) << "under the address sanitizer a place stays empty for long";
  EXPECT_GT(object_of(other_), before);
  EXPECT_EQ(other_->load, 0);
  EXPECT_EQ(carts_.live(), 2u);
}

TEST_F(Toy, WithRecordingOffNothingIsWritten) {
  recorder_.disable();
  cart_->load = 5;
  ++cart_->small;
  carts_.free(carts_.make());
  { Call call(recorder_, 0); }
  EXPECT_TRUE(news().empty());
  EXPECT_EQ(cart_->load, 5);
}

/// Calls in two contexts, objects that come and go, lists: everything that a world has.
TEST_F(Toy, TheWorldIsTheSameFromEitherSide) {
  Train* train = trains_.make();
  {
    Call outer(recorder_, 0, object_of(train));
    train->carts.push_back(cart_);
    train->carts.push_back(other_);
    {
      ContextScope softirq(recorder_, trace::Context::kSoftirq);
      Call inner(recorder_, 1);
      cart_->towed = other_;
      ++other_->back.turns;
      train->carts.erase(cart_);
    }
    cart_->towed = nullptr;
    train->carts.push_front(cart_);
    carts_.free(train->carts.pop_front());
    cart_ = carts_.make();
  }
  std::vector<trace::World> forward;
  trace::World world;
  forward.push_back(world);
  for (trace::Position i = 0; i < trace_.size(); ++i) {
    world.apply(trace_.schema(), trace_[i], i);
    forward.push_back(world);
  }
  for (trace::Position i = trace_.size(); i-- > 0;) {
    world.revert(trace_[i]);
    // objects not born yet are forgotten or dead: what a cursor from the start sees is what must be equal
    trace::Cursor cursor(trace_);
    cursor.seek(i);
    EXPECT_EQ(cursor.world(), forward[i]) << "from scratch at " << i;
    EXPECT_EQ(world, forward[i]) << "backward at " << i;
  }
  auto inner = forward[from_ + 4].task(0);
  EXPECT_NE(inner, nullptr);
}

TEST_F(Toy, OneFunctionMayBeOpenedInSeveralPlaces) {
  std::vector<std::string> sites;
  for (int round = 0; round < 2; ++round) {
    { Call call(recorder_, 0); }
    { Call call(recorder_, 0); }
  }
  for (const Record& r : news())
    if (r.kind == RecordKind::kCall) sites.emplace_back(trace_.site(r.site));
  ASSERT_EQ(sites.size(), 4u);
  EXPECT_NE(sites[0], sites[1]);
  EXPECT_EQ(sites[0], sites[2]);
  EXPECT_EQ(sites[1], sites[3]);
}

TEST_F(Toy, NestedCallsKeepTheirContext) {
  Call outer(recorder_, 0);
  {
    ContextScope softirq(recorder_, trace::Context::kSoftirq);
    Call inner(recorder_, 1);
    EXPECT_EQ(inner.result(-11), -11);
  }
  auto records = news();
  ASSERT_EQ(records.size(), 3u);
  EXPECT_EQ(records[0].context, trace::Context::kProcess);
  EXPECT_EQ(records[1].context, trace::Context::kSoftirq);
  EXPECT_EQ(records[2].kind, RecordKind::kReturn);
  EXPECT_EQ(records[2].context, trace::Context::kSoftirq);
  EXPECT_EQ(static_cast<std::int64_t>(records[2].after), -11);
  EXPECT_EQ(records[2].before, from_ - 2) << "its call";
}

TEST(Blocks, AreUsedAgainAndPointedToInFourBytes) {
  std::byte* one = take_block();
  std::byte* other = take_block();
  EXPECT_EQ(reinterpret_cast<std::uintptr_t>(one) % kBlockBytes, 0u);
  ShortPtr<std::byte> here(one + 4096);
  ShortPtr<std::byte> there(other);
  EXPECT_EQ(here.get(), one + 4096);
  EXPECT_EQ(there.get(), other);
  EXPECT_EQ(ShortPtr<std::byte>(nullptr).get(), nullptr);
  give_back_block(one);
  give_back_block(other);
  EXPECT_EQ(take_block(), other);
  EXPECT_EQ(take_block(), one);
  give_back_block(one);
  give_back_block(other);
}

TEST(Blocks, KeepTheMemoryOfAFewOnlyWhileNobodyHasThem) {
  constexpr std::size_t kMostKept = 512;
  std::vector<std::byte*> blocks(600);
  for (int turn = 0; turn < 3; ++turn) {
    for (std::byte*& block : blocks) {
      block = take_block();
      *block = std::byte{1};
    }
    for (std::byte* block : blocks) give_back_block(block);
    std::size_t kept = 0;
    for (std::byte* block : blocks) {
      unsigned char in_memory = 0;
      ASSERT_EQ(mincore(block, 1, &in_memory), 0);
      kept += in_memory & 1;
    }
    EXPECT_EQ(kept, kMostKept) << "turn " << turn;
  }
}

}  // namespace
}  // namespace wakepath::record
