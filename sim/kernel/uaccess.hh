#pragma once

// Models: include/linux/uaccess.h, lib/usercopy.c and, for several buffers, lib/iov_iter.c, Linux 6.18: what a system
// call does with the pointers that it was given. A caller's memory is the model's own; two addresses are none:
// nullptr, where no page is, which shows when something is copied, and outside_user_space(), which access_ok() refuses
// before. Left out: pages that are there but cannot be written, and what a fault at a good address costs.

#include <cstddef>
#include <cstdint>
#include <cstring>
#include <string>
#include <vector>

#include "sim/kernel/kernel.hh"
#include "sim/kernel/payload.hh"

namespace wakepath::kernel {

/// (void*)-1
inline char* outside_user_space() { return reinterpret_cast<char*>(~std::uintptr_t{0}); }
/// TASK_SIZE_MAX; the size does not matter, since nothing here lies close to it.
inline bool access_ok(const void* at) { return at != outside_user_space(); }

/// Where a call's argument lies that the model does not pass by pointer.
enum class UserPointer { kGood, kNull, kOutside };

/// One of the buffers of readv(), writev(), sendmsg().
struct UserPiece {
  std::size_t size = 0;
  UserPointer at = UserPointer::kGood;
};

/// Those of the buffers that are not there, for as long as the call takes: the model keeps all buffers of a call one
/// behind the other in one.
class UserHoles {
 public:
  UserHoles(Kernel& k, const char* whole, const std::vector<UserPiece>& pieces);
  ~UserHoles();
  UserHoles(const UserHoles&) = delete;
  UserHoles& operator=(const UserHoles&) = delete;

  /// How many of the `size` bytes from `at` on lie before the first hole of all calls.
  static std::size_t room(const Kernel& k, const char* at, std::size_t size);

 private:
  struct Hole {
    const char* from;
    std::size_t size;
  };
  Kernel& k_;
  std::vector<Hole> holes_;
  UserHoles* next_;
};

/// import_iovec(): what the call is given as its one buffer. outside_user_space() when one of the pieces, or the list
/// itself (`list`), is not there: the call fails where access_ok() is asked.
char* import_iovec(char* whole, const std::vector<UserPiece>& pieces, UserPointer list);

/// How many of the `size` bytes from `at` on are there.
inline std::size_t user_bytes(const Kernel& k, const void* at, std::size_t size) {
  if (at != nullptr && k.user_holes == nullptr) [[likely]]
    return size;
  return at == nullptr ? 0 : UserHoles::room(k, static_cast<const char*>(at), size);
}
inline bool user_has(const Kernel& k, const void* at, std::size_t size) { return user_bytes(k, at, size) == size; }

/// All of it, or nothing: false.
[[nodiscard]] inline bool copy_to_user(const Kernel& k, void* to, const void* from, std::size_t size) {
  if (!user_has(k, to, size)) return false;
  if (size > 0) std::memcpy(to, from, size);
  return true;
}
[[nodiscard]] inline bool copy_from_user(const Kernel& k, void* to, const void* from, std::size_t size) {
  if (!user_has(k, from, size)) return false;
  if (size > 0) std::memcpy(to, from, size);
  return true;
}

/// The bytes of a message, or as many others when they are not there: the buffer for them is made before that shows.
inline Payload user_payload(const Kernel& k, const char* data, std::size_t size) {
  return user_has(k, data, size) ? Payload(std::string_view(data, size)) : Payload(std::string(size, '\0'));
}

}  // namespace wakepath::kernel
