// wakepath-layout: lays out one graph after the other, or one by hand:
//
//     wakepath-layout svg < graph.dot > graph.svg
//
// A program of its own, because libgvc leaks with clusters, is not thread safe and may abort: whoever uses it starts
// this program (LayoutHelper), sets a limit, and starts it again after some layouts or after its death.
//
// `dot` layout, DOT, SVG and JSON are linked in and work without Graphviz's configuration file; PNG and the exact
// measures of text come from its pango and cairo plugins, which are loaded when they are installed.
#include <dlfcn.h>
#include <errno.h>
#include <graphviz/gvc.h>
#include <graphviz/gvplugin.h>
#include <unistd.h>

#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <filesystem>
#include <optional>
#include <string>
#include <string_view>

#include "sim/export/layout_protocol.hh"

extern "C" {
extern gvplugin_library_t gvplugin_dot_layout_LTX_library;
extern gvplugin_library_t gvplugin_core_LTX_library;
#if defined(__SANITIZE_ADDRESS__)
// libgvc leaks by itself (virtual nodes of clusters); this process is ended after some layouts instead.
const char* __asan_default_options();
const char* __asan_default_options() { return "detect_leaks=0"; }
#endif
}

namespace {

using wakepath::exports::Head;

std::string& messages() {
  static std::string text;
  return text;
}

bool& failed() {
  static bool value = false;
  return value;
}

/// Graphviz says a message in pieces: "Error", ": ", the words. Warnings (of fonts, mostly) are not errors.
int on_message(char* piece) {
  if (std::strcmp(piece, "Error") == 0) failed() = true;
  messages() += piece;
  return 0;
}

struct Answer {
  bool fine = false;
  std::string bytes;
};

Answer refuse(std::string why) {
  while (!why.empty() && why.back() == '\n') why.pop_back();
  return {false, std::move(why)};
}

/// Name of the first edge without a line, which Graphviz drops with no more than a message.
std::optional<std::string> lost_edge(Agraph_t* graph) {
  for (Agnode_t* node = agfstnode(graph); node != nullptr; node = agnxtnode(graph, node))
    for (Agedge_t* edge = agfstout(graph, node); edge != nullptr; edge = agnxtout(graph, edge))
      if (ED_spl(edge) == nullptr) return std::string(agnameof(agtail(edge))) + " -> " + agnameof(aghead(edge));
  return std::nullopt;
}

Answer render(GVC_t* gvc, Agraph_t* graph, const char* format) {
  if (failed()) return refuse(messages());
  if (auto lost = lost_edge(graph)) return refuse("Graphviz lost the edge " + *lost);
  char* data = nullptr;
  unsigned int length = 0;
  if (gvRenderData(gvc, graph, format, &data, &length) != 0 || failed() || data == nullptr)
    return refuse(std::string("Graphviz cannot write ") + format + ": " +
                  (messages().empty() ? "its plugin is not installed" : messages()));
  Answer answer{true, std::string(data, length)};
  gvFreeRenderData(data);
  return answer;
}

Answer lay_out(GVC_t* gvc, const std::string& dot, const char* format) {
  messages().clear();
  failed() = false;
  Agraph_t* graph = agmemread(dot.c_str());
  if (graph == nullptr) return refuse("not a graph: " + messages());
  // Finer dots for PNG alone: with it, an SVG's view box is smaller than what is drawn inside.
  if (std::strcmp(format, "png") == 0) agattr(graph, AGRAPH, const_cast<char*>("dpi"), const_cast<char*>("110"));
  Answer answer;
  if (gvLayout(gvc, graph, "dot") != 0)
    answer = refuse("no layout: " + messages());
  else
    answer = render(gvc, graph, format);
  gvFreeLayout(gvc, graph);
  agclose(graph);
  return answer;
}

bool read_all(void* to, std::size_t length) {
  auto* at = static_cast<char*>(to);
  while (length > 0) {
    ssize_t got = read(STDIN_FILENO, at, length);
    if (got < 0 && errno == EINTR) continue;
    if (got <= 0) return false;
    at += got;
    length -= static_cast<std::size_t>(got);
  }
  return true;
}

bool write_all(const void* from, std::size_t length) {
  const auto* at = static_cast<const char*>(from);
  while (length > 0) {
    ssize_t put = write(STDOUT_FILENO, at, length);
    if (put < 0 && errno == EINTR) continue;
    if (put <= 0) return false;
    at += put;
    length -= static_cast<std::size_t>(put);
  }
  return true;
}

/// Until the other end hangs up.
int serve(GVC_t* gvc) {
  Head head;
  while (read_all(&head, sizeof head)) {
    if (head.word >= wakepath::exports::kFormats || head.length > wakepath::exports::kMostDot) return 2;
    std::string dot(head.length, '\0');
    if (!read_all(dot.data(), dot.size())) return 0;
    Answer answer = lay_out(gvc, dot, wakepath::exports::kFormatNames[head.word]);
    Head reply{answer.fine ? 0u : 1u, static_cast<std::uint32_t>(answer.bytes.size())};
    if (!write_all(&reply, sizeof reply) || !write_all(answer.bytes.data(), answer.bytes.size())) return 0;
  }
  return 0;
}

int by_hand(GVC_t* gvc, const char* format) {
  std::string dot;
  char block[65536];
  while (std::size_t got = std::fread(block, 1, sizeof block, stdin)) dot.append(block, got);
  Answer answer = lay_out(gvc, dot, format);
  if (!answer.fine) {
    std::fprintf(stderr, "wakepath-layout: %s\n", answer.bytes.c_str());
    return 1;
  }
  return write_all(answer.bytes.data(), answer.bytes.size()) ? 0 : 1;
}

/// Whether Graphviz's list of installed plugins is there. Without it libgvc 2.42 comes back from its set-up half done
/// and crashes at the first label, so then the plugins linked in have to do.
bool plugins_are_listed() {
  Dl_info library{};
  std::filesystem::path folder;
  if (const char* given = std::getenv("GVBINDIR"))
    folder = given;
  else if (dladdr(dlsym(RTLD_DEFAULT, "gvContextPlugins"), &library) != 0)
    folder = std::filesystem::path(library.dli_fname).parent_path() / "graphviz";  // where libgvc looks, too
  std::error_code error;
  for (const auto& entry : std::filesystem::directory_iterator(folder, error))
    if (entry.path().filename().string().starts_with("config")) return true;
  return false;
}

}  // namespace

int main(int argc, char** argv) {
  if (argc != 2) {
    std::fprintf(stderr, "usage: wakepath-layout svg|png|pdf|json < graph.dot > picture\n");
    return 2;
  }
  lt_symlist_t linked_in[] = {{"gvplugin_dot_layout_LTX_library", &gvplugin_dot_layout_LTX_library},
                              {"gvplugin_core_LTX_library", &gvplugin_core_LTX_library},
                              {nullptr, nullptr}};
  GVC_t* gvc = gvContextPlugins(linked_in, /*demand_loading=*/plugins_are_listed() ? 1 : 0);
  agseterr(AGWARN);
  agseterrf(on_message);
  return std::string_view(argv[1]) == "--serve" ? serve(gvc) : by_hand(gvc, argv[1]);
}
