#pragma once

#include <string_view>
#include <vector>

#include "src/proof/world.hh"

/// The calls that random programs make, as a table: a new call is a row and a function of a few lines. Machines that do
/// not know a call, a flag or an option are not asked for it, so a row may come before the model has it.

namespace wakepath::proof {

struct Kind {
  std::string_view function;
  int weight;  ///< how often, against the others
  /// Writes targets and args of `step`; `process` is the caller's. False: nothing here to make this call with.
  bool (*make)(World&, const std::string& process, ProgramStep& step);
};

extern const std::vector<Kind> kSocketKinds;  ///< kinds_socket.cc: socket to shutdown, names, options
extern const std::vector<Kind> kDataKinds;    ///< kinds_data.cc: reads and writes of all sorts
extern const std::vector<Kind> kFileKinds;    ///< kinds_file.cc: descriptors, pipes, eventfd, timerfd, fork, thread
extern const std::vector<Kind> kEpollKinds;   ///< kinds_epoll.cc: epoll, poll, select

/// bad_pointers.cc: a call that a row has made gets a pointer that leads to no memory of the caller's. A call that
/// takes none stays as it is.
void lead_astray(World& world, ProgramStep& step);

// What the rows look for.
bool is_anything(const Object&, const Descriptor&);
bool is_socket(const Object& object, const Descriptor&);
bool can_be_read(const Object& object, const Descriptor&);
bool can_be_written(const Object& object, const Descriptor&);
bool is_epoll(const Object& object, const Descriptor&);

/// A mask as epoll_ctl() takes it, and as poll() does.
std::string random_mask(World& world);
std::string random_poll_mask(World& world);
/// Now and then: `data` is a string in double quotes, perhaps `"ab"*500`.
std::string random_data(World& world);
/// The same for what a descriptor leads to: of a World that `floods`, TCP gets large amounts too.
std::string data_for(World& world, const std::string& process, const std::string& fd);
/// How much is asked for: of a World that `floods`, large amounts too.
std::string size_for(World& world, const std::string& process, const std::string& fd);
/// The address by which a socket of one internet family reaches a port of the other; empty when the port has no number
/// that is the same on every machine.
std::string across(const Object& from, const Object& to);
/// Where `from` sends to in order to reach `to`: `addr(a.l3)`, or across.
std::string address_of(World& world, const Object& from, const Descriptor& to);
/// Makes a blocked call return, if that can be done with one call of somebody who is idle: sends to it, closes,
/// signals.
bool wake_somebody(World& world, ProgramStep& step);
/// Somebody sleeps where another one who is idle could make the call return.
bool fall_asleep(World& world, ProgramStep& step);

}  // namespace wakepath::proof
