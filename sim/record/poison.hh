#pragma once

#include <cstddef>

/// The address sanitizer knows of the heap only; objects that stand in blocks are freed without it. So whoever hands
/// memory out tells it which bytes nobody may touch: a use after free ends the program at that line. Without the
/// sanitizer nothing of this costs anything.

#if defined(__SANITIZE_ADDRESS__)  // g++
#define WAKEPATH_ASAN 1
#elif defined(__has_feature)  // clang
#if __has_feature(address_sanitizer)
#define WAKEPATH_ASAN 1
#endif
#endif

#if defined(WAKEPATH_ASAN)
#include <sanitizer/asan_interface.h>
#endif

namespace wakepath::record {

#if defined(WAKEPATH_ASAN)
constexpr bool kPoisons = true;
/// From now on nobody may read or write these bytes. Exact for memory that is aligned to 8 bytes; at other ends a few
/// bytes stay allowed.
inline void poison(const void* memory, std::size_t bytes) { ASAN_POISON_MEMORY_REGION(memory, bytes); }
/// They are somebody's again.
inline void unpoison(const void* memory, std::size_t bytes) { ASAN_UNPOISON_MEMORY_REGION(memory, bytes); }
#else
constexpr bool kPoisons = false;
inline void poison(const void*, std::size_t) {}
inline void unpoison(const void*, std::size_t) {}
#endif

}  // namespace wakepath::record
