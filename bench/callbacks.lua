-- For wrk: a callback of its own for every request; the first argument names the file of them
-- (a line each: path, tab, body). Prints what bench/saturated.py reads.

local lines = nil
local headers = { ["Content-Type"] = "application/json", ["Connection"] = "close" }

function init(args)
  lines = io.lines(args[1])
end

function request()
  local path, body = lines():match("^(.-)\t(.*)$")
  return wrk.format("POST", path, headers, body)
end

function done(summary, latency)
  local failed = summary.errors.status + summary.errors.connect
    + summary.errors.read + summary.errors.write + summary.errors.timeout
  print(string.format('{"requests": %d, "seconds": %f, "failed": %d, "p99": %f}',
    summary.requests, summary.duration / 1e6, failed, latency:percentile(99) / 1e6))
end
