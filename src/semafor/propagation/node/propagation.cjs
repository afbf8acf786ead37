// Hands the headers of a request's trace on to the calls that are made for it; NODE_OPTIONS names it, Node.js reads it
// before the application. It changes no behaviour but headers, and swallows what goes wrong with one line about it.
"use strict";

// Old enough for every Node.js that starts: what newer ones alone understand is in functions that are tried.
const B3 = ["x-b3-traceid", "x-b3-spanid", "x-b3-parentspanid", "x-b3-sampled", "x-b3-flags", "b3"];
const TRACE = ["traceparent", "tracestate", "x-cloud-trace-context", "grpc-trace-bin"].concat(B3);
const HEADERS = TRACE.concat(["x-request-id", "baggage"]);
// Who sets one of these has a trace of its own in mind; the others would contradict it.
const OWN = ["traceparent", "b3", "x-b3-traceid", "x-cloud-trace-context", "grpc-trace-bin"];
const MAX_BYTES = 8192; // of one header: W3C's bound of baggage
const MAX_AGE_MS = 3600000; // what a request leaves running does not belong to it for ever

const told = new Set();

function complain(what, error) {
  if (told.has(what)) return;
  told.add(what);
  process.stderr.write("semafor: " + what + " does not continue traces: " + error + "\n");
}

// Try it; whatever is wrong here, the application has to run.
function attempt(what, work) {
  try {
    return work();
  } catch (error) {
    complain(what, error);
    return undefined;
  }
}

let current; // an AsyncLocalStorage

// Whatever is done from here on is done for a request with these headers, also when it has no trace.
function enter(headers) {
  const kept = [];
  for (const name of HEADERS) {
    const value = headers[name];
    if (typeof value === "string" && value.length <= MAX_BYTES) kept.push([name, value]);
  }
  return kept.length ? { since: Date.now(), headers: kept } : undefined;
}

function carried() {
  const now = current.getStore();
  return now !== undefined && Date.now() - now.since < MAX_AGE_MS ? now.headers : [];
}

// What has to be added to a call; `has` tells of a header, by its name in lower case, whether it is there already.
function missing(has) {
  const wanted = carried();
  if (!wanted.length) return wanted;
  const hasTrace = OWN.some(has);
  return wanted.filter(([name]) => !has(name) && !(hasTrace && TRACE.includes(name)));
}

// ---- servers: an emitter's event is a request's beginning

function serve(emitter, event, headersOf) {
  const emit = emitter.emit;
  emitter.emit = function (name) {
    if (name !== event) return emit.apply(this, arguments);
    const now = attempt("a server", () => enter(headersOf(arguments)));
    return current.run(now, () => emit.apply(this, arguments));
  };
}

const ofRequest = (args) => args[1].headers; // ("request", request, response)
const ofStream = (args) => args[2]; // ("stream", stream, headers)

// ---- clients

function addToRequest(request) {
  if (request._header) return; // given as a list, and written already
  for (const [name, value] of missing((header) => request.hasHeader(header))) request.setHeader(name, value);
}

// What http and https make goes to an agent at once, or else begins to write by this method of theirs.
function call(http) {
  const { addRequest } = http.Agent.prototype;
  http.Agent.prototype.addRequest = function (request) {
    if (current.getStore() !== undefined) attempt("http", () => addToRequest(request));
    return addRequest.apply(this, arguments);
  };
  const begin = http.ClientRequest.prototype._implicitHeader;
  http.ClientRequest.prototype._implicitHeader = function () {
    if (current.getStore() !== undefined) attempt("http", () => addToRequest(this));
    return begin.apply(this, arguments);
  };
}

// fetch, and undici itself, tell of each request before it is sent.
function listenToUndici() {
  require("diagnostics_channel").channel("undici:request:create").subscribe((message) => {
    if (current.getStore() !== undefined) attempt("fetch", () => addToUndici(message.request));
  });
}

function addToUndici(request) {
  const given = request.headers; // a text in older versions, in newer ones a list of names and values in turn
  const names = Array.isArray(given)
    ? given.filter((_, index) => index % 2 === 0).map((name) => String(name).toLowerCase())
    : String(given || "").split("\r\n").map((line) => line.split(":", 1)[0].trim().toLowerCase());
  for (const [name, value] of missing((header) => names.includes(header))) request.addHeader(name, value);
}

function http2(module) {
  for (const name of ["createServer", "createSecureServer"]) {
    const create = module[name];
    module[name] = function () {
      const server = create.apply(this, arguments);
      attempt("http2", () => serve(server, "stream", ofStream));
      return server;
    };
  }
  const connect = module.connect;
  module.connect = function () {
    const session = connect.apply(this, arguments);
    attempt("http2", () => callHttp2(session));
    return session;
  };
}

function callHttp2(session) {
  const request = session.request;
  session.request = function (headers) {
    if (current.getStore() === undefined || Array.isArray(headers)) return request.apply(this, arguments);
    const args = Array.from(arguments);
    args[0] = attempt("http2", () => withMissing(headers)) || headers;
    return request.apply(this, args);
  };
}

// A copy, as the caller may use its own again.
function withMissing(headers) {
  const names = Object.keys(headers || {}).map((name) => name.toLowerCase());
  const copy = Object.assign(Object.create(null), headers);
  for (const symbol of Object.getOwnPropertySymbols(headers || {})) copy[symbol] = headers[symbol];
  for (const [name, value] of missing((header) => names.includes(header))) copy[name] = value;
  return copy;
}

// Each takes its time to load, so only when it is asked for (HTTP/2 by @grpc/grpc-js, say).
const LATER = {
  http2,
  https: (module) => serve(module.Server.prototype, "request", ofRequest),
};

function waitFor(later) {
  const Module = require("module");
  const load = Module._load;
  Module._load = function (name) {
    const loaded = load.apply(this, arguments);
    const short = String(name).replace(/^node:/, "");
    const work = Object.prototype.hasOwnProperty.call(later, short) ? later[short] : undefined;
    if (work !== undefined) {
      delete later[short];
      attempt(short, () => work(loaded));
    }
    return loaded;
  };
}

function begin() {
  current = new (require("async_hooks").AsyncLocalStorage)();
  const http = require("http");
  serve(http.Server.prototype, "request", ofRequest);
  call(http);
  waitFor(LATER);
}

attempt("this program", begin);
if (current !== undefined) attempt("fetch", listenToUndici);
