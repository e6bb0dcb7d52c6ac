# One thread, one epoll, a server and its client: what `wakepath record -- COMMAND` is tried with.
import select
import socket

listener = socket.socket()
listener.bind(("127.0.0.1", 0))
listener.listen()
listener.setblocking(False)
epoll = select.epoll()
epoll.register(listener.fileno(), select.EPOLLIN)
client = socket.create_connection(listener.getsockname())
client.sendall(b"hello")
server = None
for turn in range(2):
    for descriptor, events in epoll.poll(5):
        if descriptor == listener.fileno():
            server, _ = listener.accept()
            epoll.register(server.fileno(), select.EPOLLIN)
        else:
            server.sendall(server.recv(100).upper())
print(client.recv(100).decode())
