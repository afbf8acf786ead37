import pytest

from semafor.planner.services.protocol import Protocol, declared


@pytest.mark.parametrize(
    ("number", "name", "app_protocol", "expected"),
    [
        (80, "http", None, Protocol.HTTP),
        (80, "http-web", None, Protocol.HTTP),
        (80, "HTTP2-web", None, Protocol.HTTP2),
        (80, "grpc", None, Protocol.GRPC),
        (80, "grpc-web", None, Protocol.HTTP),
        (80, "grpc-web-chat", None, Protocol.HTTP),
        (443, "https", None, Protocol.TLS),
        (443, "tls-passthrough", None, Protocol.TLS),
        (5432, "tcp-db", None, Protocol.TCP),
        (6379, "redis", None, Protocol.TCP),
        (80, "", None, Protocol.SNIFFED),
        (80, "web", None, Protocol.SNIFFED),
        (80, "httpish", None, Protocol.SNIFFED),
        (3306, "", None, Protocol.TCP),
        (3306, "http", None, Protocol.HTTP),
        (80, "tcp", "http", Protocol.HTTP),
        (80, "tcp", "kubernetes.io/h2c", Protocol.HTTP2),
        (80, "tcp", "kubernetes.io/ws", Protocol.HTTP),
        (80, "tcp", "kubernetes.io/wss", Protocol.TLS),
        (80, "http", "mycompany.com/odd", Protocol.SNIFFED),
    ],
)
def test_app_protocol_wins_then_the_prefix_of_the_name_then_the_number(number, name, app_protocol, expected):
    assert declared(number, name, "TCP", app_protocol) is expected


def test_udp_is_udp_whatever_it_is_called():
    assert declared(80, "http", "UDP", None) is Protocol.UDP
