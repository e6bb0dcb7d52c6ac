-- Greets, and ends itself when it is told to: its listener and its connections go with it.
local listener = assert(socket.listen("127.0.0.1", wakepath.port))

socket.start(listener, function(id)
  socket.start(id)
  local line = socket.readline(id)
  while line and line ~= "quit" do
    socket.write(id, "hello " .. line .. "\n")
    line = socket.readline(id)
  end
  if line then wakepath.exit() end
  socket.close(id)
end)
