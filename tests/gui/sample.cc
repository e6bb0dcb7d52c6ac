// gui_sample NAME FILE.wkp: writes a hand-written trace (ping, crowd, long, unknown) as a recording.
#include <cstdio>
#include <string>

#include "sim/trace/file.hh"
#include "tests/gui/synthetic.hh"

int main(int argc, char** argv) {
  using namespace wakepath;
  if (argc != 3) return std::fprintf(stderr, "usage: gui_sample ping|crowd|long|unknown FILE.wkp\n"), 2;
  std::string name = argv[1];
  auto trace = name == "crowd"     ? gui::test::make_crowd_trace(40)
               : name == "long"    ? gui::test::make_long_trace(1000000)
               : name == "unknown" ? gui::test::make_unknown_trace()
                                   : gui::test::make_ping_trace();
  trace::FileWriter writer(*trace, argv[2]);
  writer.close();
  if (!writer.error().empty()) return std::fprintf(stderr, "%s\n", writer.error().c_str()), 2;
  return 0;
}
