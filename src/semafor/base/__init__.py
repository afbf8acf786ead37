"""Words that every part shares: references, problems, durations, hosts, identities. Imports nothing of ours.

A closed list: a module enters only when two packages that may not import each other need the same word.
"""
