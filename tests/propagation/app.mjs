// An application that answers every request with what a further call told it: `app.mjs CLIENT PORT TARGET`.
import http, { request } from "node:http";
import { createRequire } from "node:module";

const [client, port, target] = process.argv.slice(2);

const clients = {
  fetch: async () => (await fetch(target)).text(),
  fetch_with_traceparent: async () => (await fetch(target, { headers: { traceparent: "own" } })).text(),
  request: () => new Promise((done) => request(target, (answer) => read(answer).then(done)).end()),
  get: () => new Promise((done) => http.get(target, (answer) => read(answer).then(done))),
  later: () => new Promise((done) => setTimeout(() => clients.get().then(done), 5)),
  http2: () =>
    new Promise((done) => {
      const session = createRequire(import.meta.url)("http2").connect(target);
      const stream = session.request({ ":path": "/" });
      read(stream).then((body) => (session.close(), done(body)));
    }),
};

async function read(stream) {
  const parts = [];
  for await (const part of stream) parts.push(part);
  return Buffer.concat(parts).toString();
}

http.createServer(async (_, answer) => answer.end(await clients[client]())).listen(Number(port), "127.0.0.1");
