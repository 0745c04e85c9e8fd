-- Every request for another of 100,000 files.
local threads = 0

function setup(thread)
  thread:set("number", threads)
  threads = threads + 1
end

function init(arguments) at = number * 50000 end

function request()
  at = (at + 1) % 100000
  return wrk.format("GET", string.format("/many/%03d/%05d", at % 1000, at))
end
