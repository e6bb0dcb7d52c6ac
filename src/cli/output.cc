#include "src/cli/output.hh"

#include <fmt/format.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <iostream>
#include <optional>

#include "sim/export/layout.hh"

namespace wakepath::cli {

int fail(int status, std::string_view why) {
  fmt::print(stderr, "{}\n", why);
  return status;
}

int write_out(const std::string& path, std::string_view bytes) {
  if (path.empty() || path == "-") {
    std::cout.write(bytes.data(), static_cast<std::streamsize>(bytes.size())).flush();
    return 0;  // main() looks whether it arrived
  }
  std::ofstream out(path, std::ios::binary | std::ios::trunc);
  out.write(bytes.data(), static_cast<std::streamsize>(bytes.size()));
  out.close();
  return out ? 0 : fail(kWrong, fmt::format("{}: cannot be written: {}", path, std::strerror(errno)));
}

bool replace_file(const std::string& path, std::string_view bytes) {
  const std::string next = path + ".new";
  std::ofstream out(next, std::ios::binary | std::ios::trunc);
  out.write(bytes.data(), static_cast<std::streamsize>(bytes.size()));
  out.close();
  std::error_code unknown;
  if (out) std::filesystem::rename(next, path, unknown);
  if (out && !unknown) return true;
  std::filesystem::remove(next, unknown);
  return false;
}

std::string no_folder(std::string_view option, const std::string& path) {
  if (path.empty()) return {};
  std::error_code error;
  std::filesystem::create_directories(path, error);
  if (!error && !std::filesystem::is_directory(path, error) && !error)
    error = std::make_error_code(std::errc::not_a_directory);
  if (!error && access(path.c_str(), W_OK | X_OK) != 0) error.assign(errno, std::generic_category());
  return error ? fmt::format("{}: {} is no folder to write to: {}", option, path, error.message()) : std::string();
}

std::string format_of_ending(const std::string& path) {
  const std::string ending = std::filesystem::path(path).extension().string();
  if (ending == ".gv") return "dot";
  if (ending == ".txt") return "text";
  if (ending == ".mmd") return "mermaid";
  return ending.empty() ? "" : ending.substr(1);
}

namespace {

std::optional<exports::LayoutFormat> layout_format(std::string_view format) {
  if (format == "svg") return exports::LayoutFormat::kSvg;
  if (format == "png") return exports::LayoutFormat::kPng;
  if (format == "pdf") return exports::LayoutFormat::kPdf;
  return std::nullopt;
}

}  // namespace

bool is_picture(std::string_view format) { return layout_format(format).has_value(); }

int write_graph(std::string_view dot, std::string_view format, const std::string& path) {
  const auto drawn_as = layout_format(format);
  if (!drawn_as) return write_out(path, dot);
  const bool to_terminal = (path.empty() || path == "-") && isatty(STDOUT_FILENO) != 0;
  if (format != "svg" && to_terminal)
    return fail(kWrong, fmt::format("a {} on a terminal helps nobody: give it a file with -o", format));
  exports::LayoutHelper helper;
  const exports::Picture picture = helper.layout(dot, *drawn_as);
  if (!picture.ok())
    return fail(kLacking, fmt::format("no picture: {}; --format dot works without Graphviz", picture.error));
  return write_out(path, picture.bytes);
}

}  // namespace wakepath::cli
