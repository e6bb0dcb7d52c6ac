#pragma once

/// One options struct and one function a command; the functions return the exit status of the program.
/// Only cli.cc knows how the words of the command line become these structs.

namespace wakepath::cli {}  // namespace wakepath::cli
