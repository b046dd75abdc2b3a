"""TLS goes to the checked address and still proves the name."""

import datetime
import ssl
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from lti_tool.core.outbound import GuardedTransport, Outbound, OutboundFailed
from tests.fakes.http_server import LoopbackServer
from tests.fakes.outbound import PUBLIC, Dialled, hello, names


class Shop:
    """A server with a certificate for `name`, and a client that trusts exactly that certificate."""

    def __init__(self, folder: Path, name: str) -> None:
        certificate = self_signed(folder, name)
        self.asked_for: list[str | None] = []
        self.tls = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
        self.tls.load_cert_chain(certificate)
        self.tls.sni_callback = lambda sock, sni, context: self.asked_for.append(sni)
        self.trust = ssl.create_default_context(cafile=str(certificate))

    @contextmanager
    def open(self) -> Iterator[tuple[Outbound, LoopbackServer, Dialled]]:
        with LoopbackServer(hello, tls=self.tls) as server:
            dialled = Dialled(server.port)
            transport = GuardedTransport(resolve=names([PUBLIC]), dial=dialled, tls=self.trust)
            with Outbound(transport) as outbound:
                yield outbound, server, dialled


def test_the_name_is_proven_and_the_address_is_the_checked_one(tmp_path: Path) -> None:
    shop = Shop(tmp_path, "moodle.example")
    with shop.open() as (outbound, server, dialled):
        assert outbound.get("https://moodle.example/a").body == b"hello"
        assert outbound.get("https://moodle.example/b").body == b"hello"

        assert dialled.addresses == [PUBLIC]
        assert shop.asked_for == ["moodle.example"]
        assert [seen.headers["Host"] for seen in server.seen] == ["moodle.example"] * 2


@pytest.mark.parametrize("name", ["other.example", "moodle.example.evil.example"])
def test_a_certificate_for_another_name_gets_no_request(tmp_path: Path, name: str) -> None:
    with Shop(tmp_path, name).open() as (outbound, server, _):
        with pytest.raises(OutboundFailed) as failed:
            outbound.get("https://moodle.example/")

        assert not failed.value.maybe_arrived
        assert str(failed.value) == "SSLCertVerificationError"
        assert server.seen == []


def test_a_certificate_nobody_vouches_for_gets_no_request(tmp_path: Path) -> None:
    shop = Shop(tmp_path, "moodle.example")
    shop.trust = ssl.create_default_context()
    with shop.open() as (outbound, server, _):
        with pytest.raises(OutboundFailed):
            outbound.get("https://moodle.example/")

        assert server.seen == []


def self_signed(folder: Path, name: str) -> Path:
    """A certificate and its key in one file."""
    key = ec.generate_private_key(ec.SECP256R1())
    subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)])
    now = datetime.datetime.now(datetime.UTC)
    certificate = (
        x509.CertificateBuilder(subject, subject)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - datetime.timedelta(days=1))
        .not_valid_after(now + datetime.timedelta(days=1))
        .add_extension(x509.SubjectAlternativeName([x509.DNSName(name)]), critical=False)
        .sign(key, hashes.SHA256())
    )
    path = folder / "certificate.pem"
    path.write_bytes(
        key.private_bytes(
            serialization.Encoding.PEM,
            serialization.PrivateFormat.PKCS8,
            serialization.NoEncryption(),
        )
        + certificate.public_bytes(serialization.Encoding.PEM)
    )
    return path
