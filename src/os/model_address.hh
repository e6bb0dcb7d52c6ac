#pragma once

#include <sys/socket.h>

#include <vector>

#include "sim/kernel/socket.hh"

/// Addresses and socket options between the bytes that user space passes and what the model takes.

namespace wakepath::os {

/// Of AF_INET, AF_INET6 and AF_UNIX; of another family the family alone. One that is too short for its family is
/// AF_MAX (the model then says what it says of a wrong family; Linux says EINVAL).
kernel::Address model_address(const sockaddr* address, socklen_t size);

/// Copied as accept(2) copies: at most `*size` bytes, and `*size` becomes the whole length. Both may be null.
void copy_address(const kernel::Address& address, sockaddr* to, socklen_t* size);

/// An option's value as ints: a timeval becomes {seconds, microseconds}. Empty when it is shorter than an int.
std::vector<int> option_ints(int level, int option, const void* value, socklen_t size);

/// The other way, as getsockopt(2) copies: at most `*size` bytes, which becomes how many.
void copy_option(int level, int option, const std::vector<int>& ints, void* to, socklen_t* size);

}  // namespace wakepath::os
