"""Istio's sample Bookinfo: `python -m bookinfo SERVICE [PORT]`, one of productpage, details, reviews, ratings.

The same paths, fields, environment variables and time-outs as the original, in our own words and without its looks.
Source: https://istio.io/latest/docs/examples/bookinfo/.
"""
