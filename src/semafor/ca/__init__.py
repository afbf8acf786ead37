"""Identity: a root of our own, short-lived SPIFFE certificates, service-account tokens.

In: a certificate request and the identity that the caller has established by other means. Out: signed certificates
and tokens. It never takes an identity from a request, never holds a workload's key for longer than a call, and its
secrets redact themselves in `repr`.
"""
