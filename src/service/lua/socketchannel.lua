-- A connection that many coroutines ask through: request and response, one after the other or by session.
--
--   local channel = require("socketchannel").channel {
--     host = "127.0.0.1", port = 6379,
--     backup = { { host = …, port = … }, … },  -- tried when the first cannot be reached
--     auth = function(channel) … end,          -- before anything else goes through a new connection; may request()
--     response = function(channel) … end,      -- reads one response; returns session, fine, data[, more to come]
--     overload = function(is_overloaded) … end,-- more than a megabyte waits to be sent; and no longer
--     nodelay = true,
--   }
--   channel:connect(true)                      -- now, once, instead of at the first request; returns nil, why
--   channel:request(text, read)                -- in order: read(channel) returns fine, data
--   channel:request(text, session)             -- by session: what response() says of that session
--   channel:response(read)                     -- in order, without a request: for what comes by itself
--   channel:read(n), channel:readline(separator)  -- for read, response and auth
--   channel:changehost(host, port), channel:changebackup(list), channel:close()
--
-- request() returns the data, or raises: the data when `fine` is false, else the error of the connection, which is
-- tested with socketchannel.is_error(). After an error the next request connects again; after close() only connect() does. A text that is a table is
-- {text, text, …}: sent with low priority, so that it does not hold up short ones.
-- While it cannot connect, it tries again after 0, 1, 2, … 10 s as long as somebody waits; connect(true) tries once.

local socketchannel = {}

local socket_error = setmetatable({}, { __tostring = function() return "[the connection has failed]" end })

function socketchannel.is_error(value) return value == socket_error end

local channel = {}
channel.__index = channel

function socketchannel.channel(options)
  assert(options.host and options.port, "a channel needs host and port")
  return setmetatable({
    host = options.host,
    port = options.port,
    backup = options.backup or {},
    auth = options.auth,
    respond = options.response,
    overload = options.overload,
    nodelay = options.nodelay,
    waiting = {}, -- in order: readers and their coroutines, oldest first
    first = 1,
    last = 0,
    sessions = {}, -- by session: what becomes of a request
    connecting = nil, -- coroutines that wait for the connection; nil when nobody connects
    closed = false,
  }, channel)
end

-- What becomes of a request: finished once, then its coroutine is woken.
local function finish(entry, fine, data)
  if entry.done then return end
  entry.done, entry.fine, entry.data = true, fine, data
  wakepath.wakeup(entry.coroutine)
end

-- One more piece of a response of which more is to come.
local function keep_part(entry, data)
  entry.parts = entry.parts or {}
  table.insert(entry.parts, data)
end

-- The response to `entry` with its last piece: all of them, if it came in several.
local function whole(entry, data)
  if not entry.parts then return data end
  keep_part(entry, data)
  return entry.parts
end

-- The connection `id` is over: everybody who waits for something from it hears of it.
local function disconnect(self, id)
  if self.id ~= id then return end
  self.id = nil
  socket.close(id)
  for i = self.first, self.last do finish(self.waiting[i], false, socket_error) end
  self.waiting, self.first, self.last = {}, 1, 0
  local sessions = self.sessions
  self.sessions = {}
  for _, entry in pairs(sessions) do finish(entry, false, socket_error) end
  if self.idle then wakepath.wakeup(self.idle) end
  self.idle = nil
end

-- In order: one reader after the other, as they asked.
local function read_in_order(self, id)
  while self.id == id do
    if self.first > self.last then
      local me = coroutine.running()
      self.idle = me
      wakepath.wait()
      if self.idle == me then self.idle = nil end -- or another connection's reader waits by now
    else
      local entry = self.waiting[self.first]
      local called, fine, data, more = pcall(entry.read, self)
      if self.id ~= id then return end
      if not called then
        if fine ~= socket_error then wakepath.log("socketchannel: a reader has failed: " .. tostring(fine)) end
        finish(entry, false, fine)
        return disconnect(self, id)
      end
      if more then
        keep_part(entry, data)
      else
        self.waiting[self.first] = nil
        self.first = self.first + 1
        finish(entry, fine, whole(entry, data))
      end
    end
  end
end

-- By session: response() says whose each is.
local function read_by_session(self, id)
  while self.id == id do
    local called, session, fine, data, more = pcall(self.respond, self)
    if self.id ~= id then return end
    if not called then
      if session ~= socket_error then wakepath.log("socketchannel: response has failed: " .. tostring(session)) end
      return disconnect(self, id)
    end
    local entry = self.sessions[session]
    if not entry then
      wakepath.log("socketchannel: a response to no request, session " .. tostring(session))
    elseif more and fine then
      keep_part(entry, data)
    else
      self.sessions[session] = nil
      finish(entry, fine, whole(entry, data))
    end
  end
end

local function open_one(self, host, port)
  local id, why = socket.connect(host, port)
  if not id then return nil, host .. ":" .. port .. ": " .. why end
  if self.closed then
    socket.close(id)
    return nil, "closed"
  end
  if self.nodelay then socket.nodelay(id) end
  if self.overload then socket.warning(id, function(_, kilobytes) self.overload(kilobytes > 0) end) end
  self.id = id
  wakepath.fork(self.respond and read_by_session or read_in_order, self, id)
  if self.auth then
    self.authenticating = coroutine.running()
    local fine, reason = pcall(self.auth, self)
    self.authenticating = nil
    if not fine or self.id ~= id then
      disconnect(self, id)
      return nil, "authentication: " .. tostring(reason)
    end
  end
  return id
end

-- Each address once.
local function open_any(self)
  local id, why = open_one(self, self.host, self.port)
  for _, other in ipairs(self.backup) do
    if id or self.closed then break end
    id, why = open_one(self, other.host, other.port or self.port)
  end
  return id, why
end

local function open(self, once)
  local pause = 0
  while not self.closed do
    local id, why = open_any(self)
    if id or once then return id, why end
    if pause == 10 then wakepath.log("socketchannel: cannot connect: " .. why) end
    wakepath.sleep(pause)
    pause = math.min(pause + 1, 10)
  end
  return nil, "closed"
end

-- Connects if nothing is connected; one coroutine does, the others wait for it.
function channel:connect(once)
  self.closed = false
  while true do
    if self.authenticating == coroutine.running() then return self.id, "disconnected" end
    if self.connecting then
      table.insert(self.connecting, (coroutine.running()))
      wakepath.wait()
      if not self.id then return nil, self.why end
    elseif self.id then
      return self.id
    else
      self.connecting = {}
      local called, id, why = pcall(open, self, once)
      if not called then id, why = nil, id end
      self.why = why
      local others = self.connecting
      self.connecting = nil
      for _, other in ipairs(others) do wakepath.wakeup(other) end
      return id, why
    end
  end
end

local function wait_for(self, entry)
  while not entry.done do wakepath.wait() end
  if entry.fine then return entry.data end
  error(entry.data, 0)
end

function channel:request(text, how)
  local id = not self.closed and self:connect()
  if not id then error(socket_error, 0) end
  local entry = { coroutine = coroutine.running() }
  if self.respond then
    if how ~= nil then self.sessions[how] = entry end
  elseif how then
    entry.read = how
    self.last = self.last + 1
    self.waiting[self.last] = entry
    if self.idle then wakepath.wakeup(self.idle) end
  end
  local sent
  if type(text) == "table" then
    for _, part in ipairs(text) do
      sent = socket.lwrite(id, part)
      if not sent then break end
    end
  else
    sent = socket.write(id, text)
  end
  if not sent then
    disconnect(self, id)
    error(socket_error, 0)
  end
  if how == nil then return end
  return wait_for(self, entry)
end

function channel:response(read)
  assert(not self.respond, "a channel with sessions has one reader: its response function")
  if self.closed or not self:connect() then error(socket_error, 0) end
  local entry = { coroutine = coroutine.running(), read = read }
  self.last = self.last + 1
  self.waiting[self.last] = entry
  if self.idle then wakepath.wakeup(self.idle) end
  return wait_for(self, entry)
end

local function check(data)
  if data == nil then error(socket_error, 0) end
  return data
end

function channel:read(n) return check((socket.read(self.id or 0, n))) end
function channel:readline(separator) return check((socket.readline(self.id or 0, separator))) end

function channel:close()
  self.closed = true
  if self.id then disconnect(self, self.id) end
end

function channel:changehost(host, port)
  self.host, self.port = host, port or self.port
  if self.id then disconnect(self, self.id) end
end

function channel:changebackup(list) self.backup = list or {} end

return socketchannel
