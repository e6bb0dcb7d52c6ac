-- Answers each line in capitals, after a while.
local listener = assert(socket.listen("127.0.0.1", wakepath.port))

socket.start(listener, function(id)
  socket.start(id)
  local line = socket.readline(id)
  while line do
    wakepath.sleep(0.1)
    socket.write(id, line:upper() .. "\n")
    line = socket.readline(id)
  end
  socket.close(id)
end)
