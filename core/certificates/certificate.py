"""A certificate chain with its key, taken only if a browser could be served with it."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from itertools import pairwise
from typing import TYPE_CHECKING, Final

from cryptography import x509
from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    NoEncryption,
    PrivateFormat,
    PublicFormat,
    load_pem_private_key,
)
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

from core.errors import ConfigError

if TYPE_CHECKING:
    from cryptography.hazmat.primitives.asymmetric.types import PrivateKeyTypes

_SHORTEST_RSA_BITS: Final = 2048
"""What Envoy takes at least."""

_CURVES: Final = (ec.SECP256R1, ec.SECP384R1, ec.SECP521R1)
"""Those that Envoy takes."""

_CLOCKS_DIFFER: Final = timedelta(minutes=5)

_MALFORMED: Final = (
    *(ValueError, TypeError),
    *(x509.InvalidVersion, x509.DuplicateExtension, x509.UnsupportedGeneralNameType),
)
"""What the library raises for a part that breaks the rules: it reads each when it is asked for."""


@dataclass(frozen=True, slots=True)
class Certificate:
    """The chain, server certificate first, and its key; both in PEM."""

    chain_pem: str
    key_pem: str
    names: tuple[str, ...]
    """The hosts that it covers."""
    issuer: str
    valid_from: datetime
    valid_until: datetime
    leaf_der: bytes
    """The server certificate as a handshake shows it."""

    def covers(self, host: str) -> bool:
        """Whether a name is this host, or a wildcard for its first label (RFC 6125, 6.4.3)."""
        rest = host.partition(".")[2]
        return any(name.lower() in (host, f"*.{rest}") for name in self.names)


def read_certificate(chain: bytes, key: bytes) -> Certificate:
    """A chain and its key.

    Raises:
        ConfigError: one of them cannot be read, or they do not fit; what is wrong, and the mend.
    """
    try:
        return _read(chain, key)
    except _MALFORMED as error:
        raise _refused(
            "it cannot be read: a part of it is malformed", "have it issued again"
        ) from error


def _read(chain: bytes, key: bytes) -> Certificate:
    certificates = _certificates(chain)
    leaf = certificates[0]
    private = _key(key)
    _check_fit(certificates, private)
    for one, other in pairwise(certificates):
        if one.issuer != other.subject:
            raise _refused(
                f"its chain is broken: {_name(other.subject)} has not issued {_name(one.subject)}",
                "use the server's certificate first, then that of its issuer, and so on",
            )
    return Certificate(
        chain_pem="".join(each.public_bytes(Encoding.PEM).decode() for each in certificates),
        key_pem=private.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()).decode(),
        names=_names(leaf),
        issuer=_name(leaf.issuer),
        valid_from=leaf.not_valid_before_utc,
        valid_until=leaf.not_valid_after_utc,
        leaf_der=leaf.public_bytes(Encoding.DER),
    )


def check_serves(certificate: Certificate, host: str, now: datetime | None = None) -> None:
    """Refuses a certificate that browsers would refuse for this host.

    Raises:
        ConfigError: it is expired, not valid yet, or for other hosts.
    """
    now = now or datetime.now(UTC)
    if not certificate.covers(host):
        covered = ", ".join(certificate.names) or "no host"
        raise _refused(f"it is not for {host}, but for {covered}", "use one that names the host")
    if now >= certificate.valid_until:
        raise _refused(f"it expired on {_day(certificate.valid_until)}", "use one that is valid")
    if now < certificate.valid_from - _CLOCKS_DIFFER:
        raise _refused(
            f"it is not valid before {_day(certificate.valid_from)}",
            "use one that is valid, and check the clock of this machine",
        )


def _certificates(chain: bytes) -> list[x509.Certificate]:
    try:
        found = x509.load_pem_x509_certificates(chain)
        usage = _extended_usage(found[0])
    except ValueError as error:
        raise _refused(
            "it cannot be read: there is no certificate in PEM, or a broken one",
            "use the file with the whole chain, such as certbot's fullchain.pem",
        ) from error
    if usage is not None and ExtendedKeyUsageOID.SERVER_AUTH not in usage:
        raise _refused("it is not for servers", "use one with the extended key usage serverAuth")
    return found


def _extended_usage(leaf: x509.Certificate) -> x509.ExtendedKeyUsage | None:
    try:
        return leaf.extensions.get_extension_for_class(x509.ExtendedKeyUsage).value
    except x509.ExtensionNotFound:
        return None


def _key(key: bytes) -> ec.EllipticCurvePrivateKey | rsa.RSAPrivateKey:
    try:
        found = load_pem_private_key(key, password=None)
    except TypeError as error:
        raise _refused(
            "its key is encrypted", "decrypt it: openssl pkey -in KEY -out PLAIN_KEY"
        ) from error
    except (ValueError, UnsupportedAlgorithm) as error:
        raise _refused(
            "its key cannot be read: there is no private key in PEM, or a broken one",
            "use the key that the certificate was made with, such as certbot's privkey.pem",
        ) from error
    return _supported(found)


def _supported(key: PrivateKeyTypes) -> ec.EllipticCurvePrivateKey | rsa.RSAPrivateKey:
    if isinstance(key, rsa.RSAPrivateKey) and key.key_size >= _SHORTEST_RSA_BITS:
        return key
    if isinstance(key, ec.EllipticCurvePrivateKey) and isinstance(key.curve, _CURVES):
        return key
    raise _refused(
        "the gateway cannot use a key of its kind",
        f"use ECDSA on P-256, P-384 or P-521, or RSA with at least {_SHORTEST_RSA_BITS} bits",
    )


def _check_fit(
    certificates: list[x509.Certificate], key: ec.EllipticCurvePrivateKey | rsa.RSAPrivateKey
) -> None:
    wanted = key.public_key().public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)
    fitting = [each for each in certificates if _public(each) == wanted]
    if not fitting:
        raise _refused(
            "the key is not that of the certificate",
            "use the key that the certificate was made with",
        )
    if fitting[0] is not certificates[0]:
        raise _refused("the server's certificate is not the first one", "put it first in the file")


def _public(certificate: x509.Certificate) -> bytes | None:
    try:
        key = certificate.public_key()
    except (ValueError, UnsupportedAlgorithm):
        return None
    return key.public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)


def _names(leaf: x509.Certificate) -> tuple[str, ...]:
    """The alternative names alone: no browser has looked at the common name for years."""
    try:
        found = leaf.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
    except x509.ExtensionNotFound:
        return ()
    return tuple(found.get_values_for_type(x509.DNSName))


def _name(name: x509.Name) -> str:
    for kind in (NameOID.COMMON_NAME, NameOID.ORGANIZATION_NAME):
        for attribute in name.get_attributes_for_oid(kind):
            return str(attribute.value)
    return name.rfc4514_string() or "nobody"


def _day(moment: datetime) -> str:
    return f"{moment:%Y-%m-%d %H:%M} UTC"


def _refused(reason: str, hint: str) -> ConfigError:
    return ConfigError(
        f"the certificate cannot be used: {reason}", hint=hint, code="invalid_certificate"
    )
