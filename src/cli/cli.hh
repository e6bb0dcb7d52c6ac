#pragma once

namespace wakepath::cli {

/// The whole command line. Returns the exit status: 0 as expected, 1 something differs, 2 a file or the command line
/// is wrong, 3 what was asked for is not available on this machine.
int main(int argc, char** argv);

}  // namespace wakepath::cli
