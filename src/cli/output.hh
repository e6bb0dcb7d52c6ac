#pragma once

#include <string>
#include <string_view>

namespace wakepath::cli {

/// Exit statuses: the file or the command line is wrong; this machine lacks something.
constexpr int kWrong = 2;
constexpr int kLacking = 3;

/// Says why on standard error. Returns `status`.
int fail(int status, std::string_view why);

/// Into the file `path`; empty or "-": to standard output. 0, or kWrong after having said why not.
int write_out(const std::string& path, std::string_view bytes);

/// Into the file `path`, all of it or nothing: what was there before stays when it cannot be written. Says nothing.
[[nodiscard]] bool replace_file(const std::string& path, std::string_view bytes);

/// Why the folder that an option names cannot be written to; it is made when it is not there. Empty: it can, or `path`
/// is empty.
[[nodiscard]] std::string no_folder(std::string_view option, const std::string& path);

/// The format that the ending of a file's name stands for: "dot" for .dot and .gv, "text" for .txt, "mermaid" for .mmd,
/// else the ending itself ("svg"); empty: it has none.
std::string format_of_ending(const std::string& path);
/// Graphviz draws it: svg, png, pdf.
bool is_picture(std::string_view format);
/// A graph in DOT, as it is (`format` "dot") or drawn, into `path` as write_out() does.
int write_graph(std::string_view dot, std::string_view format, const std::string& path);

}  // namespace wakepath::cli
