#pragma once

// What of FreeBSD's <sys/event.h> the kqueue poller uses (kqueue(2)), so that it can be compiled where there is none.
// kqueue_test.cc has the two calls.

#include <time.h>

#include <cstdint>

struct kevent {
  uintptr_t ident;
  short filter;
  unsigned short flags;
  unsigned int fflags;
  int64_t data;
  void* udata;
};

constexpr short EVFILT_READ = -1;
constexpr short EVFILT_WRITE = -2;
constexpr unsigned short EV_ADD = 0x0001;
constexpr unsigned short EV_DELETE = 0x0002;
constexpr unsigned short EV_ENABLE = 0x0004;
constexpr unsigned short EV_DISABLE = 0x0008;
constexpr unsigned short EV_ERROR = 0x4000;
constexpr unsigned short EV_EOF = 0x8000;

inline void EV_SET(struct kevent* event, uintptr_t ident, short filter, unsigned short flags, unsigned int fflags,
                   int64_t data, void* udata) {
  *event = {ident, filter, flags, fflags, data, udata};
}

int kqueue();
int kevent(int queue, const struct kevent* changes, int change_count, struct kevent* events, int event_count,
           const timespec* timeout);
