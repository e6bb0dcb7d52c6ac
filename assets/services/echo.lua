-- Sends back what it receives, with a coroutine for each connection.
local listener, port = assert(socket.listen("127.0.0.1", wakepath.port))

socket.start(listener, function(id)
  socket.start(id)
  while true do
    local data = socket.read(id)
    if not data then break end
    socket.write(id, data)
  end
  socket.close(id)
end)
