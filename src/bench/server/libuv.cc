#include <uv.h>

#include <cstdlib>
#include <memory>

#include "src/bench/server/kind.hh"

namespace wakepath::bench {

namespace {

struct Connection {
  uv_tcp_t tcp;
};

/// One answer on its way, with its bytes behind it.
struct Answer {
  uv_write_t request;
  char* bytes;
};

// The loop reads one connection at a time: one buffer is enough as long as the answer is sent from it at once.
char buffer[64 * 1024];

void give_buffer(uv_handle_t*, size_t, uv_buf_t* out) { *out = uv_buf_init(buffer, sizeof buffer); }

void on_closed(uv_handle_t* handle) { delete static_cast<Connection*>(handle->data); }

void on_written(uv_write_t* request, int) {
  auto* answer = static_cast<Answer*>(request->data);
  std::free(answer->bytes);
  delete answer;
}

void write_later(uv_stream_t* stream, const char* bytes, std::size_t size) {
  auto* answer = new Answer{.request = {}, .bytes = static_cast<char*>(std::malloc(size))};
  std::copy(bytes, bytes + size, answer->bytes);
  answer->request.data = answer;
  uv_buf_t piece = uv_buf_init(answer->bytes, static_cast<unsigned>(size));
  uv_write(&answer->request, stream, &piece, 1, &on_written);
}

void on_data(uv_stream_t* stream, ssize_t got, const uv_buf_t* data) {
  if (got == 0) return;
  auto* handle = reinterpret_cast<uv_handle_t*>(stream);
  if (got < 0) {
    if (uv_is_closing(handle) == 0) uv_close(handle, &on_closed);
    return;
  }
  uv_buf_t piece = uv_buf_init(data->base, static_cast<unsigned>(got));
  const int sent = uv_try_write(stream, &piece, 1);
  if (sent == got) return;
  const std::size_t done = sent < 0 ? 0 : static_cast<std::size_t>(sent);
  write_later(stream, data->base + done, static_cast<std::size_t>(got) - done);
}

void on_connection(uv_stream_t* listener, int) {
  auto* connection = new Connection;
  uv_tcp_init(listener->loop, &connection->tcp);
  connection->tcp.data = connection;
  auto* stream = reinterpret_cast<uv_stream_t*>(&connection->tcp);
  if (uv_accept(listener, stream) == 0) uv_read_start(stream, &give_buffer, &on_data);
}

}  // namespace

void serve_libuv(const Seat& seat) {
  uv_loop_t loop;
  uv_loop_init(&loop);
  uint16_t port = 0;
  const int fd = listening_socket(port);
  uv_tcp_t listener;
  uv_tcp_init(&loop, &listener);
  uv_tcp_open(&listener, fd);
  uv_listen(reinterpret_cast<uv_stream_t*>(&listener), 1024, &on_connection);
  seat.tell(port);
  uv_run(&loop, UV_RUN_DEFAULT);
}

}  // namespace wakepath::bench
