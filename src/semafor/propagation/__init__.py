"""What applications are shown so that traces go on: the caller's headers of a trace, in the calls they make.

python/sitecustomize.py        Python reads it at its start, by PYTHONPATH; it waits for imports, and does no more
python/semafor_propagation.py  what a request's headers say, kept beside the work for it
python/semafor_libraries.py    read when the first library for HTTP or gRPC is imported: how it is made to hand them on

These files run in applications, with their Python (3.7 and newer) and beside their packages: they import nothing but
what the program has loaded anyway, change no behaviour but headers, and swallow what goes wrong with one line about it.
No spans are made: that is the proxies' work. Headers that an application sets itself stay as they are, so one with
OpenTelemetry of its own goes before this.
"""
