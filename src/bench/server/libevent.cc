#include <event2/buffer.h>
#include <event2/bufferevent.h>
#include <event2/event.h>
#include <event2/listener.h>

#include "src/bench/server/kind.hh"

namespace wakepath::bench {

namespace {

void on_data(bufferevent* connection, void*) {
  evbuffer_add_buffer(bufferevent_get_output(connection), bufferevent_get_input(connection));
}

void on_event(bufferevent* connection, short what, void*) {
  if ((what & (BEV_EVENT_EOF | BEV_EVENT_ERROR)) != 0) bufferevent_free(connection);
}

void on_accept(evconnlistener*, evutil_socket_t fd, sockaddr*, int, void* base) {
  bufferevent* connection = bufferevent_socket_new(static_cast<event_base*>(base), fd, BEV_OPT_CLOSE_ON_FREE);
  bufferevent_setcb(connection, &on_data, nullptr, &on_event, nullptr);
  bufferevent_enable(connection, EV_READ | EV_WRITE);
}

}  // namespace

void serve_libevent(const Seat& seat) {
  event_base* base = event_base_new();
  uint16_t port = 0;
  const int fd = listening_socket(port);
  evconnlistener_new(base, &on_accept, base, LEV_OPT_CLOSE_ON_EXEC, 0, fd);
  seat.tell(port);
  event_base_dispatch(base);
}

}  // namespace wakepath::bench
