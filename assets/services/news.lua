-- Sends news to subscribers, to show what a slow one costs. One line a command: "subscribe", "subscribe limited",
-- "publish N" (N KiB to each), "status". What the kernel does not take waits in this process; a subscriber with a limit
-- is given up when a megabyte waits for it.
local listener = assert(socket.listen("127.0.0.1", wakepath.port))
local subscribers, waiting = 0, {} -- waiting: megabytes by connection

local function forget(id)
  if waiting[id] then subscribers = subscribers - 1 end
  waiting[id] = nil
end

local function subscribe(id, limited)
  subscribers = subscribers + 1
  waiting[id] = 0
  socket.onclose(id, function() forget(id) end)
  socket.warning(id, function(_, kilobytes)
    if not waiting[id] then return end
    waiting[id] = kilobytes // 1024
    if limited and kilobytes > 0 then
      forget(id)
      socket.shutdown(id)
    end
  end)
  return "welcome\n"
end

local function publish(kilobytes)
  local text = ("x"):rep(kilobytes * 1024)
  for id in pairs(waiting) do socket.write(id, text) end
  return "published\n"
end

local function status()
  local sum = 0
  for _, megabytes in pairs(waiting) do sum = sum + megabytes end
  return ("%d subscribers, %d MB wait\n"):format(subscribers, sum)
end

socket.start(listener, function(id)
  socket.start(id)
  while true do
    local line = socket.readline(id)
    if not line then break end
    local kilobytes = tonumber(line:match("^publish (%d+)$"))
    if kilobytes then
      socket.write(id, publish(kilobytes))
    elseif line == "status" then
      socket.write(id, status())
    else
      socket.write(id, subscribe(id, line == "subscribe limited"))
    end
  end
  forget(id)
  socket.close(id)
end)
