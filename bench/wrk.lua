-- Sends ready-made requests in turn, and prints what was measured as a line of JSON; started by bench/wrk.py.
-- The file that is the script's argument has each request behind its length in bytes and a line break.

local requests = {}
local place = 0

function init(args)
  local file = assert(io.open(args[1], "rb"))
  local length = file:read("*n")
  while length do
    file:read(1)
    table.insert(requests, file:read(length))
    length = file:read("*n")
  end
  file:close()
end

function request()
  place = place % #requests + 1
  return requests[place]
end

function done(summary)
  local failed = summary.errors
  io.write(string.format(
    '\n{"count": %d, "seconds": %f, "errors": %d}\n',
    summary.requests, summary.duration / 1e6,
    failed.connect + failed.read + failed.write + failed.status + failed.timeout
  ))
end
