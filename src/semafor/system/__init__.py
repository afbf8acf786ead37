"""The objects that a new mesh starts with, as YAML that kubectl could apply; app/bootstrap.py reads them."""
