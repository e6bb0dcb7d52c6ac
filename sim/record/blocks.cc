#include "sim/record/blocks.hh"

#include <sys/mman.h>

#include <array>
#include <atomic>
#include <cstdio>
#include <cstdlib>
#include <new>

#include "sim/record/poison.hh"

namespace wakepath::record {

namespace {

constexpr std::size_t kMostRange = std::size_t{16} << 30;  // what 32 bits reach, by 4 bytes
constexpr std::size_t kLeastRange = std::size_t{64} << 20;
constexpr std::size_t kLargePage = std::size_t{2} << 20;
constexpr int kMostKept = 512;  // blocks that keep their memory while nobody has them: 32 MiB

/// Blocks have numbers, in order of address; 0 is none. Free ones are linked by number, and the head of that list
/// counts its changes, so that no two threads can take one for the same.
class Blocks {
 public:
  Blocks() {
    // The range is only addresses until it is used; where a process may not have so many, fewer have to do.
    void* range = MAP_FAILED;
    std::size_t bytes = kMostRange;
    for (; range == MAP_FAILED && bytes >= kLeastRange; bytes /= 2)
      range = mmap(nullptr, bytes, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
    if (range == MAP_FAILED) throw std::bad_alloc();
    auto first = (reinterpret_cast<std::uintptr_t>(range) + kLargePage - 1) / kLargePage * kLargePage;
    detail::block_range = reinterpret_cast<std::byte*>(first);
    count_ = static_cast<std::uint32_t>(bytes * 2 / kBlockBytes - kLargePage / kBlockBytes);
  }

  std::byte* take() {
    std::uint64_t head = free_.load(std::memory_order_acquire);
    while (number(head) != 0) {
      std::uint32_t behind = behind_[number(head)].load(std::memory_order_relaxed);
      if (!free_.compare_exchange_weak(head, changed(head, behind & ~kHasMemory))) continue;
      if ((behind & kHasMemory) != 0) kept_.fetch_sub(1);
      return block(number(head));
    }
    std::uint32_t fresh = used_.fetch_add(1) + 1;
    if (fresh >= count_) throw std::bad_alloc();
    constexpr std::size_t kStep = kLargePage / kBlockBytes;
    if (fresh % kStep == 0) madvise(block(fresh), kLargePage, MADV_HUGEPAGE);  // a large model: fewer page faults
    return block(fresh);
  }

  void give_back(std::byte* which) {
    bool keep = kept_.fetch_add(1) < kMostKept;
    if (!keep) {
      kept_.fetch_sub(1);
      madvise(which, kBlockBytes, MADV_DONTNEED);
    }
    auto freed = static_cast<std::uint32_t>((which - detail::block_range) / static_cast<std::ptrdiff_t>(kBlockBytes));
    std::uint64_t head = free_.load(std::memory_order_relaxed);
    do behind_[freed].store(number(head) | (keep ? kHasMemory : 0), std::memory_order_relaxed);
    while (!free_.compare_exchange_weak(head, changed(head, freed)));
  }

 private:
  static constexpr std::uint32_t kHasMemory = std::uint32_t{1} << 31;  // beside the number behind a free block

  static std::byte* block(std::uint32_t number) { return detail::block_range + number * kBlockBytes; }
  static std::uint32_t number(std::uint64_t head) { return static_cast<std::uint32_t>(head); }
  static std::uint64_t changed(std::uint64_t head, std::uint32_t first) { return ((head >> 32) + 1) << 32 | first; }

  std::uint32_t count_ = 0;
  std::atomic<std::uint32_t> used_ = 0;
  std::atomic<std::uint64_t> free_ = 0;
  std::atomic<int> kept_ = 0;
  inline static std::array<std::atomic<std::uint32_t>, kMostRange / kBlockBytes>
      behind_;  // untouched, it costs nothing
};

/// Never destroyed: models that live in static storage give their blocks back after main().
Blocks& blocks() {
  static auto* const kBlocks = new Blocks;
  return *kBlocks;
}

}  // namespace

void detail::not_in_a_block() {
  std::fputs("BUG: a short pointer to what is not in a block of the arenas\n", stderr);
  std::abort();
}

std::byte* take_block() { return blocks().take(); }
void give_back_block(std::byte* block) {
  unpoison(block, kBlockBytes);
  blocks().give_back(block);
}

}  // namespace wakepath::record
