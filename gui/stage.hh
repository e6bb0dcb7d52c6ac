#pragma once

#include <string>
#include <vector>

#include "gui/geometry.hh"
#include "gui/view_model.hh"

/// The picture in the middle as data: lanes, cards, edges, with their places. Built anew for every position of the
/// playhead; drawing only looks at it. Everything here is computed without the drawing library.

namespace wakepath::gui {

/// Ids of cards that are no objects of the trace.
constexpr trace::ObjectId kLoopbackCard = 0xFFFFFF01;
constexpr trace::ObjectId kSoftirqCard = 0xFFFFFF02;
constexpr trace::ObjectId kGroupCards = 0xFFFFFE00;  ///< and the 255 after it: "+97 tcp_sock"

enum class Tone : std::uint8_t { kPlain, kDim, kLink, kGood, kWait, kBad, kNow };

/// A member of a queue, drawn as a small box.
struct Token {
  trace::ObjectId object = 0;
  std::string text;
  trace::Layer layer{};
  bool fresh = false;  ///< put there by the last move
  Rect rect;
};

/// One line of a card, or a queue.
struct Item {
  enum class Type : std::uint8_t { kField, kText, kPill, kSquares, kChips };
  Type type = Type::kField;
  std::string key;
  std::string value;
  Tone tone = Tone::kPlain;
  bool changed = false;
  std::string was;           ///< its value before the last move, when changed
  trace::ObjectId link = 0;  ///< what clicking it selects
  std::vector<Token> tokens;
  std::size_t more = 0;  ///< tokens that did not fit
  float name_width = 0;  ///< squares: what the name may take
  int section = -1;      ///< items with sections 0, 1, 2 stand side by side
  Rect rect;
};

struct Card {
  trace::ObjectId id = 0;
  trace::Layer layer{};
  std::string title;
  std::string pill;
  Tone pill_tone = Tone::kPlain;
  bool dead = false;
  bool created = false;
  bool selected = false;
  bool lit = false;  ///< on the call path
  std::vector<Item> items;
  std::size_t more = 0;  ///< items that did not fit
  int lane = 0;
  Rect rect;
};

struct Lane {
  std::string_view name;
  std::string_view hint;
  trace::Layer layer{};
  Rect rect;
};

/// A pointer between two cards, or one hop of the call path.
struct Edge {
  trace::ObjectId from = 0;
  trace::ObjectId to = 0;
  trace::Layer layer{};
  bool hop = false;
  bool active = false;     ///< hops: the function is still on the stack
  bool innermost = false;  ///< the hop that the CPU is at
  bool in_softirq = false;
  bool wake = false;
  int number = 0;
  std::string label;
  std::vector<Point> points;  ///< corners, from first to last
  Point badge;
  Rect label_rect;  ///< empty: no room
};

/// What a system call looks like at the boundary, under its task.
struct SyscallPill {
  trace::ObjectId task = 0;
  std::string text;
  bool sleeping = false;
  Rect rect;
};

struct Stage {
  Rect area;
  float scale = 1;
  std::vector<Lane> lanes;
  std::vector<Card> cards;
  std::vector<Edge> edges;
  std::vector<SyscallPill> syscalls;
  std::map<trace::ObjectId, trace::ObjectId> hidden;  ///< objects without a card -> the card that counts them
  std::vector<float> gaps;                            ///< x of the free gaps between columns
  std::size_t path_hops = 0;                          ///< hops that the path has; no more than twelve are drawn
  float boundary_y = 0;                               ///< the dashed line between user and kernel
  float boundary_x = 0;

  [[nodiscard]] const Card* find(trace::ObjectId id) const;
  /// The object drawn at a point: a token, a linked line, a card; 0 for none.
  [[nodiscard]] trace::ObjectId object_at(Point p) const;
};

/// Sizes of text as the layout counts on them; drawing uses fonts of just these sizes.
struct Metrics {
  explicit Metrics(float scale_factor) : scale(scale_factor) {}
  float scale;
  [[nodiscard]] float px(float v) const { return v * scale; }
  [[nodiscard]] float line() const { return px(17); }
  [[nodiscard]] float header() const { return px(29); }
  [[nodiscard]] float pad() const { return px(9); }
  [[nodiscard]] float mono_width(std::size_t characters) const { return px(7.2f) * static_cast<float>(characters); }
  /// Titles are not monospaced: the average is near enough to decide whether a pill fits beside one.
  [[nodiscard]] float title_width(std::size_t characters) const { return px(8.4f) * static_cast<float>(characters); }
  [[nodiscard]] float square() const { return px(27); }
};

constexpr int kLaneCount =
    5;  ///< user, VFS, socket and epoll, TCP, softirq; system calls are the border of the first two
[[nodiscard]] int lane_of(trace::Layer layer);

[[nodiscard]] Stage build_stage(const ViewModel& model, Rect area, float scale);

// --- parts of build_stage, each in its own file ---

/// Facts of one moment that take a walk over all objects.
struct Moment {
  std::map<trace::ObjectId, std::vector<std::uint64_t>> descriptors;  ///< file -> numbers
  std::map<trace::ObjectId, std::vector<trace::ObjectId>> half_open;  ///< listener -> request socks not accepted
  std::map<trace::ObjectId, trace::TaskId> task_of;                   ///< task_struct -> task
  std::map<trace::ObjectId, trace::ObjectId> queued_in;               ///< member -> owner of the list
  std::vector<trace::ObjectId> in_flight;                             ///< sk_buffs in no list
};
[[nodiscard]] Moment look_around(const ViewModel& model);  // moment.cc

/// The contents of one object's card, without places.
[[nodiscard]] Card make_card(const ViewModel& model, const Moment& moment, trace::ObjectId id);  // cards.cc
[[nodiscard]] Card make_virtual_card(const ViewModel& model, const Moment& moment, trace::ObjectId id);
/// Gives places to a card's contents inside card.rect and drops what does not fit.
void lay_out_card(Card& card, const Metrics& metrics);  // card_layout.cc

/// Places cards in lanes and columns.
void place_cards(Stage& stage, const ViewModel& model, const Moment& moment);  // stage.cc
/// Adds pointers between the cards and the hops of the call path, without places.
void add_pointers(Stage& stage, const ViewModel& model);                    // pointers.cc
void add_path(Stage& stage, const ViewModel& model, const Moment& moment);  // path.cc
/// Routes all edges around the cards.
void route_edges(Stage& stage);  // routes.cc

}  // namespace wakepath::gui
