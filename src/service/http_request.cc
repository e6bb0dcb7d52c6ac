#include "src/service/http_request.hh"

#include <algorithm>
#include <charconv>

namespace wakepath::service {

namespace {

std::string_view trimmed(std::string_view text) {
  while (!text.empty() && (text.front() == ' ' || text.front() == '\t')) text.remove_prefix(1);
  while (!text.empty() && (text.back() == ' ' || text.back() == '\t')) text.remove_suffix(1);
  return text;
}

char lower(char letter) { return letter >= 'A' && letter <= 'Z' ? static_cast<char>(letter + 'a' - 'A') : letter; }

bool same(std::string_view a, std::string_view b) {
  return std::equal(a.begin(), a.end(), b.begin(), b.end(), [](char x, char y) { return lower(x) == lower(y); });
}

/// RFC 9110, section 5.6.2
bool is_token(std::string_view text) {
  return !text.empty() && std::all_of(text.begin(), text.end(), [](char c) {
    const bool alphanumeric = (c >= '0' && c <= '9') || (lower(c) >= 'a' && lower(c) <= 'z');
    return alphanumeric || std::string_view("!#$%&'*+-.^_`|~").find(c) != std::string_view::npos;
  });
}

bool lists(std::string_view value, std::string_view word) {
  while (!value.empty()) {
    const size_t comma = std::min(value.find(','), value.size());
    if (same(trimmed(value.substr(0, comma)), word)) return true;
    value.remove_prefix(std::min(comma + 1, value.size()));
  }
  return false;
}

}  // namespace

void HttpReader::add(std::string_view bytes) {
  if (status_ != 0) return;
  bytes_.erase(0, read_);
  read_ = 0;
  bytes_.append(bytes);
}

HttpReader::Result HttpReader::refuse(int status) {
  if (status_ == 0) status_ = status;
  return Result::refused;
}

HttpReader::Result HttpReader::next(HttpRequest& request) {
  if (status_ != 0) return Result::refused;
  if (!in_body_) {
    // An empty line before a request is to be ignored (RFC 9112, section 2.2).
    while (std::string_view(bytes_).substr(read_).starts_with("\r\n")) read_ += 2;
    const std::string_view unread = std::string_view(bytes_).substr(read_);
    const size_t end = unread.find("\r\n\r\n");
    if (std::min(end, unread.size()) > kMostHead) return refuse(431);
    if (end == std::string_view::npos) return Result::more;
    current_ = {};
    body_size_ = 0;
    has_length_ = has_host_ = false;
    if (!read_head(unread.substr(0, end), current_)) return refuse(400);
    if (current_.minor >= 1 && !has_host_) return refuse(400);
    if (body_size_ > kMostBody) return refuse(413);
    read_ += end + 4;
    in_body_ = true;
  }
  if (bytes_.size() - read_ < body_size_) return Result::more;
  current_.body.assign(bytes_, read_, body_size_);
  read_ += body_size_;
  in_body_ = continue_ = false;
  request = std::move(current_);
  return Result::request;
}

bool HttpReader::read_head(std::string_view head, HttpRequest& request) {
  const size_t end = std::min(head.find("\r\n"), head.size());
  if (!read_line(head.substr(0, end), request)) return false;
  head.remove_prefix(std::min(end + 2, head.size()));
  while (!head.empty()) {
    const size_t stop = std::min(head.find("\r\n"), head.size());
    if (!read_field(head.substr(0, stop), request)) return false;
    head.remove_prefix(std::min(stop + 2, head.size()));
  }
  return true;
}

bool HttpReader::read_line(std::string_view line, HttpRequest& request) {
  const size_t first = line.find(' ');
  const size_t last = line.rfind(' ');
  if (first == std::string_view::npos || first == last) return false;
  request.method = line.substr(0, first);
  request.target = line.substr(first + 1, last - first - 1);
  const std::string_view version = line.substr(last + 1);
  if (!is_token(request.method) || request.target.empty() || request.target.find(' ') != std::string::npos)
    return false;
  if (version.size() != 8 || !version.starts_with("HTTP/") || version[6] != '.') return false;
  if (version[5] != '1') return refuse(505), false;
  if (version[7] < '0' || version[7] > '9') return false;
  request.minor = version[7] - '0';
  request.keep_alive = request.minor >= 1;
  return true;
}

bool HttpReader::read_field(std::string_view line, HttpRequest& request) {
  const size_t colon = line.find(':');
  if (colon == std::string_view::npos || !is_token(line.substr(0, colon))) return false;
  const std::string_view name = line.substr(0, colon);
  const std::string_view value = trimmed(line.substr(colon + 1));
  if (same(name, "host")) has_host_ = true;
  if (same(name, "connection")) {
    if (lists(value, "close")) request.keep_alive = false;
    if (lists(value, "keep-alive") && request.minor == 0) request.keep_alive = true;
  }
  if (same(name, "expect") && same(value, "100-continue")) continue_ = true;
  // Bodies of unknown length are not taken: to misjudge where one ends would be to take it for a request.
  if (same(name, "transfer-encoding")) return refuse(501), false;
  if (!same(name, "content-length")) return true;
  size_t size = 0;
  const auto [end, error] = std::from_chars(value.data(), value.data() + value.size(), size);
  if (error == std::errc::result_out_of_range) return refuse(413), false;
  if (error != std::errc() || end != value.data() + value.size()) return false;
  if (has_length_ && size != body_size_) return false;
  has_length_ = true;
  body_size_ = size;
  return true;
}

}  // namespace wakepath::service
