#include "sim/kernel/types.hh"

#include <cstring>
#include <string>

namespace wakepath::record {

using Values = std::vector<trace::Enumeration::Value>;

Values EnumWords<kernel::poll_t>::values() {
  return {{EPOLLIN, "EPOLLIN"},
          {EPOLLPRI, "EPOLLPRI"},
          {EPOLLOUT, "EPOLLOUT"},
          {EPOLLERR, "EPOLLERR"},
          {EPOLLHUP, "EPOLLHUP"},
          {EPOLLRDNORM, "EPOLLRDNORM"},
          {EPOLLRDBAND, "EPOLLRDBAND"},
          {EPOLLWRNORM, "EPOLLWRNORM"},
          {EPOLLWRBAND, "EPOLLWRBAND"},
          {EPOLLRDHUP, "EPOLLRDHUP"},
          {EPOLLEXCLUSIVE, "EPOLLEXCLUSIVE"},
          {EPOLLWAKEUP, "EPOLLWAKEUP"},
          {EPOLLONESHOT, "EPOLLONESHOT"},
          {EPOLLET, "EPOLLET"}};
}

Values EnumWords<kernel::TcpState>::values() {
  return {{0, "-"},         {1, "ESTABLISHED"}, {2, "SYN_SENT"},     {3, "SYN_RECV"},   {4, "FIN_WAIT1"},
          {5, "FIN_WAIT2"}, {6, "TIME_WAIT"},   {7, "CLOSE"},        {8, "CLOSE_WAIT"}, {9, "LAST_ACK"},
          {10, "LISTEN"},   {11, "CLOSING"},    {12, "NEW_SYN_RECV"}};
}

Values EnumWords<kernel::SocketState>::values() {
  return {{0, "SS_FREE"}, {1, "SS_UNCONNECTED"}, {2, "SS_CONNECTING"}, {3, "SS_CONNECTED"}, {4, "SS_DISCONNECTING"}};
}

Values EnumWords<kernel::TaskState>::values() {
  return {{0, "TASK_RUNNING"}, {1, "TASK_INTERRUPTIBLE"}, {0x80, "TASK_DEAD"}, {0x200, "TASK_WAKING"}};
}

Values EnumWords<kernel::wq_flags>::values() { return {{1, "WQ_FLAG_EXCLUSIVE"}, {2, "WQ_FLAG_WOKEN"}}; }

Values EnumWords<kernel::file_flags>::values() {
  return {{O_WRONLY, "O_WRONLY"}, {O_RDWR, "O_RDWR"},     {O_NONBLOCK, "O_NONBLOCK"}, {O_APPEND, "O_APPEND"},
          {O_ASYNC, "O_ASYNC"},   {O_DIRECT, "O_DIRECT"}, {0100000, "O_LARGEFILE"},   {O_CLOEXEC, "O_CLOEXEC"}};
}

Values EnumWords<kernel::shutdown_mask>::values() { return {{1, "RCV_SHUTDOWN"}, {2, "SEND_SHUTDOWN"}}; }

Values EnumWords<kernel::sock_flags>::values() {
  return {{1, "SOCK_DEAD"},      {2, "SOCK_DONE"},       {4, "SOCK_LINGER"},
          {8, "SOCK_BROADCAST"}, {16, "SOCK_URGINLINE"}, {32, "SOCK_KEEPOPEN"}};
}

Values EnumWords<kernel::tcp_flags>::values() {
  return {{1, "FIN"}, {2, "SYN"}, {4, "RST"}, {8, "PSH"}, {16, "ACK"}, {32, "URG"}};
}

Values EnumWords<kernel::signal_set>::values() {
  Values all;
  for (int signal = 1; signal < 32; ++signal)
    all.push_back({std::uint64_t{1} << (signal - 1), std::string("SIG") + sigabbrev_np(signal)});
  return all;
}

Values EnumWords<kernel::eventfd_flags>::values() {
  return {{EFD_SEMAPHORE, "EFD_SEMAPHORE"}, {EFD_NONBLOCK, "EFD_NONBLOCK"}, {EFD_CLOEXEC, "EFD_CLOEXEC"}};
}

Values EnumWords<kernel::ack_pending>::values() {
  return {{1, "SCHED"}, {2, "TIMER"}, {4, "PUSHED"}, {8, "PUSHED2"}, {16, "NOW"}};
}

Values EnumWords<kernel::nagle_flags>::values() {
  return {{1, "TCP_NAGLE_OFF"}, {2, "TCP_NAGLE_CORK"}, {4, "TCP_NAGLE_PUSH"}};
}

Values EnumWords<kernel::urgent_data>::values() {
  return {{0x100, "TCP_URG_VALID"}, {0x200, "TCP_URG_NOTYET"}, {0x400, "TCP_URG_READ"}};
}

Values EnumWords<kernel::skb_sacked>::values() {
  return {{1, "SACKED_ACKED"}, {2, "SACKED_RETRANS"}, {4, "LOST"}, {0x80, "EVER_RETRANS"}};
}

Values EnumWords<kernel::ca_state>::values() {
  return {{0, "Open"}, {1, "Disorder"}, {2, "CWR"}, {3, "Recovery"}, {4, "Loss"}};
}

}  // namespace wakepath::record
