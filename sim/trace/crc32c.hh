#pragma once

#include <cstddef>
#include <cstdint>
#include <span>

namespace wakepath::trace {

/// CRC-32C (Castagnoli polynomial, reflected, initial value and final xor 0xFFFFFFFF), as in RFC 3720, appendix B.4.
/// `previous` continues the sum of an earlier part of the same bytes.
[[nodiscard]] std::uint32_t crc32c(std::span<const std::byte> bytes, std::uint32_t previous = 0);
/// The same without the processor's instruction for it, as on machines that have none.
[[nodiscard]] std::uint32_t crc32c_by_tables(std::span<const std::byte> bytes, std::uint32_t previous = 0);

}  // namespace wakepath::trace
