"""Traces: spans come in as OTLP or Zipkin, are kept within a bound, and are found again.

otlp.py, zipkin.py   bytes of a reporter        -> spans
store.py             spans                      -> a file that keeps the newest, and finds them
jaeger.py            what was found             -> the documents of Jaeger's HTTP API
"""
