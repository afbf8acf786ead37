"""A small curl: HTTP and HTTPS with the options that tutorials and probes use. Anything else is refused by name.

Exit codes, -w variables and error messages are curl's own. Source: https://curl.se/docs/manpage.html.
"""
