-- wrk script: sends the requests of a file (raw HTTP, separated by NUL) in turn, and prints what it saw as JSON.
-- Arguments: the file, the first request to send (0 …), and optionally how many answers to stop after (without times then).
local requests, position, remaining = {}, 0, nil

function init(arguments)
  for request in io.open(arguments[1], "rb"):read("*a"):gmatch("[^%z]+") do requests[#requests + 1] = request end
  position, remaining = tonumber(arguments[2]), tonumber(arguments[3])
  if remaining then
    local answers, refused = 0, 0
    response = function(status)
      answers = answers + 1
      if status > 399 then refused = refused + 1 end
      if answers == remaining then -- stopping the thread would still wait for the end of -d
        report(answers, 0, refused, 0, 0, 0)
        os.exit(0)
      end
    end
  end
end

function request()
  position = position % #requests + 1
  return requests[position]
end

function report(...)
  io.write(string.format('\n{"answers": %d, "seconds": %f, "errors": %d, "p50": %f, "p99": %f, "max": %f}\n', ...))
  io.flush()
end

function done(summary, latency)
  local errors = summary.errors
  report(summary.requests, summary.duration / 1e6,
    errors.connect + errors.read + errors.write + errors.status + errors.timeout,
    latency:percentile(50) / 1e6, latency:percentile(99) / 1e6, latency.max / 1e6)
end
