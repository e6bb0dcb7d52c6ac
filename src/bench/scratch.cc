#include "src/bench/scratch.hh"

#include <stdlib.h>

#include <stdexcept>
#include <string>
#include <system_error>

namespace wakepath::bench {

Scratch::Scratch() {
  std::string pattern = (std::filesystem::temp_directory_path() / "wakepath-bench-XXXXXX").string();
  if (mkdtemp(pattern.data()) == nullptr) throw std::runtime_error("no temporary folder can be made");
  folder = pattern;
}

Scratch::~Scratch() {
  std::error_code ignored;
  std::filesystem::remove_all(folder, ignored);
}

}  // namespace wakepath::bench
