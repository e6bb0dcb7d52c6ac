#include <array>
#include <asio.hpp>
#include <memory>

#include "src/bench/server/kind.hh"

namespace wakepath::bench {

namespace {

using asio::ip::tcp;

class Connection : public std::enable_shared_from_this<Connection> {
 public:
  explicit Connection(tcp::socket socket) : socket_(std::move(socket)) {}

  void read() {
    socket_.async_read_some(asio::buffer(bytes_), [self = shared_from_this()](std::error_code error, std::size_t got) {
      if (!error) self->write(got);
    });
  }

 private:
  void write(std::size_t size) {
    asio::async_write(socket_, asio::buffer(bytes_.data(), size),
                      [self = shared_from_this()](std::error_code error, std::size_t) {
                        if (!error) self->read();
                      });
  }

  tcp::socket socket_;
  std::array<char, 16 * 1024> bytes_;
};

void accept(tcp::acceptor& acceptor) {
  acceptor.async_accept([&acceptor](std::error_code error, tcp::socket socket) {
    if (!error) std::make_shared<Connection>(std::move(socket))->read();
    accept(acceptor);
  });
}

}  // namespace

void serve_asio(const Seat& seat) {
  asio::io_context context(1);  // one thread runs it
  uint16_t port = 0;
  tcp::acceptor acceptor(context);
  acceptor.assign(tcp::v4(), listening_socket(port));
  accept(acceptor);
  seat.tell(port);
  context.run();
}

}  // namespace wakepath::bench
