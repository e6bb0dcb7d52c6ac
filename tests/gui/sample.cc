// gui_sample NAME FILE.wkp: writes a hand-written trace (ping, crowd, long, unknown), or one of the model, as a
// recording.
#include <cstdio>
#include <string>

#include "sim/trace/file.hh"
#include "tests/gui/model_story.hh"
#include "tests/gui/synthetic.hh"

int main(int argc, char** argv) {
  using namespace wakepath;
  if (argc != 3) return std::fprintf(stderr, "usage: gui_sample ping|crowd|long|unknown|model FILE.wkp\n"), 2;
  std::string name = argv[1];
  std::shared_ptr<trace::Trace> trace;
  if (name == "ping")
    trace = gui::test::make_ping_trace();
  else if (name == "crowd")
    trace = gui::test::make_crowd_trace(40);
  else if (name == "long")
    trace = gui::test::make_long_trace(1000000);
  else if (name == "unknown")
    trace = gui::test::make_unknown_trace();
  else
    trace = gui::test::record_model_story();
  trace::FileWriter writer(*trace, argv[2]);
  writer.close();
  if (!writer.error().empty()) return std::fprintf(stderr, "%s\n", writer.error().c_str()), 2;
  return 0;
}
