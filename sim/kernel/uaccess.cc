#include "sim/kernel/uaccess.hh"

#include <algorithm>

namespace wakepath::kernel {

UserHoles::UserHoles(Kernel& k, const char* whole, const std::vector<UserPiece>& pieces) : k_(k), next_(nullptr) {
  for (const UserPiece& piece : pieces) {
    if (piece.at != UserPointer::kGood && piece.size > 0) holes_.push_back({whole, piece.size});
    whole += piece.size;
  }
  if (holes_.empty()) return;
  next_ = k.user_holes;
  k.user_holes = this;
}

UserHoles::~UserHoles() {
  if (holes_.empty()) return;
  UserHoles** link = &k_.user_holes;
  while (*link != this) link = &(*link)->next_;
  *link = next_;
}

std::size_t UserHoles::room(const Kernel& k, const char* at, std::size_t size) {
  for (const UserHoles* of_call = k.user_holes; of_call != nullptr; of_call = of_call->next_)
    for (const Hole& hole : of_call->holes_)
      if (hole.from < at + size && at < hole.from + hole.size)
        size = static_cast<std::size_t>(std::max(hole.from - at, std::ptrdiff_t{0}));
  return size;
}

char* import_iovec(char* whole, const std::vector<UserPiece>& pieces, UserPointer list) {
  bool outside = list != UserPointer::kGood;
  for (const UserPiece& piece : pieces) outside = outside || piece.at == UserPointer::kOutside;
  return outside ? outside_user_space() : whole;
}

}  // namespace wakepath::kernel
