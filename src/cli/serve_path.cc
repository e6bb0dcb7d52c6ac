#include "src/cli/serve_path.hh"

#include <fmt/core.h>

#include <filesystem>
#include <fstream>
#include <string_view>
#include <system_error>

#include "sim/export/layout.hh"
#include "sim/export/objects.hh"
#include "sim/export/path.hh"
#include "sim/export/text.hh"
#include "sim/trace/cursor.hh"
#include "sim/trace/hand_over.hh"

namespace wakepath::cli {

namespace {

/// Whether a step or a peer's deed is a connect().
bool begins_a_connection(const trace::Trace& trace, const trace::Record& record) {
  const std::string_view text = trace.string(record.object);
  if (record.kind == trace::RecordKind::kPeer) return text.find(": connect;") != std::string_view::npos;
  return record.kind == trace::RecordKind::kStep && text.find(": connect(") != std::string_view::npos;
}

bool ends_its_callback(const trace::Trace& trace, const trace::Record& record) {
  return record.kind == trace::RecordKind::kNote &&
         trace::tells_of_callback(trace.string(record.object), trace::kEnds, "on_accept");
}

struct View {
  const char* name;
  std::string dot;
};

bool write_picture(exports::LayoutHelper& helper, const View& view, const std::filesystem::path& folder,
                   exports::LayoutFormat format, const char* ending) {
  const std::filesystem::path file = folder / (std::string(view.name) + ending);
  const exports::Picture picture = helper.layout(view.dot, format);
  if (!picture.ok()) {
    fmt::print(stderr, "serve: {} was not drawn: {}\n", file.string(), picture.error);
    return false;
  }
  std::ofstream out(file, std::ios::binary | std::ios::trunc);
  out.write(picture.bytes.data(), static_cast<std::streamsize>(picture.bytes.size()));
  out.close();
  if (!out) {
    fmt::print(stderr, "serve: {} cannot be written\n", file.string());
    return false;
  }
  fmt::print("wrote {}\n", file.string());
  return true;
}

}  // namespace

ConnectionPath first_connection(const trace::Trace& trace) {
  ConnectionPath path;
  bool found = false;
  const trace::Position end = trace.size();
  for (trace::Position at = 0; at < end; ++at) {
    const trace::Record& record = trace[at];
    if (!found && record.kind == trace::RecordKind::kStep) path.from = at, path.step = record.after;
    if (!found && begins_a_connection(trace, record)) found = true;
    if (found && ends_its_callback(trace, record)) {
      path.to = at + 1;
      return path;
    }
  }
  return {};
}

void print_path(const trace::Trace& trace, const ConnectionPath& path) {
  if (path.empty()) return fmt::print("no connection, no path\n");
  fmt::print("\nthe kernel path of the first connection, from connect() to the callback of the service:\n\n{}\n",
             exports::call_tree(trace, path.from, path.to));
}

bool write_pictures(const trace::Trace& trace, const ConnectionPath& path, const std::string& folder) {
  std::error_code error;
  std::filesystem::create_directories(folder, error);
  if (error) {
    fmt::print(stderr, "serve: {}: {}\n", folder, error.message());
    return false;
  }
  const std::string title = "the first connection: from connect() to the callback of the service";
  trace::Cursor cursor(trace);
  cursor.seek(path.to);
  const View views[] = {
      {"path", exports::path_dot(trace, path.from, path.to, {.title = title})},
      {"objects",
       exports::objects_dot(trace, cursor.world(), {.changed_from = path.from, .changed_to = path.to, .title = title})},
  };
  exports::LayoutHelper helper;
  bool all = true;
  for (const View& view : views) {
    all = write_picture(helper, view, folder, exports::LayoutFormat::kSvg, ".svg") && all;
    all = write_picture(helper, view, folder, exports::LayoutFormat::kPng, ".png") && all;
  }
  return all;
}

}  // namespace wakepath::cli
