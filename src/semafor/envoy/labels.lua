-- Spells out the labels of Istio's metrics for whoever reads them.
--
-- A proxy counts under one packed label, for Envoy makes every label of every metric anew for every request, and Istio
-- wants 25 of them. render/labels.py packs: `key=value` and a unit separator after each, which no header can contain.
-- What a proxy can know of itself is not in it, but in its variables.

local NAMES = {
  "reporter",
  "source_workload", "source_canonical_service", "source_canonical_revision", "source_workload_namespace",
  "source_app", "source_version", "source_principal", "source_cluster",
  "destination_workload", "destination_canonical_service", "destination_canonical_revision",
  "destination_workload_namespace", "destination_app", "destination_version", "destination_principal",
  "destination_cluster", "destination_service", "destination_service_name", "destination_service_namespace",
  "request_protocol", "response_code", "grpc_response_status", "response_flags", "connection_security_policy",
}
local OF_REQUESTS = {response_code = true, grpc_response_status = true} -- no other metric has them
local UNKNOWN = {
  source_canonical_revision = "latest", destination_canonical_revision = "latest",
  response_code = "", grpc_response_status = "",
}
local PEER = {"workload", "app", "version", "canonical_service", "canonical_revision", "workload_namespace"}
local OWN = { -- label, variable
  workload = "WORKLOAD", canonical_service = "SERVICE", canonical_revision = "REVISION",
  workload_namespace = "NAMESPACE", app = "APP", version = "VERSION",
}
local CLUSTER = "Kubernetes" -- Istio's id of the cluster where there is only one

-- The parts of a text between separators; empty ones are nil.
local function split(text, separator)
  local parts, place = {}, 1
  for part in (text .. separator):gmatch("([^" .. separator .. "]*)" .. separator) do
    parts[place] = part ~= "" and part or nil
    place = place + 1
  end
  return parts
end

local function own(variable)
  local value = os.getenv("SEMAFOR_" .. variable)
  return value and value ~= "" and value:gsub('[\\"]', "\\%0") or nil
end

local function unpack_fields(packed)
  local found, removed = {}, {}
  for key, value in packed:gmatch("([^=\31]+)=([^\31]*)\31") do
    if key == "without" then
      removed[value] = true
    else
      found[key] = value ~= "" and value or false
    end
  end
  return found, removed
end

local function labels_of(found)
  local here = found.reporter
  local there = here == "source" and "destination" or "source"
  local labels = {}
  for name, variable in pairs(OWN) do
    labels[here .. "_" .. name] = own(variable)
  end
  labels[here .. "_cluster"] = CLUSTER
  if found.peer then
    local parts = split(found.peer, ";")
    for place, name in ipairs(PEER) do
      labels[there .. "_" .. name] = parts[place]
    end
    labels[there .. "_cluster"] = parts[1] and CLUSTER
  end
  if here == "destination" and found.source_principal then -- spiffe://domain/ns/NAMESPACE/sa/...
    labels.source_workload_namespace = found.source_principal:match("^spiffe://[^/]+/ns/([^/]+)/")
  end
  local service = split(found.service or "", "\30")
  if service[2] then
    labels.destination_service, labels.destination_service_name = service[2], service[1]
    labels.destination_service_namespace = service[3]
  else
    local instead = service[1]
    if here == "destination" then
      instead = own("SERVICE")
    end
    labels.destination_service, labels.destination_service_name = instead, found.name or instead
  end
  labels.destination_service_name = found.route or labels.destination_service_name
  labels.destination_service_namespace = labels.destination_service_namespace
    or labels.destination_workload_namespace
  for _, name in ipairs(NAMES) do
    labels[name] = found[name] or labels[name]
  end
  return labels
end

local function spell(packed)
  local found, removed = unpack_fields(packed)
  local labels, written = labels_of(found), {}
  for _, name in ipairs(NAMES) do
    if not removed[name] and (found[name] ~= nil or not OF_REQUESTS[name]) then
      written[#written + 1] = name .. '="' .. (labels[name] or UNKNOWN[name] or "unknown") .. '"'
    end
  end
  return "{" .. table.concat(written, ",")
end

-- Adds up what is counted of messages: a line stands for calls with as many messages as its label `messages` says, of
-- requests and of answers. Lines of one metric follow each other; what they come to is written before the next line.
local function adder()
  local sums, order = {}, {}
  local function take(line)
    local head, direction, requests, answers, tail, calls =
      line:match('^(istio_(%a+)_messages_total{.*),messages="(%d*),?(%d*)"(.*}) (%d+)\n$')
    if not head then
      return false
    end
    local name = head .. tail
    if not sums[name] then
      sums[name] = 0
      order[#order + 1] = name
    end
    sums[name] = sums[name] + (tonumber(direction == "request" and requests or answers) or 0) * tonumber(calls)
    return true
  end
  local function written()
    local lines = {}
    for place, name in ipairs(order) do
      lines[place] = name .. " " .. string.format("%.0f", sums[name]) .. "\n"
    end
    sums, order = {}, {}
    return table.concat(lines)
  end
  return function(text)
    if #order == 0 and not text:find('_messages_total{', 1, true) then
      return text
    end
    local lines = {}
    for line in text:gmatch("[^\n]*\n") do
      if not take(line) then
        lines[#lines + 1] = written()
        lines[#lines + 1] = line
      end
    end
    return table.concat(lines)
  end
end

-- Answers may be larger than what Envoy would hold at once: they are rewritten piece by piece, each up to its last line.
function envoy_on_response(handle)
  handle:headers():remove("content-length")
  local known, rest, added = {}, "", adder()
  local function spelled(packed)
    if not known[packed] then
      known[packed] = spell(packed)
    end
    return known[packed]
  end
  for chunk in handle:bodyChunks() do
    local size = chunk:length()
    local text = rest .. (size > 0 and chunk:getBytes(0, size) or "")
    local last = text:match(".*()\n") or 0
    rest = text:sub(last + 1)
    local spelled_out = text:sub(1, last):gsub('{packed="(.-\31)"', spelled)
    chunk:setBytes(added(spelled_out))
  end
end
