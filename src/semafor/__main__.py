"""`python -m semafor` is the command line."""

from semafor.app.cli import main

main()
