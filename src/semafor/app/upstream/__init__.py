"""Authorities above ours: who signs our intermediate, by which API, and when it is signed anew.

settings ─▶ keeper: a key, a request ─▶ cert_manager | spire ─▶ ca.intermediate ─▶ app.authorities
"""
