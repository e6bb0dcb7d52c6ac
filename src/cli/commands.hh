#pragma once

/// One options struct and one function a command; the functions return the exit status of the program.
/// Only cli.cc knows how the words of the command line become these structs.

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

namespace wakepath::trace {
class Trace;
class World;
}  // namespace wakepath::trace

namespace wakepath::cli {

/// Reads the words and runs the command they name; what main() does without its last look at standard output.
int command_line(int argc, char** argv);

/// wakepath serve: the socket-server on 127.0.0.1, until SIGINT or SIGTERM.
struct ServeOptions {
  uint16_t port = 0;                ///< 0: any free one
  std::string service = "echo";     ///< what answers: echo, gate, chat, http or a file of Lua
  std::string config;               ///< a file that names several services, instead
  int threads = 2;                  ///< workers
  std::optional<uint16_t> console;  ///< a port for a console
  bool console_on_input = false;    ///< a console on standard input; at a terminal there is one anyway
  std::string poller = "level";     ///< of epoll: level or edge triggered
  bool demo = false;      ///< a demo client talks to it; with that, and without a terminal, it ends when the demo ends
  int demo_pause_ms = 0;  ///< between two messages of the demo client
  bool mirror = true;     ///< keep a modelled kernel in step and compare every call
  bool mirror_standby = false;  ///< not before the console says so
  uint32_t mirror_sample = 1;   ///< of the connections that are accepted, one of so many is followed
  uint64_t mirror_ring =
      0;  ///< not 0: calls are recorded only, the last so many slots a thread, and followed at the end
  uint64_t mirror_keep = 0;  ///< not 0: of a mirror's records only the last so many are kept, and none is too many
  uint64_t mirror_records = 20'000'000;  ///< then the mirror stops, with a note
  std::string mutant;                    ///< a deliberate fault of the model, by its name in sim/kernel/mutants.def
  bool text = false;                     ///< print the kernel path of the first connection
  std::string out;                       ///< a folder: write pictures of that path into it
  std::string output;                    ///< write the recording there (.wkp)
  bool gui = false;                      ///< the stage in a window, live; it serves until the window is closed
};
int serve(const ServeOptions& options);

/// wakepath run FILE…: scenarios on the modelled kernel, on the running one, or on both.
struct RunOptions {
  std::vector<std::string> files;
  std::string on = "model";     ///< model, kernel or both
  std::string format = "text";  ///< text, json or junit
  std::string language = "en";  ///< of titles and narration
  bool slow = false;            ///< run files that wait for more than 5 s, too
  std::string views;            ///< a folder: the kernel's own texts (/proc, ss) of each mark, by machine (and file)
};
int run(const RunOptions& options);

/// How the stage looks.
struct Look {
  int width = 1440;
  int height = 900;
  float scale = 0;  ///< size of everything; 0: what the monitor says
  std::string theme = "dark";
  std::string language = "en";
};

/// wakepath view: a recording or a scenario in the window; with `shot` a picture of it instead.
struct ViewOptions {
  std::string file;
  Look look;
  std::optional<uint64_t> position;  ///< where to stand at first: a record,
  std::optional<uint64_t> step;      ///< or after this step
  std::string select;                ///< name of an object: "eventpoll#1"
  std::string shot;                  ///< write a picture (PNG) and end
  bool headless = false;             ///< without a display; for pictures only
  std::string answers;               ///< file that keeps what a student answers; empty: nobody keeps it
  std::string student;
  bool reduce_motion = false;
  std::string beside;  ///< another file on a second stage, step by step
  std::string fork;    ///< these words in place of those at `step`: that future on a second stage
};
int view(const ViewOptions& options);

/// wakepath export FILE: one moment of a recording as text or picture.
struct ExportOptions {
  std::string file;
  std::string step;    ///< a step's number or a mark's name; empty: the last step, when there is one
  std::string mark;    ///< a mark's name
  std::string record;  ///< any position: the first so many records
  /// objects, path, tree, sequence, timeline, field, or a text of the kernel's own: proc-net-tcp (tcp6, udp, udp6),
  /// proc-fd, proc-fdinfo, ss
  std::string view = "objects";
  std::string process;       ///< proc-fd, proc-fdinfo: a task's name or process id; empty: the only process there is
  std::optional<int> fd;     ///< proc-fdinfo: the descriptor
  std::string ss = "tanie";  ///< ss: its options
  std::string object;        ///< field: whose
  std::string field;         ///< field: which
  std::string format;        ///< one of those of --format; empty: by the output's ending, else what suits the view
  std::string output;        ///< a file; empty or "-": standard output
  bool fields = false;       ///< tree: every change of a field
  std::string html;          ///< where the whole scenario goes as one page; then of the others `file` alone counts
};
int export_file(const ExportOptions& options);
/// A scenario as one HTML page, written to the file `page` ("-": standard output).
int export_lesson(const std::string& file, const std::string& page);
/// Packets of a scenario as a capture (pcapng).
int export_packets(const std::string& file, const std::string& output);
/// wakepath grade FILE --answers A…: 1 when not every answer is right.
struct GradeOptions {
  std::string file;                  ///< the scenario
  std::vector<std::string> answers;  ///< a file for each student
  std::string format = "text";       ///< text, json, junit
};
int grade(const GradeOptions& options);

/// wakepath worksheet LESSON|FILE…: scenarios as sheets to be filled in, in Markdown.
struct WorksheetCommandOptions {
  std::vector<std::string> what;     ///< numbers of lessons, files
  std::string folder = "scenarios";  ///< where the files of lessons are
  std::string language = "en";
  bool answers = false;  ///< the teacher's version
  std::string output;    ///< a file; empty or "-": standard output
};
int worksheet(const WorksheetCommandOptions& options);

/// wakepath render FILE: the stage itself as a picture, a series of pictures or a film, without a display.
struct RenderOptions {
  std::string file;
  std::string step;    ///< a step's number
  std::string range;   ///< A:B, steps
  std::string output;  ///< .png, .mp4, .webm, .gif
  Look look;
  std::string grain = "function";
  double speed = 1;
  int rate = 12;
};
int render(const RenderOptions& options);

/// wakepath diagram: what is true of every run, from the program's own tables.
struct DiagramOptions {
  std::string subject;  ///< tcp-states, slot-states
  std::string format;   ///< dot, svg, png, pdf; empty: by the output's ending, else svg
  std::string output;   ///< a file; empty or "-": standard output
};
int diagram(const DiagramOptions& options);
/// Whether a view of that name is one of the kernel's own texts.
bool is_kernel_view(const std::string& view);
/// That text; or nothing, and then `error` says why.
std::optional<std::string> kernel_view(const ExportOptions& options, const trace::Trace& trace,
                                       const trace::World& world, std::string& error);

/// wakepath why FILE: why threads woke, why calls returned what they did, and why others did not return.
struct WhyCommandOptions {
  std::string file;
  std::string step;             ///< a step's number or a mark's name; empty: the last step
  std::string record;           ///< with a step's begin: up to this record
  std::string actor;            ///< only about this thread
  std::string format = "text";  ///< text or json
  std::string language = "en";
};
int why(const WhyCommandOptions& options);

/// wakepath fuzz: random programs on the model and on the running kernel, compared. 1 when one differs without being
/// explained, 3 when the running kernel cannot be used.
struct FuzzOptions {
  uint64_t seed = 1;
  uint64_t first = 0;  ///< index of the first program
  uint64_t count = 100;
  int calls = 40;
  int jobs = 0;        ///< 0: two for each processor
  std::string out;     ///< a folder for the programs that differ
  std::string mutant;  ///< a deliberate fault of the model
  std::string focus;   ///< what the programs dwell on, by its name in src/proof/focus.cc; empty: nothing
  int shrink = 150;    ///< runs spent on making a failure smaller
};
int fuzz(const FuzzOptions& options);

/// wakepath explore FILE: every order of a scenario's concurrent calls, on the model. 1 when something is wrong in one.
struct ExploreOptions {
  std::string file;
  uint64_t most = 20000;   ///< orders that are tried in turn at most
  uint64_t sample = 5000;  ///< so many more at random, when there are more
  uint64_t seed = 1;
  std::string mutant;  ///< a deliberate fault of the model
};
int explore(const ExploreOptions& options);

/// wakepath doctor: what this machine offers, a line each. Returns 0 whatever it finds.
int doctor();

/// wakepath step: the text stepper over a scenario or a recording; commands from standard input.
struct StepOptions {
  std::string file;
};
int step(const StepOptions& options);

/// wakepath record: a scenario, run on the model, or a command, run on this kernel and followed on the model, as a
/// recording.
struct RecordOptions {
  std::string file;
  std::vector<std::string> command;  ///< instead of the file
  std::string output;                ///< empty: the file's or the command's name with .wkp, in this directory
  int process = 0;                   ///< of a command's: 0: the busiest
  uint64_t mirror_records = 20'000'000;
};
int record(const RecordOptions& options);
/// Returns the command's exit status.
int record_command(const RecordOptions& options);

/// wakepath import strace: what another program did on a kernel, followed on the model and kept as a recording.
struct ImportOptions {
  std::vector<std::string> files;
  std::string output;  ///< empty: the first file's name with .wkp, in this directory
  int process = 0;     ///< 0: the busiest
  uint64_t mirror_records = 20'000'000;
};
int import_strace(const ImportOptions& options);

/// wakepath bench: what the model and its trace cost, beside the same work on the running kernel; the server beside
/// others.
struct BenchOptions {
  std::string subject;          ///< sim, trace or server
  std::string format = "text";  ///< text or json
  bool quick = false;           ///< smaller numbers
  std::size_t endpoints = 1'000'000;
  std::size_t records = 10'000'000;
  // server alone
  int rounds = 0;  ///< 0: as many as it takes
  std::vector<std::string> kinds, parts;
  std::vector<std::size_t> connections;  ///< none: 1 to 10,000
  std::vector<uint32_t> depths = {1, 16};
};
/// The names that `kinds` and `parts` may hold.
std::vector<std::string> bench_kinds();
std::vector<std::string> bench_parts();
int bench(const BenchOptions& options);

}  // namespace wakepath::cli
