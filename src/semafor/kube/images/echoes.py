"""The images of the Gateway API's conformance suite, and Istio's `app` that one of them is: recipes of our programs."""

from semafor.kube.images.host import Host
from semafor.kube.images.image import Config
from semafor.kube.images.recipe import Recipe, program

_HTTP2 = ("h2", "hpack", "hyperframe")

# As in the original's image: a pair that is secret to nobody, for tests that only need some TLS.
_CERTIFICATE = """-----BEGIN CERTIFICATE-----
MIIBTDCB86ADAgECAgEBMAoGCCqGSM49BAMCMA8xDTALBgNVBAMMBGVjaG8wIBcN
MjQwMTAxMDAwMDAwWhgPMjEyNDAxMDEwMDAwMDBaMA8xDTALBgNVBAMMBGVjaG8w
WTATBgcqhkjOPQIBBggqhkjOPQMBBwNCAASDIMR4BdPVoY6DJ9VX0KwmHvbW2K0H
AR6osqoj/ERuBaaLlxq2+ZNqMyU/n1KqOmiHd0/Z7uw/DGu7PxGTsFhxoz4wPDAp
BgNVHREEIjAggglsb2NhbGhvc3SCEyouc3ZjLmNsdXN0ZXIubG9jYWwwDwYDVR0T
AQH/BAUwAwEB/zAKBggqhkjOPQQDAgNIADBFAiAuAVcVwHQ7lLeS3cIs5cke5aSs
bYRMoF6f7W+vNq5IPwIhAM6DDhMBvamhr5G7GTn8K3CbSGWthJkK9BSG5l+t/abI
-----END CERTIFICATE-----
"""
_KEY = """-----BEGIN PRIVATE KEY-----
MIGHAgEAMBMGByqGSM49AgEGCCqGSM49AwEHBG0wawIBAQQgDXl1FRwoIeQrEK8/
LlD6YhgOjzPosrjngzxILJQNGW6hRANCAASDIMR4BdPVoY6DJ9VX0KwmHvbW2K0H
AR6osqoj/ERuBaaLlxq2+ZNqMyU/n1KqOmiHd0/Z7uw/DGu7PxGTsFhx
-----END PRIVATE KEY-----
"""


def basic(host: Host) -> Recipe:
    """`echo-basic`: JSON over HTTP; gRPC, TCP or UDP when the environment says so."""
    command = "/echo-basic"
    config = Config(env=(("PATH", host.search_path),), entrypoint=(command,))
    return Recipe(config=config, files=program(host, "echo.basic", command, _HTTP2))


def advanced(host: Host) -> Recipe:
    """`echo-advanced`: Istio's `app`, a server and, by `kubectl exec`, a client."""
    server, client = "/usr/local/bin/server", "/usr/local/bin/client"
    own = dict(program(host, "echo.advanced", server, _HTTP2)) | dict(program(host, "echo.client", client, _HTTP2))
    pair = {"/cert.crt": _CERTIFICATE, "/cert.key": _KEY}
    config = Config(env=(("PATH", host.search_path),), entrypoint=(server,))
    return Recipe(config=config, files=tuple((own | pair).items()))


def authorizer(host: Host) -> Recipe:
    """Istio's sample `ext-authz`."""
    command = "/usr/local/bin/extauthz"
    config = Config(env=(("PATH", host.search_path),), entrypoint=(command,), exposed=(8000, 9000))
    return Recipe(config=config, files=program(host, "echo.authorizer", command, _HTTP2))


def coredns(host: Host) -> Recipe:
    """CoreDNS with the plugins that tests of gateways use."""
    command = "/coredns"
    config = Config(env=(("PATH", host.search_path),), entrypoint=(command,), exposed=(53,))
    return Recipe(config=config, files=program(host, "coredns", command, ("dnslib",)))
