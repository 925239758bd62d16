"""Certificates of an authority that lives as long as a test: of the server on loopback, and of a client."""

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from ipaddress import ip_address
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

CLIENT = "writer"  # the client's common name


@dataclass(frozen=True)
class Authority:
    """PEM files: the authority's certificate; the server's key and chain; a client's certificate and key."""

    certificate: Path
    server_pem: Path
    client_certificate: Path
    client_key: Path

    @classmethod
    def make(cls, folder: Path) -> "Authority":
        """An authority and what it certified, in a folder."""
        key = ec.generate_private_key(ec.SECP256R1())
        root = _certificate("test authority", key, key, "test authority", authority=True)
        authority = cls(folder / "ca.pem", folder / "server.pem", folder / "client.pem", folder / "client.key")
        server_key = ec.generate_private_key(ec.SECP256R1())
        server = _certificate("localhost", server_key, key, "test authority")
        client_key = ec.generate_private_key(ec.SECP256R1())
        client = _certificate(CLIENT, client_key, key, "test authority")
        authority.certificate.write_bytes(_pem(root))
        authority.server_pem.write_bytes(_private(server_key) + _pem(server) + _pem(root))
        authority.client_certificate.write_bytes(_pem(client))
        authority.client_key.write_bytes(_private(client_key))
        return authority


def _certificate(
    name: str, key: ec.EllipticCurvePrivateKey, signer: ec.EllipticCurvePrivateKey, issuer: str, authority: bool = False
) -> x509.Certificate:
    now = datetime.now(UTC)
    names = [x509.DNSName("localhost"), x509.IPAddress(ip_address("127.0.0.1"))]
    return (
        x509.CertificateBuilder()
        .subject_name(_name(name))
        .issuer_name(_name(issuer))
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - timedelta(hours=1))
        .not_valid_after(now + timedelta(days=2))
        .add_extension(x509.BasicConstraints(ca=authority, path_length=None), critical=True)
        .add_extension(x509.SubjectAlternativeName(names), critical=False)
        .sign(signer, hashes.SHA256())
    )


def _name(common_name: str) -> x509.Name:
    return x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, common_name)])


def _pem(certificate: x509.Certificate) -> bytes:
    return certificate.public_bytes(serialization.Encoding.PEM)


def _private(key: ec.EllipticCurvePrivateKey) -> bytes:
    return key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )
