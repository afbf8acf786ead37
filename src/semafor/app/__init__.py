"""The wiring: the only package that imports all others, and the only one that reads the environment.

pipeline.py turns objects into pushed configuration; daemon.py runs every part in one loop; cli/ talks to it.
"""
