"""Certificates for tests, made by a certificate authority of their own."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import (
    BestAvailableEncryption,
    Encoding,
    NoEncryption,
    PrivateFormat,
)
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from cryptography.hazmat.primitives.asymmetric.types import CertificateIssuerPrivateKeyTypes

_DAY = timedelta(days=1)


@dataclass(frozen=True)
class Issued:
    """A server certificate with its key."""

    certificate: x509.Certificate
    key: CertificateIssuerPrivateKeyTypes
    issuers: tuple[x509.Certificate, ...] = ()

    @property
    def chain_pem(self) -> bytes:
        return b"".join(pem(each) for each in (self.certificate, *self.issuers))

    @property
    def key_pem(self) -> bytes:
        return self.key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())

    @property
    def encrypted_key_pem(self) -> bytes:
        return self.key.private_bytes(
            Encoding.PEM, PrivateFormat.PKCS8, BestAvailableEncryption(b"secret")
        )

    @property
    def der(self) -> bytes:
        return self.certificate.public_bytes(Encoding.DER)

    def write(self, folder: Path) -> tuple[Path, Path]:
        """The chain and the key as two private files."""
        folder.mkdir(exist_ok=True)
        chain, key = folder / "fullchain.pem", folder / "privkey.pem"
        chain.write_bytes(self.chain_pem)
        key.write_bytes(self.key_pem)
        key.chmod(0o600)
        return chain, key


class Authority:
    """A root and an intermediate, which signs."""

    def __init__(self) -> None:
        root_key, key = (ec.generate_private_key(ec.SECP256R1()) for _ in range(2))
        self.root = _signed("Test Root", root_key, "Test Root", root_key, ca=True)
        self.intermediate = _signed("Test Signing", key, "Test Root", root_key, ca=True)
        self._key = key

    def issue(
        self,
        *hosts: str,
        begins: timedelta = -_DAY,
        ends: timedelta = 90 * _DAY,
        key: CertificateIssuerPrivateKeyTypes | None = None,
        for_servers: bool = True,
    ) -> Issued:
        """A certificate for hosts; its times are as seen from now."""
        key = key or ec.generate_private_key(ec.SECP256R1())
        certificate = _signed(
            "a server", key, "Test Signing", self._key,
            hosts=hosts, begins=begins, ends=ends, for_servers=for_servers,
        )  # fmt: skip
        return Issued(certificate, key, (self.intermediate,))


def pem(certificate: x509.Certificate) -> bytes:
    return certificate.public_bytes(Encoding.PEM)


def _signed(
    name: str,
    key: CertificateIssuerPrivateKeyTypes,
    issuer: str,
    issuer_key: CertificateIssuerPrivateKeyTypes,
    *,
    hosts: Sequence[str] = (),
    begins: timedelta = -_DAY,
    ends: timedelta = 90 * _DAY,
    ca: bool = False,
    for_servers: bool = True,
) -> x509.Certificate:
    now = datetime.now(UTC)
    builder = (
        x509.CertificateBuilder()
        .subject_name(_name(name))
        .issuer_name(_name(issuer))
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now + begins)
        .not_valid_after(now + ends)
        .add_extension(x509.BasicConstraints(ca=ca, path_length=None), critical=True)
    )
    if hosts:
        names = x509.SubjectAlternativeName([x509.DNSName(each) for each in hosts])
        builder = builder.add_extension(names, critical=False)
    if not ca:
        usage = ExtendedKeyUsageOID.SERVER_AUTH if for_servers else ExtendedKeyUsageOID.CLIENT_AUTH
        builder = builder.add_extension(x509.ExtendedKeyUsage([usage]), critical=False)
    algorithm = None if _hashes_itself(issuer_key) else hashes.SHA256()
    return builder.sign(issuer_key, algorithm)


def _hashes_itself(key: CertificateIssuerPrivateKeyTypes) -> bool:
    return "ed" in type(key).__name__.lower().split("private")[0]


def _name(text: str) -> x509.Name:
    return x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, text)])
