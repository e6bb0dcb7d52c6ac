#pragma once

#include <cstdint>
#include <map>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "src/mirror/freedoms.hh"

namespace wakepath::mirror {

/// The other end of a connection whose program is not in this process. In the model it is a process of its own that
/// makes ordinary calls, so that everything it does reaches the model through its receive path.
struct Peer {
  kernel::task_struct* task = nullptr;
  int fd = -1;
  kernel::Address server;
  kernel::Address from;          ///< its own address; 127.0.0.1 and one of the model's ports while it is not named
  trace::ObjectId id = 0;        ///< of our end
  kernel::sock* ours = nullptr;  ///< our end; for rename() alone, which comes before anybody can close it
  kernel::u32 first_seq = 0;     ///< sequence number of its first byte
  uint64_t read_before = 0;      ///< bytes of it that were read before the mirror began
  bool named = false;            ///< its real address is known
  bool finished = false;
  bool gone = false;
  bool guessed = false;          ///< something has come from it, what is not known
  bool made_up = false;          ///< so it is with all from `made_up_from` on, but for how much it is
  kernel::u32 made_up_from = 0;  ///< sequence number
};

/// All peers outside. Every function that makes one act writes a `peer` record with its evidence and counts.
class Peers {
 public:
  Peers(kernel::Kernel& k, Freedoms& freedoms) : k_(k), freedoms_(freedoms) {}

  /// A new connection to a listener of ours. `from` with port 0: not known yet; then it has one of the model's until
  /// rename(). nullptr when the model does not let it in.
  Peer* connect(kernel::Address server, kernel::Address from, std::string_view evidence);
  /// A program outside listens at `to`, for one connection of ours: accept(). False when the model does not let it.
  bool listen(kernel::Address to, std::string_view evidence);
  /// It accepts that connection, when it is there, and listens no more.
  void accept(kernel::sock* ours);
  /// accept4 has told the address of a connection that waits to be accepted. False when it does not wait (any more).
  bool rename(Peer& peer, kernel::Address from);
  /// `data` stands at the head of our receive queue: what of it the peer has not sent yet, it sends now.
  void supply(Peer& peer, kernel::sock* sk, std::string_view data, std::string_view evidence);
  /// The same of `waiting` bytes, of which only the first, `data`, are known. The others are made up until know().
  void supply(Peer& peer, kernel::sock* sk, std::string_view data, std::size_t waiting, std::string_view evidence);
  /// `data` stands at the head of our receive queue: in place of what was made up.
  void know(Peer& peer, kernel::sock* sk, std::string_view data);
  /// Bytes that the peer has sent and we have not read, those included that wait for our window to open.
  std::size_t sent_ahead(const Peer& peer, const kernel::sock* sk) const;
  void read(Peer& peer, std::string_view evidence);
  void finish(Peer& peer, std::string_view evidence);
  void reset(Peer& peer, std::string_view evidence);
  /// It is gone: RST, and FIN before when `bytes_received` (tcp_info()) shows one behind what it has sent.
  void end(Peer& peer, uint64_t bytes_received, std::string_view evidence);
  /// It is followed no longer: it goes, whatever its program does. Nothing is lost of our end that could linger.
  void give_up(Peer& peer);
  void give_all_up();
  /// Our end is closed: nothing will be heard of it any more. It reads what is left, and closes.
  void retire(Peer& peer);

  /// The peer of a socket of ours; nullptr when its other end is in this process.
  Peer* of(const kernel::sock* sk);
  bool has(const kernel::sock* sk) const { return const_cast<Peers*>(this)->of(sk) != nullptr; }
  /// The one that has this address and lives; nullptr.
  Peer* at(kernel::Address address);
  /// The running kernel has given the address out: whatever the model still has there has ended.
  void free_address(kernel::Address address);
  /// A connection to this listener whose address is not known yet (`from`: the one that it has in the model); nullptr.
  Peer* unnamed(kernel::Address server, kernel::Address from = {});
  /// The connection from there to this listener is the one that the model has given that address by chance.
  void confirm(kernel::Address server, kernel::Address from);
  uint64_t injected() const { return injected_; }

 private:
  kernel::task_struct* process(kernel::Address address);
  void tell(const Peer& peer, std::string_view what, std::string_view evidence);
  void send(Peer& peer, std::string_view data, std::string_view evidence);
  void close_hard(Peer& peer);
  void forget(Peer& peer);
  long run(const Peer& peer, kernel::MaySleep<long> call);

  kernel::Kernel& k_;
  Freedoms& freedoms_;
  std::map<trace::ObjectId, Peer> peers_;   // by our end's object: ports come again, objects do not
  std::set<trace::ObjectId> unnamed_;       // those whose port is not known
  Peer listening_;                          ///< listen() has been called, accept() not yet
  std::vector<kernel::task_struct*> idle_;  // processes of peers that are gone: there are 65,535 tasks in all
  uint64_t injected_ = 0;
};

}  // namespace wakepath::mirror
