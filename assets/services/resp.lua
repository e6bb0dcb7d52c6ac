-- A tiny store that speaks RESP, Redis's protocol (redis.io, "Redis serialization protocol specification"):
--   wakepath serve --service assets/services/resp.lua --port 6380
--   redis-cli -p 6380 set greeting hello
local most_arguments, longest = 1024, 1024 * 1024
local store = {}

local function bulk(text)
  if text == nil then return "$-1\r\n" end
  return "$" .. #text .. "\r\n" .. text .. "\r\n"
end

local function number(value) return ":" .. value .. "\r\n" end

local commands = {
  PING = { 0, 1, function(text) return text and bulk(text) or "+PONG\r\n" end },
  ECHO = { 1, 1, function(text) return bulk(text) end },
  SET = { 2, 2, function(key, value)
    store[key] = value
    return "+OK\r\n"
  end },
  GET = { 1, 1, function(key) return bulk(store[key]) end },
  DEL = { 1, most_arguments, function(...)
    local gone = 0
    for _, key in ipairs { ... } do
      if store[key] then gone = gone + 1 end
      store[key] = nil
    end
    return number(gone)
  end },
  INCR = { 1, 1, function(key)
    local value = math.tointeger(tonumber(store[key] or "0"))
    if not value then return "-ERR value is not an integer\r\n" end
    store[key] = tostring(value + 1)
    return number(value + 1)
  end },
  -- redis-cli asks for these when it starts, and is content with nothing
  COMMAND = { 0, most_arguments, function() return "*0\r\n" end },
  CLIENT = { 0, most_arguments, function() return "+OK\r\n" end },
  CONFIG = { 0, most_arguments, function() return "*0\r\n" end },
}

local function run(words)
  local command = commands[words[1]:upper()]
  if not command then return "-ERR unknown command\r\n" end
  local given = #words - 1
  if given < command[1] or given > command[2] then return "-ERR wrong number of arguments\r\n" end
  return command[3](table.unpack(words, 2))
end

-- A whole request as a table of words; nil at the end of the connection, false when it makes no sense.
local function request(id)
  local line = socket.readline(id, "\r\n")
  if not line then return nil end
  local words = {}
  local count = line:match("^%*(%d+)$")
  if not count then -- typed by hand: words with spaces between
    for word in line:gmatch("%S+") do words[#words + 1] = word end
    return words
  end
  count = tonumber(count)
  if count > most_arguments then return false end
  for i = 1, count do
    local header = socket.readline(id, "\r\n")
    if not header then return nil end
    local size = tonumber(header:match("^%$(%d+)$"))
    if not size or size > longest then return false end
    local word = socket.read(id, size + 2)
    if not word then return nil end
    words[i] = word:sub(1, -3)
  end
  return words
end

local listener = assert(socket.listen("127.0.0.1", wakepath.port))
socket.start(listener, function(id)
  socket.start(id)
  while true do
    local words = request(id)
    if words == false then socket.write(id, "-ERR Protocol error\r\n") end
    if not words then break end
    if #words > 0 then socket.write(id, run(words)) end
  end
  socket.close(id)
end)
