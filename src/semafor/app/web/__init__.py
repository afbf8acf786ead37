"""The page: what a browser is told of the mesh, and who may look.

Objects, problems and metrics go in, JSON and the built files of `ui/` come out. It decides nothing about traffic: what
it changes it changes as objects, through the same rules as kubectl.

browser ─▶ gate (host, headers, session, origin) ─▶ one module for each area ─▶ sources
"""
