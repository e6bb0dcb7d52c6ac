-- The same with one function for everything that happens to sockets: no coroutine ever waits.
local listener = assert(socket.listen("127.0.0.1", wakepath.port))

socket.callback(function(kind, id, what)
  if kind == "data" then
    socket.write(id, what)
  elseif kind == "accept" then
    socket.start(what)
  elseif kind == "close" or kind == "error" or kind == "reset" then
    if id ~= listener then socket.close(id) end
  end
end)

socket.start(listener)
