"""Whether leaves of an authority would be believed, before any proxy depends on it."""

from datetime import timedelta

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.x509.oid import ExtendedKeyUsageOID
from tests.ca import made

from semafor.ca import authority, trial
from semafor.ca.authority import Authority
from semafor.ca.plugged import PluggedError

ID = "spiffe://cluster.local/ns/default/sa/reviews"


def constrained(*extensions: tuple[x509.ExtensionType, bool], above: bool = False) -> Authority:
    """An intermediate with these extensions, or below a root with them."""
    root_key, own_key = made.key(), made.key()
    root = _certificate("Root", root_key, None, root_key, extensions if above else ())
    own = _certificate("Intermediate", own_key, root, root_key, () if above else extensions)
    return Authority(own, own_key, chain=(own,), roots=(root,))


def _certificate(name, key, issuer, issuer_key, extensions):
    subject = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, name)])
    builder = x509.CertificateBuilder(issuer.subject if issuer else subject, subject, key.public_key())
    builder = builder.serial_number(x509.random_serial_number())
    builder = builder.not_valid_before(made.NOW - timedelta(days=1)).not_valid_after(made.NOW + made.YEAR)
    builder = builder.add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
    builder = builder.add_extension(authority.usage(signs_certificates=True), critical=True)
    for extension, critical in extensions:
        builder = builder.add_extension(extension, critical=critical)
    return builder.sign(issuer_key, hashes.SHA256())


def names(*permitted: str, excluded: tuple[str, ...] = ()) -> tuple[x509.NameConstraints, bool]:
    def uris(values):
        return [x509.UniformResourceIdentifier(value) for value in values] or None

    return x509.NameConstraints(permitted_subtrees=uris(permitted), excluded_subtrees=uris(excluded)), True


@pytest.mark.parametrize("above", [False, True])
@pytest.mark.parametrize(
    "extension",
    [
        names("cluster.local"),
        names("other.example", "cluster.local"),
        names(excluded=("other.example",)),
        (x509.NameConstraints(permitted_subtrees=[x509.DNSName("example.com")], excluded_subtrees=None), True),
    ],
)
def test_constraints_that_leave_the_trust_domain_are_fine(extension, above):
    trial.check(constrained(extension, above=above), ID, now=made.NOW)


@pytest.mark.parametrize("above", [False, True])
@pytest.mark.parametrize(
    "extension",
    [names("other.example"), names(".cluster.local"), names("cluster.local", excluded=("cluster.local",))],
)
def test_constraints_that_leave_it_out_are_told_before_anything_is_signed(extension, above):
    with pytest.raises(PluggedError, match=r"for spiffe://cluster.local/ns/default/sa/reviews: .*subtree violation"):
        trial.check(constrained(extension, above=above), ID, now=made.NOW)


def test_an_authority_for_servers_alone_is_refused():
    uses = (x509.ExtendedKeyUsage([ExtendedKeyUsageOID.SERVER_AUTH]), False)
    with pytest.raises(PluggedError, match="nobody would believe"):
        trial.check(constrained(uses), ID, now=made.NOW)


def test_a_root_of_our_own_is_believed():
    trial.check(Authority.new(now=made.NOW), ID, now=made.NOW)
