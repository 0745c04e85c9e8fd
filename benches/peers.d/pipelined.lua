-- Sixteen requests at once.
function init(arguments)
  local request = wrk.format("GET", wrk.path)
  batch = string.rep(request, 16)
end

function request() return batch end
