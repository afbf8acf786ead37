"""An application that answers every request with what a further call told it: `app.py SERVER CLIENT PORT TARGET`.

Nothing in it knows of traces. Each server and client is as short as its documentation makes it.
"""

import asyncio
import sys


def by_urllib(target):
    import urllib.request

    return urllib.request.urlopen(target).read()


def _with(name, target):
    from urllib.request import Request, urlopen

    return urlopen(Request(target, headers={name: "own"})).read()


def by_urllib_with_traceparent(target):
    return _with("Traceparent", target)


def by_urllib_with_b3(target):
    return _with("b3", target)


def by_http_client(target):
    from http.client import HTTPConnection
    from urllib.parse import urlsplit

    connection = HTTPConnection(urlsplit(target).netloc)
    connection.request("GET", "/")
    return connection.getresponse().read()


def by_urllib3(target):
    import urllib3

    return urllib3.PoolManager().request("GET", target).data


def by_requests(target):
    import requests

    return requests.get(target).content


def by_httpx(target):
    import httpx

    return httpx.get(target).content


def by_httpx_async(target):
    import httpx

    async def get():
        async with httpx.AsyncClient() as client:
            return (await client.get(target)).content

    return asyncio.run(get())


def by_executor(target):
    from concurrent.futures import ThreadPoolExecutor

    with ThreadPoolExecutor() as pool:
        return pool.submit(by_urllib, target).result()


def by_thread(target):
    from threading import Thread

    found = []
    thread = Thread(target=lambda: found.append(by_urllib(target)))
    thread.start()
    thread.join()
    return found[0]


def by_aiohttp(target):
    import aiohttp

    async def get():
        async with aiohttp.ClientSession() as session, session.get(target) as answer:
            return await answer.read()

    return asyncio.run(get())


def by_grpc_aio(target):
    import grpc

    async def get():
        async with grpc.aio.insecure_channel(target) as channel:
            return await channel.unary_unary("/echo.Echo/Headers")(b"")

    return asyncio.run(get())


def by_grpc(target):
    import grpc

    with grpc.insecure_channel(target) as channel:
        return channel.unary_unary("/echo.Echo/Headers")(b"")


def http_server(port, work):
    from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self):
            body = work()
            self.send_response(200)
            self.send_header("content-length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

    ThreadingHTTPServer(("127.0.0.1", port), Handler).serve_forever()


def wsgi_application(work):
    def application(environ, start_response):
        body = work()
        start_response("200 OK", [("content-length", str(len(body)))])
        return [body]

    return application


def wsgiref(port, work):
    from wsgiref.simple_server import make_server

    make_server("127.0.0.1", port, wsgi_application(work)).serve_forever()


def flask(port, work):
    from flask import Flask

    app = Flask("app")
    app.route("/")(work)
    app.run(port=port)


def waitress(port, work):
    from waitress import serve

    serve(wsgi_application(work), listen=f"127.0.0.1:{port}")


def gunicorn(port, work):
    from gunicorn.app.base import BaseApplication

    class Application(BaseApplication):
        def load_config(self):
            self.cfg.set("bind", f"127.0.0.1:{port}")

        def load(self):
            return wsgi_application(work)

    Application().run()


def uvicorn(port, work):
    from uvicorn import run

    async def application(scope, receive, send):
        if scope["type"] == "http":
            body = await asyncio.to_thread(work)
            await send({"type": "http.response.start", "status": 200, "headers": []})
            await send({"type": "http.response.body", "body": body})

    run(application, port=port, lifespan="off")


def starlette(port, work):
    from starlette.applications import Starlette
    from starlette.responses import Response
    from starlette.routing import Route
    from uvicorn import run

    run(Starlette(routes=[Route("/", lambda _: Response(work()))]), port=port)


def aiohttp(port, work):
    from aiohttp import web

    async def answer(_):
        return web.Response(body=await asyncio.to_thread(work))

    app = web.Application()
    app.router.add_get("/", answer)
    web.run_app(app, host="127.0.0.1", port=port)


def grpc_server(port, work):
    from concurrent.futures import ThreadPoolExecutor

    import grpc

    class Handler(grpc.GenericRpcHandler):
        def service(self, details):
            return grpc.unary_unary_rpc_method_handler(lambda request, context: work())

    server = grpc.server(ThreadPoolExecutor(2), handlers=(Handler(),))
    server.add_insecure_port(f"127.0.0.1:{port}")
    server.start()
    server.wait_for_termination()


def grpc_aio_server(port, work):
    import grpc

    async def answer(request, context):
        return await asyncio.to_thread(work)

    class Handler(grpc.GenericRpcHandler):
        def service(self, details):
            return grpc.unary_unary_rpc_method_handler(answer)

    async def serve():
        server = grpc.aio.server(handlers=(Handler(),))
        server.add_insecure_port(f"127.0.0.1:{port}")
        await server.start()
        await server.wait_for_termination()

    asyncio.run(serve())


if __name__ == "__main__":
    server, client, port, target = sys.argv[1:]
    globals()[server](int(port), lambda: globals()[f"by_{client}"](target))
