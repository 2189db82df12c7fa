-- One path, or what the environment says otherwise; the end is a line of figures.
local mode = os.getenv("BENCH_MODE") or "one"
local path = os.getenv("BENCH_PATH") or "/1k.bin"
local count = tonumber(os.getenv("BENCH_COUNT") or "1")
local host = os.getenv("BENCH_HOST")
local accepted = os.getenv("BENCH_ACCEPTED")
local requests = {}

local function one(target, fields)
  if host then
    fields = fields or {}
    fields["Host"] = host
  end
  if accepted then
    fields = fields or {}
    fields["Accept-Encoding"] = accepted
  end
  return wrk.format("GET", target, fields)
end

function init(arguments)
  math.randomseed(20240229)
  if mode == "pipeline" then
    local all = {}
    for i = 1, count do all[i] = one(path) end
    requests[1] = table.concat(all)
  elseif mode == "close" then
    requests[1] = one(path, { ["Connection"] = "close" })
  elseif mode == "tree" then
    -- Every file once in each pass, in an order that is the same for every server.
    for i = 1, count do requests[i] = one("/tree/" .. (i - 1) % 100 .. "/" .. i - 1 .. ".bin") end
    for i = count, 2, -1 do
      local j = math.random(i)
      requests[i], requests[j] = requests[j], requests[i]
    end
  elseif mode == "head" then
    requests[1] = one(path, { ["X-Padding"] = string.rep("x", count) })
  else
    requests[1] = one(path)
  end
end

local next_request = 0
function request()
  next_request = next_request % #requests + 1
  return requests[next_request]
end

function done(summary, latency, all)
  local errors = summary.errors
  io.write(string.format("FIGURES %d %d %d %d\n", summary.requests, summary.bytes, summary.duration,
    errors.connect + errors.read + errors.write + errors.status + errors.timeout))
end
