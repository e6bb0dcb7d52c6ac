#pragma once

#include <map>
#include <tuple>
#include <utility>
#include <vector>

#include "gui/chains.hh"

namespace wakepath::gui {

/// Columns that one thread and its chains get.
struct Place {
  trace::TaskId owner = 0;
  unsigned epolls = 0;
  unsigned plain = 1;
  friend bool operator==(const Place&, const Place&) = default;
};

/// Which chain stands in which column, at every position of a trace that has more chains than the window has columns:
/// a replay from the start, in which a chain that comes into play takes the seat of the one that matters least. So a
/// position has one picture whichever way the playhead came, and what stays open never moves.
///
/// What matters, most first: what the current step touches; listeners and eventpolls; what was used last. Sockets that
/// were never bound, pipes and what is closed come last.
class Openings {
 public:
  struct Seat {
    trace::TaskId task = 0;     ///< whose place it is now; 0: nobody's yet
    trace::ObjectId chain = 0;  ///< root; 0: free
    trace::Position since = 0;  ///< when that chain took it
    bool epoll = false;
    std::size_t place = 0;
  };

  Openings(const Chains& chains, std::vector<Place> places);
  /// Reads what the trace gained. False when chains changed since it was made: then it must be made anew.
  bool update();
  [[nodiscard]] const std::vector<Place>& places() const { return places_; }
  /// All seats as they are after `position` records, from left to right.
  [[nodiscard]] std::vector<Seat> at(trace::Position position) const;

 private:
  using Value = std::tuple<int, bool, int, std::uint64_t>;  // free or taken, touched, rank, last use
  struct Move {
    trace::Position at = 0;
    trace::TaskId task = 0;
    trace::ObjectId chain = 0;
  };
  struct Memory {
    std::uint64_t used = 0;
    std::uint64_t step = 0;
  };

  [[nodiscard]] Value value(const Chains::Chain* chain) const;
  [[nodiscard]] Value value_of_place(std::size_t place) const;
  [[nodiscard]] bool open(trace::ObjectId root) const;
  void take(std::size_t seat, trace::TaskId task, trace::ObjectId chain);
  std::size_t host(trace::TaskId task);
  void spawn(trace::TaskId task);
  void enter(trace::TaskId task, std::size_t place);
  /// Not `forced`: the other end of what is in play, which takes no seat from that and does not come back from the
  /// dead.
  void touch(trace::ObjectId object, bool forced);
  void settle(std::size_t place);
  void begin_step();

  const Chains* chains_;
  std::uint64_t revision_;
  std::vector<Place> places_;
  std::vector<Seat> seats_;               // as after now_
  std::vector<std::vector<Move>> moves_;  // by seat
  std::map<trace::TaskId, std::vector<const Chains::Chain*>> owned_;
  std::map<trace::ObjectId, Memory> chain_memory_;
  std::map<trace::TaskId, Memory> task_memory_;
  std::vector<trace::TaskId> hosted_;  // by place
  std::size_t seen_ = 0;               // uses
  trace::Position now_ = 0;
  std::uint64_t clock_ = 0;
  std::uint64_t step_ = 1;
};

}  // namespace wakepath::gui
