#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "src/mirror/freedoms.hh"

namespace wakepath::mirror {

/// Programs outside that the process exchanges datagrams with. In the model each of their addresses is a UDP socket of
/// a process of its own, so that what it sends comes by the receive path.
class Datagrams {
 public:
  Datagrams(kernel::Kernel& k, Freedoms& freedoms) : k_(k), freedoms_(freedoms) {}

  /// `data`, from there, is what our socket reads next. If the model has it not, then somebody outside has sent it.
  /// False when the model can't have it.
  bool supply(kernel::sock* sk, kernel::Address from, std::string_view data, std::string_view evidence);
  /// The process sends there: unless it is a socket of its own, one outside is taken to exist, which reads all.
  void expect(kernel::Address to);
  /// What a connected socket has sent before was answered with "port unreachable".
  void refuse(kernel::sock* sk, std::string_view evidence);
  /// The running kernel has given that port out: nobody outside has it any more.
  void free_port(uint16_t port);
  void give_all_up();
  uint64_t injected() const { return injected_; }

 private:
  struct Program {
    kernel::task_struct* task = nullptr;
    int fd = -1;
  };
  using Key = std::pair<kernel::u32, uint16_t>;

  Program* at(kernel::Address address);
  [[nodiscard]] bool is_ours(kernel::Address address) const;
  kernel::task_struct* process_named(const std::string& name);
  void give_up(const Program& program);
  void tell(kernel::Address address, std::string_view what, std::string_view evidence);
  long run(const Program& program, kernel::MaySleep<long> call);
  void read_all(const Program& program);

  kernel::Kernel& k_;
  Freedoms& freedoms_;
  std::map<Key, Program> programs_;
  std::vector<kernel::task_struct*> idle_;  // without an address at the moment
  uint64_t injected_ = 0;
};

/// The address of a socket's other end, if it is connected; port 0: it is not.
kernel::Address connected_to(const kernel::sock* sk);

}  // namespace wakepath::mirror
