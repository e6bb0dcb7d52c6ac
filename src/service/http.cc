#include "src/service/http.hh"

#include <utility>

#include "src/service/runtime.hh"

namespace wakepath::service {

namespace {

std::string_view reason_of(int status) {
  switch (status) {
    case 200:
      return "OK";
    case 400:
      return "Bad Request";
    case 404:
      return "Not Found";
    case 405:
      return "Method Not Allowed";
    case 408:
      return "Request Timeout";
    case 413:
      return "Content Too Large";
    case 431:
      return "Request Header Fields Too Large";
    case 501:
      return "Not Implemented";
    case 505:
      return "HTTP Version Not Supported";
    default:
      return "Error";
  }
}

HttpAnswer refusal(int status, std::string allow = {}) {
  return {.status = status,
          .body = std::to_string(status) + " " + std::string(reason_of(status)) + "\n",
          .allow = std::move(allow)};
}

}  // namespace

HttpAnswer answer(const HttpRequest& request, uint64_t served) {
  const std::string_view path = std::string_view(request.target).substr(0, request.target.find('?'));
  const bool reads = request.method == "GET" || request.method == "HEAD";
  if (path == "/" || path == "/stat") {
    if (!reads) return refusal(405, "GET, HEAD");
    return {.body = path == "/" ? "hello from wakepath\n" : "requests " + std::to_string(served) + "\n"};
  }
  if (path == "/echo") return request.method == "POST" ? HttpAnswer{.body = request.body} : refusal(405, "POST");
  return refusal(404);
}

std::string render(const HttpAnswer& answer, bool keep_alive, bool head_only) {
  std::string out = "HTTP/1.1 " + std::to_string(answer.status) + " ";
  out.append(reason_of(answer.status)).append("\r\nContent-Type: text/plain\r\nContent-Length: ");
  out.append(std::to_string(answer.body.size())).append("\r\n");
  if (!answer.allow.empty()) out.append("Allow: ").append(answer.allow).append("\r\n");
  out.append(keep_alive ? "Connection: keep-alive\r\n\r\n" : "Connection: close\r\n\r\n");
  if (!head_only) out.append(answer.body);
  return out;
}

int HttpService::start(std::string&) {
  where_.options.nodelay = true;
  const server::Opened listening = runtime().listen(self(), where_.host, where_.port, where_.options);
  if (listening.error < 0) return listening.error;
  listener_ = listening.id;
  sockets().start(self(), listener_);
  return 0;
}

void HttpService::on_accept(server::Message& message) {
  clients_.try_emplace(message.accepted);
  begin_patience(message.accepted);
  if (!where_.options.starts_accepted) sockets().start(self(), message.accepted);
}

/// All requests that have come are answered with one send.
void HttpService::on_data(server::Message& message) {
  const auto client = clients_.find(message.id);
  if (client == clients_.end()) return;
  HttpReader& reader = client->second.reader;
  reader.add(message.data.view());
  std::string out;
  HttpRequest request;
  bool open = true;
  while (open) {
    const HttpReader::Result result = reader.next(request);
    if (result == HttpReader::Result::more) {
      if (reader.take_continue()) out += "HTTP/1.1 100 Continue\r\n\r\n";
      break;
    }
    if (result == HttpReader::Result::refused) {
      open = false;
      out += render(refusal(reader.status()), false, false);
    } else {
      open = request.keep_alive;
      client->second.heard = true;
      out += render(answer(request, ++served_), open, request.method == "HEAD");
    }
  }
  if (!out.empty()) sockets().send(message.id, std::move(out));
  if (!open) let_go(message.id);
}

void HttpService::let_go(server::SocketId id) {
  // The client may still be sending: to close at once would answer that with RST, and the answer might be lost with it
  // (RFC 9112, section 9.6). What it sends is thrown away until it has finished too.
  clients_.erase(id);
  sockets().finish(id);
  const Session session = next_session();
  finishing_[session] = id;
  runtime().timeout(self(), session, kLingerNs);
}

void HttpService::begin_patience(server::SocketId id) {
  const Session session = next_session();
  patience_[session] = id;
  runtime().timeout(self(), session, patience_ns_);
}

void HttpService::lose_patience(server::SocketId id) {
  const auto client = clients_.find(id);
  if (client == clients_.end()) return;  // it has gone meanwhile
  if (std::exchange(client->second.heard, false)) return begin_patience(id);
  if (client->second.reader.has_begun()) sockets().send(id, render(refusal(408), false, false));
  let_go(id);
}

void HttpService::on_timeout(Session session) {
  if (const auto waited = patience_.extract(session); !waited.empty()) return lose_patience(waited.mapped());
  const auto late = finishing_.extract(session);
  if (!late.empty()) sockets().shutdown(late.mapped());  // when it is gone already, nothing happens
}

void HttpService::on_close(server::Message& message) {
  clients_.erase(message.id);
  sockets().close(message.id);
}

void HttpService::on_error(server::Message& message) {
  if (message.id == listener_) return log(message.text);
  clients_.erase(message.id);
  sockets().shutdown(message.id);
}

/// Answers that nobody reads: no more requests are read until they have gone.
void HttpService::on_warning(server::Message& message) {
  if (message.kilobytes > 0) {
    sockets().pause(message.id);
  } else {
    sockets().start(self(), message.id);
  }
}

}  // namespace wakepath::service
