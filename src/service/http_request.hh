#pragma once

#include <cstddef>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace wakepath::service {

/// One request of HTTP/1.1 (RFC 9112).
struct HttpRequest {
  std::string method, target, body;
  int minor = 1;           ///< HTTP/1.minor
  bool keep_alive = true;  ///< whether the client wants to go on with this connection
};

/// Takes requests out of what one connection sends, however it is cut; several may come before the first is answered.
class HttpReader {
 public:
  static constexpr size_t kMostHead = 8 * 1024;  ///< bytes of request line and fields
  static constexpr size_t kMostBody = 1024 * 1024;

  enum class Result {
    more,     ///< no whole request yet
    request,  ///< `request` is one
    refused,  ///< `status` says why; nothing that comes after it makes sense
  };

  void add(std::string_view bytes);
  Result next(HttpRequest& request);
  /// 400, 413, 431, 501 or 505.
  int status() const { return status_; }
  /// Whether a part of a request is here.
  bool has_begun() const { return in_body_ || read_ < bytes_.size(); }
  /// Whether the client waits for "100 Continue" before it sends the body. Says so once.
  bool take_continue() { return std::exchange(continue_, false); }

 private:
  Result refuse(int status);
  bool read_head(std::string_view head, HttpRequest& request);
  bool read_line(std::string_view line, HttpRequest& request);
  bool read_field(std::string_view line, HttpRequest& request);

  std::string bytes_;
  size_t read_ = 0;
  // of the request whose head is complete and whose body is not
  bool in_body_ = false;
  size_t body_size_ = 0;
  bool has_length_ = false, has_host_ = false;
  HttpRequest current_;
  int status_ = 0;
  bool continue_ = false;
};

}  // namespace wakepath::service
