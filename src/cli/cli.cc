#include "src/cli/cli.hh"

#include <CLI/CLI.hpp>
#include <cstdio>
#include <map>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "src/cli/commands.hh"
#include "src/cli/proof_commands.hh"
#include "src/cli/serve_services.hh"
#include "src/cli/window_state.hh"

namespace wakepath::cli {

namespace {

/// A port, or "-".
void set_console(ServeOptions& options, const std::string& value) {
  options.console_on_input = value == "-";
  uint16_t port = 0;
  if (options.console_on_input) return;
  if (!CLI::detail::lexical_cast(value, port))
    throw CLI::ValidationError("--console", "found " + value + ", expected a port or - for standard input");
  options.console = port;
}

/// "on", "off", "standby", "sample:N" or "ring:N".
void set_mirror(ServeOptions& options, const std::string& value) {
  constexpr std::string_view kRing = "ring:";
  options.mirror = value != "off";
  options.mirror_standby = value == "standby";
  if (value == "on" || value == "off" || value == "standby") return;
  constexpr std::string_view kSample = "sample:";
  const bool counted = CLI::detail::lexical_cast(value.substr(value.find(':') + 1), options.mirror_ring) &&
                       options.mirror_ring >= 1 && options.mirror_ring <= 10'000'000;
  if (!counted || (!value.starts_with(kRing) && !value.starts_with(kSample)))
    throw CLI::ValidationError("--mirror", "found " + value +
                                               ", expected on, off, standby, sample:N or ring:N with N from 1 to "
                                               "10000000");
  if (value.starts_with(kSample)) options.mirror_sample = static_cast<uint32_t>(std::exchange(options.mirror_ring, 0));
}

void add_serve(CLI::App& app, ServeOptions& options, int& status) {
  CLI::App* command = app.add_subcommand("serve", "Serve real clients on 127.0.0.1 until Ctrl-C");
  command->add_option("--port", options.port, "Port to listen on; 0 takes any free one")
      ->check(CLI::Range(0, 65535))
      ->capture_default_str();
  command->add_option("--service", options.service, "What answers the clients: echo, gate, chat, http or FILE.lua")
      ->check([](const std::string& use) {
        return is_service(use) ? std::string() : "found " + use + ", expected echo, gate, chat, http or FILE.lua";
      })
      ->capture_default_str();
  command->add_option("--config", options.config, "Several services, from a file (.yaml)")
      ->excludes("--service")
      ->excludes("--port");
  command->add_option("--threads", options.threads, "Worker threads")->check(CLI::Range(1, 256))->capture_default_str();
  command->add_option_function<std::string>(
      "--console", [&](const std::string& value) { set_console(options, value); },
      "A console (list, stat, close, pause, kill, mirror on or off): a port for nc, or - for standard input");
  command->add_flag("--demo", options.demo, "A demo client connects and talks");
  command->add_option("--demo-pause", options.demo_pause_ms, "Milliseconds between two messages of the demo")
      ->check(CLI::Range(0, 60'000));
  command->add_option("--poller", options.poller, "How epoll tells: level or edge triggered")
      ->check(CLI::IsMember({"level", "edge"}))
      ->capture_default_str();
  command
      ->add_option_function<std::string>(
          "--mirror", [&](const std::string& value) { set_mirror(options, value); },
          "Keep a modelled kernel in step, compare every call: on, off, standby (off until the console says mirror "
          "on), sample:N to follow one of N connections, or ring:N to record calls into the last N slots of 64 bytes "
          "of each thread, and follow these at the "
          "end")
      ->default_str("on");
  command
      ->add_option("--mirror-keep", options.mirror_keep,
                   "Of the mirror's records keep the last so many, in memory, and go on without end")
      ->check(CLI::Range(uint64_t{1}, uint64_t{500'000'000}));
  command
      ->add_option("--mirror-records", options.mirror_records, "Records after which the mirror stops (32 bytes each)")
      ->check(CLI::Range(uint64_t{1}, uint64_t{500'000'000}))
      ->capture_default_str();
  command->add_option("--mutant", options.mutant, "Switch a deliberate fault of the model on")
      ->check(CLI::IsMember(mutant_names()))
      ->group("");  // for tests of the mirror: not in the help
  command->add_flag("--gui", options.gui, "Show the stage in a window, live, until it is closed");
  command->add_flag("--text", options.text, "Print the kernel path of the first connection");
  command->add_option("--out", options.out, "A folder for pictures of that path");
  command->add_option("-o,--output", options.output, "Write the recording (.wkp)");
  command->footer(
      "Examples:\n  wakepath serve --port 8080      then: nc 127.0.0.1 8080\n"
      "  wakepath serve --service assets/services/resp.lua --port 6380      then: redis-cli -p 6380 set a b\n"
      "  wakepath serve --config assets/services/all.yaml --mirror off --threads 4\n"
      "  wakepath serve --demo --text --out out\n  wakepath serve --demo -o demo.wkp      then: wakepath demo.wkp");
  command->callback([&] { status = serve(options); });
}

void add_run(CLI::App& app, RunOptions& options, int& status) {
  CLI::App* command = app.add_subcommand("run", "Run scenario files and compare what they expect");
  command->add_option("FILE", options.files, "Scenario files")->required();
  command->add_option("--on", options.on, "Where to run them: the modelled kernel, the running one, or both")
      ->check(CLI::IsMember({"model", "kernel", "both"}))
      ->capture_default_str();
  command->add_option("--format", options.format, "text for people, json (one object a line), junit for CI")
      ->check(CLI::IsMember({"text", "json", "junit"}))
      ->capture_default_str();
  command->add_option("--lang", options.language, "Language of titles and narration")
      ->check(CLI::IsMember({"en", "zh"}))
      ->capture_default_str();
  command->add_option(
      "--views", options.views,
      "A folder for what /proc and ss show at each mark, machine by machine; of several files, each in its own");
  command->add_flag("--slow", options.slow, "Run files that wait for more than 5 s, too");
  command->footer(
      "Exit status: 0 all as expected, 1 something differs, 2 a file is wrong, 3 the machine asked for is not "
      "available.\n"
      "Examples:\n  wakepath run scenarios/wake-on-connect.yaml\n"
      "  wakepath run --on both --format json scenarios/*.yaml\n"
      "  wakepath run --on both scenarios/from-queue-to-callback.yaml      starts a server with its threads, too\n"
      "  wakepath run --on both --views out scenarios/wake-on-connect.yaml; diff -r out/model out/kernel");
  command->callback([&] { status = run(options); });
}

void add_look(CLI::App& command, Look& look) {
  command.add_option("--width", look.width)->check(CLI::Range(640, 7680))->capture_default_str();
  command.add_option("--height", look.height)->check(CLI::Range(480, 4320))->capture_default_str();
  command.add_option("--scale", look.scale, "Size of everything; 0 takes the monitor's")->check(CLI::Range(0.0, 4.0));
  command.add_option("--theme", look.theme)
      ->check(CLI::IsMember({"dark", "light", "contrast", "projector"}))
      ->capture_default_str();
  command.add_option("--lang", look.language, "Language of interface and lesson")
      ->check(CLI::IsMember({"en", "zh"}))
      ->capture_default_str();
}

void add_view(CLI::App& app, ViewOptions& options, int& status) {
  CLI::App* command =
      app.add_subcommand("view", "Show a recording or a scenario in the window, or write a picture of it");
  command->add_option("FILE", options.file,
                      "A recording (.wkp) or a scenario (.yaml); none: the course to choose from");
  auto* position = command->add_option("--position", options.position, "Stand after this many records");
  auto* step = command->add_option("--step", options.step, "Stand where this step is quiet")->excludes(position);
  command->add_option("--select", options.select, "Select an object: eventpoll#1");
  auto* shot = command->add_option("--shot", options.shot, "Write a picture (PNG) and end");
  command->add_flag("--headless", options.headless, "Draw the picture without a display")->needs(shot);
  add_look(*command, options.look);
  auto* beside = command->add_option("--beside", options.beside, "Another file on a second stage, at the same step");
  command->add_option("--fork", options.fork, "The same scenario with this call at --step, on a second stage")
      ->needs(step)
      ->excludes(beside);
  auto* answers = command->add_option("--answers", options.answers,
                                      "Keep the answers to the lesson's questions in this file, for wakepath grade");
  command->add_option("--student", options.student, "Whose answers they are")->needs(answers);
  command->add_flag("--reduce-motion", options.reduce_motion, "Nothing moves by itself");
  command->footer(
      "Examples:\n  wakepath view x.wkp --step 3\n  wakepath view x.wkp --step 3 --shot x.png --headless\n"
      "  wakepath view scenarios/level-and-edge.yaml --step 7 --fork 'epoll_ctl(ep, EPOLL_CTL_ADD, c, EPOLLIN)'\n"
      "  wakepath view\n  wakepath x.wkp");
  command->callback([&options, &status, command] {
    if (options.shot.empty()) recall_look(options.look, [&](const char* name) { return command->count(name) > 0; });
    status = view(options);
  });
}

/// `wakepath x.wkp` means `wakepath view x.wkp`; a scenario likewise.
bool names_a_trace(int argc, char** argv) {
  if (argc < 2) return false;
  std::string_view word = argv[1];
  return word.ends_with(".wkp") || word.ends_with(".yaml") || word.ends_with(".yml");
}

bool names_a_command(const CLI::App& app, std::string_view word) {
  for (const CLI::App* command : app.get_subcommands([](const CLI::App*) { return true; }))
    if (command->get_name() == word) return true;
  return false;
}

void add_grade(CLI::App& app, GradeOptions& options, int& status) {
  CLI::App* command = app.add_subcommand("grade", "Judge what students answered to a scenario's questions");
  command->add_option("FILE", options.file, "The scenario (.yaml)")->required();
  command->add_option("--answers", options.answers, "What a lesson's page has saved, a file for each student")
      ->required();
  command->add_option("--format", options.format, "text for people, json, junit")
      ->check(CLI::IsMember({"text", "json", "junit"}))
      ->capture_default_str();
  command->footer(
      "With several students, the share of right answers to each question stands at the end.\n"
      "Example:\n  wakepath grade scenarios/wake-on-connect.yaml --answers answers-*.json");
  command->callback([&] { status = grade(options); });
}

void add_worksheet(CLI::App& app, WorksheetCommandOptions& options, int& status) {
  CLI::App* command = app.add_subcommand("worksheet", "Print scenarios as sheets for students, in Markdown");
  command->add_option("LESSON|FILE", options.what, "A lesson's number, or scenario files")->required();
  command->add_option("--folder", options.folder, "Where the files of lessons are")->capture_default_str();
  command->add_option("--lang", options.language, "Language of the words")
      ->check(CLI::IsMember({"en", "zh"}))
      ->capture_default_str();
  command->add_flag("--answers", options.answers, "The teacher's version: results and answers filled in");
  command->add_option("-o,--output", options.output, "Where to; standard output when not given");
  command->footer(
      "Examples:\n  wakepath worksheet 3 -o lesson-3.md\n  wakepath worksheet 3 --answers --lang zh\n"
      "  wakepath worksheet scenarios/level-and-edge.yaml");
  command->callback([&] { status = worksheet(options); });
}

void add_render(CLI::App& app, RenderOptions& options, int& status) {
  CLI::App* command = app.add_subcommand("render", "Write the stage as a picture or a film, without a display");
  command->add_option("FILE", options.file, "A recording (.wkp) or a scenario (.yaml)")->required();
  auto* step = command->add_option("--step", options.step, "One picture, where this step is quiet (.png)");
  command->add_option("--range", options.range, "Steps A:B as a film (.mp4, .webm, .gif), or a .png for each")
      ->excludes(step);
  command->add_option("-o,--output", options.output, "Where to")->required();
  command->add_option("--grain", options.grain, "Where a film stops")
      ->check(CLI::IsMember({"record", "function", "call", "step"}))
      ->capture_default_str();
  command->add_option("--speed", options.speed)->check(CLI::Range(0.1, 100.0))->capture_default_str();
  command->add_option("--rate", options.rate, "Pictures a second")->check(CLI::Range(1, 60))->capture_default_str();
  add_look(*command, options.look);
  command->footer(
      "Films need ffmpeg.\nExamples:\n  wakepath render scenarios/wake-on-connect.yaml --step 12 -o woken.png\n"
      "  wakepath render scenarios/wake-on-connect.yaml --range 11:14 -o woken.mp4\n"
      "  wakepath render scenarios/wake-on-connect.yaml --range 1:9 -o slide.png   (slide-1.png to slide-9.png)");
  command->callback([&] { status = render(options); });
}

void add_diagram(CLI::App& app, DiagramOptions& options, int& status) {
  CLI::App* command = app.add_subcommand("diagram", "Draw the state machines that the model and the server keep to");
  command->add_option("SUBJECT", options.subject, "tcp-states: of a TCP socket; slot-states: of the socket-server")
      ->required()
      ->check(CLI::IsMember({"tcp-states", "slot-states"}));
  command->add_option("--format", options.format, "Taken from the output's name when not given; else svg")
      ->check(CLI::IsMember({"dot", "svg", "png", "pdf"}));
  command->add_option("-o,--output", options.output, "Where to; standard output when not given");
  command->footer("Example:\n  wakepath diagram tcp-states -o tcp.svg");
  command->callback([&] { status = diagram(options); });
}

void add_export(CLI::App& app, ExportOptions& options, int& status) {
  CLI::App* command =
      app.add_subcommand("export", "Write one moment of a recording or a scenario as a picture or as text");
  command->add_option("FILE", options.file, "A recording (.wkp) or a scenario (.yaml)")->required();
  CLI::Option* step = command->add_option("--step", options.step, "After step N is quiet; or the name of a mark");
  CLI::Option* mark = command->add_option("--mark", options.mark, "At a mark");
  CLI::Option* record = command->add_option("--record", options.record, "After the first R records");
  step->excludes(mark)->excludes(record);
  mark->excludes(record);
  command
      ->add_option("--view", options.view,
                   "objects: who points to whom; path, tree: the calls of the step; sequence: threads and time; "
                   "architecture: how a server is built; "
                   "timeline: all calls for Perfetto; "
                   "field: one field over time; packets: what was sent, for Wireshark; or what the kernel itself would "
                   "show: proc-net-tcp, proc-net-tcp6, "
                   "proc-net-udp, proc-net-udp6, proc-fd, proc-fdinfo, ss")
      ->check(CLI::IsMember({"objects", "path", "tree", "sequence", "architecture", "timeline", "field", "packets",
                             "proc-net-tcp", "proc-net-tcp6", "proc-net-udp", "proc-net-udp6", "proc-fd", "proc-fdinfo",
                             "ss"}))
      ->capture_default_str();
  command->add_option("--format", options.format, "Taken from the output's name when not given; else svg, tree: text")
      ->check(CLI::IsMember({"dot", "svg", "png", "pdf", "text", "json", "csv", "mermaid"}));
  command->add_option("-o,--output", options.output, "Where to; standard output when not given");
  command->add_flag("--fields", options.fields, "With --view tree: every change of a field");
  command
      ->add_option("--html", options.html,
                   "All of a scenario as one page for any browser: steps, words, questions, pictures")
      ->excludes(step)
      ->excludes(mark)
      ->excludes(record);
  command->add_option("--process", options.process,
                      "With --view proc-fd, proc-fdinfo: an actor's name or a process id");
  command->add_option("--object", options.object, "With --view field: whose, such as tcp_sock#1");
  command->add_option("--field", options.field, "With --view field: which, such as sk_ack_backlog");
  command->add_option("--fd", options.fd, "With --view proc-fdinfo: the descriptor");
  command->add_option("--ss", options.ss, "With --view ss: its options, letters of tnlaei")->capture_default_str();
  command->footer(
      "Examples:\n  wakepath export demo.wkp --step 3 --view path -o path.svg\n"
      "  wakepath export demo.wkp --mark asleep --view objects -o objects.pdf\n"
      "  wakepath export demo.wkp --step 3 --view tree\n"
      "  wakepath export scenarios/wake-on-connect.yaml --view sequence -o sequence.svg\n"
      "  wakepath export scenarios/from-queue-to-callback.yaml --view architecture -o architecture.svg\n"
      "  wakepath export scenarios/wake-on-connect.yaml --view timeline -o timeline.json\n"
      "  wakepath export scenarios/wake-on-connect.yaml --view field --object tcp_sock#1 --field sk_ack_backlog\n"
      "  wakepath export scenarios/wake-on-connect.yaml --view packets -o packets.pcapng\n"
      "  wakepath export scenarios/wake-on-connect.yaml --html lesson.html\n"
      "  wakepath export scenarios/wake-on-connect.yaml --step asleep --view proc-fdinfo --process server --fd 4\n"
      "  wakepath export scenarios/wake-on-connect.yaml --step woken --view ss --ss tlnie");
  command->callback([&] { status = export_file(options); });
}

void add_why(CLI::App& app, WhyCommandOptions& options, int& status) {
  CLI::App* command = app.add_subcommand(
      "why", "Say why threads woke, why calls returned what they did, and why others did not return");
  command->add_option("FILE", options.file, "A recording (.wkp) or a scenario (.yaml)")->required();
  CLI::Option* step = command->add_option("--step", options.step, "Step N, or the step before a mark; else the last");
  command->add_option("--record", options.record, "The step as far as the first R records")->excludes(step);
  command->add_option("--actor", options.actor, "Only about this thread");
  command->add_option("--format", options.format, "text for people, json for programs")
      ->check(CLI::IsMember({"text", "json"}))
      ->capture_default_str();
  command->add_option("--lang", options.language, "Language of the words")
      ->check(CLI::IsMember({"en", "zh"}))
      ->capture_default_str();
  command->footer(
      "Examples:\n  wakepath why scenarios/wake-on-connect.yaml --step 13\n"
      "  wakepath why scenarios/level-and-edge.yaml --step 12 --actor server --lang zh");
  command->callback([&] { status = why(options); });
}

void add_step(CLI::App& app, StepOptions& options, int& status) {
  CLI::App* command = app.add_subcommand("step", "Step through a scenario or a recording as text, forward and back");
  command->add_option("FILE", options.file, "A scenario (.yaml), run on the model, or a recording (.wkp)")->required();
  command->footer(
      "Examples:\n  wakepath step scenarios/wake-on-connect.yaml\n  printf 'n 6\\nT\\np\\n' | wakepath step x.wkp");
  command->callback([&] { status = step(options); });
}

void add_record(CLI::App& app, RecordOptions& options, int& status) {
  CLI::App* command = app.add_subcommand(
      "record", "Keep a recording: of a scenario, run on the model, or of any command, run on this kernel");
  auto* file = command->add_option("FILE", options.file, "A scenario (.yaml)");
  command->add_option("-o,--output", options.output, "The recording; when not given, the file's name with .wkp");
  command->add_option("--process", options.process, "Of a command's processes this one; else the busiest with sockets")
      ->excludes(file);
  command->add_option("--mirror-records", options.mirror_records, "Of a command: after these the mirror stops")
      ->check(CLI::Range(uint64_t{1}, uint64_t{500'000'000}))
      ->capture_default_str()
      ->excludes(file);
  command->footer(
      "`-- COMMAND ARGS...` in place of FILE: it runs as ever, under strace; then one of its processes is followed on\n"
      "the model, call by call, and compared. It ends with the command (Ctrl-C ends a server), with its exit status.\n"
      "Examples:\n  wakepath record scenarios/wake-on-data.yaml -o data.wkp\n"
      "  wakepath record -o server.wkp -- python3 server.py      then: wakepath server.wkp");
  command->callback([&options, &status] {
    if (options.file.empty() == options.command.empty())
      throw CLI::ValidationError(options.file.empty() ? "found neither, expected a FILE or -- COMMAND"
                                                      : "found a FILE and -- COMMAND, expected one of them");
    status = record(options);
  });
}

/// `record … -- COMMAND ARGS…`: takes the command, whose words are none of ours, off the line.
std::vector<std::string> take_command(std::vector<char*>& words) {
  if (words.size() < 2 || std::string_view(words[1]) != "record") return {};
  const auto dashes =
      std::find_if(words.begin(), words.end(), [](const char* word) { return std::string_view(word) == "--"; });
  if (dashes == words.end()) return {};
  std::vector<std::string> command(dashes + 1, words.end());
  words.erase(dashes, words.end());
  return command;
}

void add_bench_server(CLI::App& command, BenchOptions& options) {
  command.add_option("--kinds", options.kinds, "server: these servers; raw is always measured")
      ->delimiter(',')
      ->check(CLI::IsMember(bench_kinds()));
  command.add_option("--parts", options.parts, "server: these measurements")
      ->delimiter(',')
      ->check(CLI::IsMember(bench_parts()));
  command
      .add_option("--connections", options.connections,
                  "server: of the echo measurements; 1,100,1000,10000 when not given, with --quick 1,100")
      ->delimiter(',')
      ->check(CLI::Range(1, 1'000'000));
  command.add_option("--depth", options.depths, "server: messages under way in each connection")
      ->delimiter(',')
      ->check(CLI::Range(1, 256))
      ->capture_default_str();
  command.add_option("--rounds", options.rounds, "server: 0 is 7, and 2 with --quick")
      ->check(CLI::Range(0, 1000))
      ->capture_default_str();
}

void add_bench(CLI::App& app, BenchOptions& options, int& status) {
  CLI::App* command =
      app.add_subcommand("bench", "Measure the model beside the kernel, what a trace costs, the server beside others");
  command
      ->add_option("SUBJECT", options.subject,
                   "sim: connections, memory, writes; trace: opening, seeking, queries; server: beside other servers")
      ->required()
      ->check(CLI::IsMember({"sim", "trace", "server"}));
  command->add_option("--format", options.format, "text for people, json (one object)")
      ->check(CLI::IsMember({"text", "json"}))
      ->capture_default_str();
  command->add_flag("--quick", options.quick, "Smaller numbers: seconds instead of a minute");
  command->add_option("--endpoints", options.endpoints, "sim: sockets in the large epoll set (1 KB each)")
      ->check(CLI::Range(std::size_t{2}, std::size_t{3'000'000}))
      ->capture_default_str();
  command->add_option("--records", options.records, "trace: length of the long trace (60 bytes each)")
      ->check(CLI::Range(std::size_t{100'000}, std::size_t{100'000'000}))
      ->capture_default_str();
  add_bench_server(*command, options);
  command->footer(
      "sim, trace: CPU time, medians of interleaved rounds; ratios are the model's speed over the kernel's.\n"
      "server: each server with its clients in two processes on two processors, medians of interleaved rounds, over\n"
      "a plain loop of epoll_wait, recv and send; about three minutes.\n"
      "Examples:\n  wakepath bench sim --quick\n  wakepath bench trace --format json\n"
      "  wakepath bench server --kinds echo,service --parts echo --connections 100 --depth 1");
  command->callback([&] { status = bench(options); });
}

void add_import(CLI::App& app, ImportOptions& options, int& status) {
  CLI::App* command = app.add_subcommand("import", "Follow on the model what another program did on a kernel");
  command->require_subcommand(1);
  CLI::App* strace = command->add_subcommand("strace", "From logs of strace: one of -f, or all files of -ff");
  strace->add_option("LOG", options.files, "What strace -f -ttt -yy -o LOG has written")->required();
  strace->add_option("-o,--output", options.output, "The recording; when not given, the log's name with .wkp");
  strace->add_option("--process", options.process, "The process to follow; when not given, the busiest with sockets");
  strace->add_option("--mirror-records", options.mirror_records, "Records after which the mirror stops (32 bytes each)")
      ->check(CLI::Range(uint64_t{1}, uint64_t{500'000'000}))
      ->capture_default_str();
  strace->footer(
      "Sockets, pipes and epolls of one process are followed, with its threads; what it had from the processes\n"
      "that made it, too. All others are programs outside. Without -yy addresses are known only where a call tells\n"
      "them; without -s 65536 data is cut, and its lengths alone are compared.\n"
      "Exit status: 0 the model agrees, 1 it differs somewhere, 2 a log is wrong.\n"
      "Example:\n  strace -f -ttt -yy -s 65536 -o server.log ./server\n"
      "  wakepath import strace server.log -o server.wkp      then: wakepath server.wkp");
  strace->callback([&] { status = import_strace(options); });
}

void add_doctor(CLI::App& app, int& status) {
  app.add_subcommand("doctor", "Say what this machine offers, and what is missing without it")->callback([&] {
    status = doctor();
  });
}

}  // namespace

int command_line(int argc, char** argv) {
  CLI::App app{"Wakepath: a microscope for the Linux socket and epoll stack"};
  app.set_version_flag("--version", "wakepath 0.1.0");
  int status = 0;
  ServeOptions serve_options;
  add_serve(app, serve_options, status);
  RunOptions run_options;
  add_run(app, run_options, status);
  ViewOptions view_options;
  add_view(app, view_options, status);
  std::vector<char*> words(argv, argv + argc);
  std::string view_word = "view";
  if (argc == 2 && std::string_view(argv[1]) == "--gui") words[1] = view_word.data();  // the stories to choose from
  if (names_a_trace(argc, argv)) words.insert(words.begin() + 1, view_word.data());
  GradeOptions grade_options;
  add_grade(app, grade_options, status);
  WorksheetCommandOptions worksheet_options;
  add_worksheet(app, worksheet_options, status);
  DiagramOptions diagram_options;
  add_diagram(app, diagram_options, status);
  RenderOptions render_options;
  add_render(app, render_options, status);
  ExportOptions export_options;
  add_export(app, export_options, status);
  WhyCommandOptions why_options;
  add_why(app, why_options, status);
  StepOptions step_options;
  add_step(app, step_options, status);
  RecordOptions record_options;
  record_options.command = take_command(words);
  add_record(app, record_options, status);
  ExploreOptions explore_options;
  add_explore(app, explore_options, status);
  FuzzOptions fuzz_options;
  add_fuzz(app, fuzz_options, status);
  BenchOptions bench_options;
  add_bench(app, bench_options, status);
  ImportOptions import_options;
  add_import(app, import_options, status);
  add_doctor(app, status);
  if (argc >= 2 && argv[1][0] != '-' && !names_a_trace(argc, argv) && !names_a_command(app, argv[1])) {
    std::fprintf(
        stderr,
        "wakepath: found '%s', expected a command (wakepath --help), a scenario (.yaml) or a recording (.wkp)\n",
        argv[1]);
    return 2;
  }
  try {
    app.parse(static_cast<int>(words.size()), words.data());
  } catch (const CLI::ParseError& error) {
    return app.exit(error) == 0 ? 0 : 2;
  }
  return status;
}

}  // namespace wakepath::cli
