"""What applications that ask for it are shown, so that traces go on: the caller's trace in the calls they make.

sitecustomize.py         Python reads it at its start, by PYTHONPATH
semafor_propagation.py   when a library for HTTP or gRPC is imported, OpenTelemetry's package for it is put to work

These files run in applications, with their Python and beside their packages: they import nothing of Semafor, cost
nothing until such a library is imported, and leave an application alone that brings OpenTelemetry itself.
No spans are made: that is the proxies' work. Only contexts are handed on.
"""
