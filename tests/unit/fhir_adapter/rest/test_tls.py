"""Private authorities and mutual TLS, over real connections with certificates made for the test."""

import ipaddress
import ssl
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from fhir_adapter.errors import ServerUnreachableError
from fhir_adapter.rest.tls import tls_context
from tests.unit.fhir_adapter.rest.scripted_server import ScriptedServer, client_for, fhir

PATIENT = {"resourceType": "Patient", "id": "1"}


@dataclass
class Authority:
    """A certificate authority of a hospital's own, which issues into a folder."""

    folder: Path

    def __post_init__(self) -> None:
        self.key = ec.generate_private_key(ec.SECP256R1())
        self.name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "Test authority")])
        self.file = self._kept("authority", self._signed(self.name, self.key, authority=True), self.key)

    def issue(self, name: str) -> tuple[str, str]:
        """Paths of a certificate for this machine and of its key."""
        key = ec.generate_private_key(ec.SECP256R1())
        subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)])
        path = self._kept(name, self._signed(subject, key, authority=False), key)
        return path, str(self.folder / f"{name}.key")

    def _signed(self, subject: x509.Name, key: ec.EllipticCurvePrivateKey, *, authority: bool) -> bytes:
        now = datetime.now(UTC)
        address = x509.IPAddress(ipaddress.ip_address("127.0.0.1"))
        builder = (
            x509.CertificateBuilder()
            .subject_name(subject)
            .issuer_name(self.name)
            .public_key(key.public_key())
            .serial_number(x509.random_serial_number())
            .not_valid_before(now - timedelta(days=1))
            .not_valid_after(now + timedelta(days=1))
            .add_extension(x509.BasicConstraints(ca=authority, path_length=None), critical=True)
            .add_extension(x509.SubjectAlternativeName([address]), critical=False)
            .add_extension(x509.SubjectKeyIdentifier.from_public_key(key.public_key()), critical=False)
        )
        issuer = x509.AuthorityKeyIdentifier.from_issuer_public_key(self.key.public_key())
        builder = builder.add_extension(issuer, critical=False)
        if authority:
            usage = x509.KeyUsage(True, False, False, False, False, True, True, False, False)
            builder = builder.add_extension(usage, critical=True)
        return builder.sign(self.key, hashes.SHA256()).public_bytes(serialization.Encoding.PEM)

    def _kept(self, name: str, certificate: bytes, key: ec.EllipticCurvePrivateKey) -> str:
        form = serialization.PrivateFormat.PKCS8
        pem = key.private_bytes(serialization.Encoding.PEM, form, serialization.NoEncryption())
        (self.folder / f"{name}.key").write_bytes(pem)
        (self.folder / f"{name}.pem").write_bytes(certificate)
        return str(self.folder / f"{name}.pem")


@pytest.fixture
def authority(tmp_path: Path) -> Authority:
    return Authority(tmp_path)


def server_context(authority: Authority, *, mutual: bool) -> ssl.SSLContext:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(*authority.issue("server"))
    if mutual:
        context.verify_mode = ssl.CERT_REQUIRED
        context.load_verify_locations(authority.file)
    return context


async def test_a_private_authority_is_trusted_where_it_is_named(authority):
    async with ScriptedServer([fhir(PATIENT)], server_context(authority, mutual=False)) as server:
        async with client_for(server, tls=tls_context(authority.file)) as client:
            assert await client.read("Patient/1") == PATIENT
        async with client_for(server) as client:
            with pytest.raises(ServerUnreachableError, match=r"certificate of .* is not trusted"):
                await client.read("Patient/1")


async def test_a_server_that_wants_a_certificate_gets_the_one_of_the_settings(authority):
    async with ScriptedServer([fhir(PATIENT)], server_context(authority, mutual=True)) as server:
        shown = tls_context(authority.file, *authority.issue("client"))
        async with client_for(server, tls=shown) as client:
            assert await client.read("Patient/1") == PATIENT
        async with client_for(server, tls=tls_context(authority.file), retries=0) as client:
            with pytest.raises(ServerUnreachableError):
                await client.read("Patient/1")


def test_files_that_cannot_be_used_are_named(authority):
    certificate, key = authority.issue("client")
    other, _ = authority.issue("other")
    words = Path(key).with_name("words.pem")
    words.write_text("no certificate", "utf-8")
    for given, sentence in (
        (("/none.pem",), "no file /none.pem"),
        ((str(words),), "holds no certificate"),
        (("", certificate, "/none.key"), "no file /none.key"),
        (("", other, key), "do not belong together"),
    ):
        with pytest.raises(ValueError, match=sentence):
            tls_context(*given)


def test_connections_share_what_was_read_until_a_file_is_another(authority, monkeypatch):
    assert tls_context() is tls_context()
    shown = (authority.file, *authority.issue("client"))
    before = tls_context(*shown)
    assert before is tls_context(*shown)
    assert before is not tls_context()

    Path(shown[2]).unlink()
    authority.issue("client")  # renewed in place
    renewed = tls_context(*shown)
    assert renewed is not before

    monkeypatch.setenv("SSL_CERT_FILE", authority.file)
    names = [dict(found["subject"][0])["commonName"] for found in tls_context().get_ca_certs()]
    assert names == ["Test authority"]
