#pragma once

#include <string>
#include <vector>

#include "sim/kernel/uaccess.hh"

namespace wakepath::kernel {

/// The pieces of writev() and sendmsg() one behind the other, and which of them are not there, for as long as the call
/// takes. Stays where it is made.
class GatheredPieces {
 public:
  GatheredPieces(Kernel& k, const std::vector<std::string>& pieces, const std::vector<UserPointer>& at,
                 UserPointer list)
      : whole_(joined(pieces)), pieces_(placed(pieces, at)), list_(list), holes_(k, whole_.data(), pieces_) {}

  /// As import_iovec() gives it.
  [[nodiscard]] const char* data() { return import_iovec(whole_.data(), pieces_, list_); }
  [[nodiscard]] std::size_t size() const { return whole_.size(); }
  [[nodiscard]] const std::vector<UserPiece>& pieces() const { return pieces_; }

 private:
  static std::string joined(const std::vector<std::string>& pieces) {
    std::string whole;
    for (const std::string& piece : pieces) whole += piece;
    return whole;
  }
  static std::vector<UserPiece> placed(const std::vector<std::string>& pieces, const std::vector<UserPointer>& at) {
    std::vector<UserPiece> out;
    for (std::size_t i = 0; i < pieces.size(); ++i)
      out.push_back({pieces[i].size(), at.empty() ? UserPointer::kGood : at[i]});
    return out;
  }

  std::string whole_;
  std::vector<UserPiece> pieces_;
  UserPointer list_;
  UserHoles holes_;
};

}  // namespace wakepath::kernel
