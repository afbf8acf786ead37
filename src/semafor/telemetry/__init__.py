"""Telemetry: what proxies and pods tell of themselves, kept, asked and watched.

exposition/   the text that a target answers            -> samples
series/       samples                                    -> a store with a bound, in memory and on disk
promql/       a query                                    -> values, by Prometheus's rules
rules/        queries that somebody wants to be told of  -> alerts, recorded series
traces/       spans that proxies and applications report -> a store with a bound, Jaeger's documents

It knows nothing of pods, Envoys or the mesh: `app` tells it what to read, and hands on what it says.
"""
