"""What is taken for a certificate, and what is refused with which words."""

from __future__ import annotations

from base64 import encodebytes
from datetime import timedelta

import pytest
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, rsa

from core.certificates.certificate import check_serves, read_certificate
from core.errors import ConfigError
from tests.certificates.issuing import Authority, Issued, pem

HOST = "shop.example.com"
DAY = timedelta(days=1)

AUTHORITY = Authority()
GOOD = AUTHORITY.issue(HOST)
OTHER = AUTHORITY.issue(HOST)


def test_a_good_one_is_read() -> None:
    found = read_certificate(GOOD.chain_pem, GOOD.key_pem)
    check_serves(found, HOST)
    assert found.names == (HOST,)
    assert found.issuer == "Test Signing"
    assert found.leaf_der == GOOD.der
    assert found.chain_pem.encode() == GOOD.chain_pem
    assert read_certificate(found.chain_pem.encode(), found.key_pem.encode()) == found


@pytest.mark.parametrize(
    "key",
    [
        rsa.generate_private_key(65537, 2048),
        *(ec.generate_private_key(curve) for curve in (ec.SECP384R1(), ec.SECP521R1())),
    ],
)
def test_kinds_of_keys(key: rsa.RSAPrivateKey | ec.EllipticCurvePrivateKey) -> None:
    issued = AUTHORITY.issue(HOST, key=key)
    assert read_certificate(issued.chain_pem, issued.key_pem).covers(HOST)


@pytest.mark.parametrize(
    ("chain", "key", "reason"),
    [
        (GOOD.chain_pem, OTHER.key_pem, "the key is not that of the certificate"),
        (b"garbage", GOOD.key_pem, "there is no certificate in PEM"),
        (b"", GOOD.key_pem, "there is no certificate in PEM"),
        (GOOD.key_pem, GOOD.key_pem, "there is no certificate in PEM"),
        (GOOD.chain_pem[:200], GOOD.key_pem, "there is no certificate in PEM"),
        (GOOD.der, GOOD.key_pem, "there is no certificate in PEM"),
        (GOOD.chain_pem, b"garbage", "there is no private key in PEM"),
        (GOOD.chain_pem, GOOD.chain_pem, "there is no private key in PEM"),
        (GOOD.chain_pem, GOOD.encrypted_key_pem, "its key is encrypted"),
        (
            pem(AUTHORITY.intermediate) + pem(GOOD.certificate),
            GOOD.key_pem,
            "the server's certificate is not the first one",
        ),
        (
            pem(GOOD.certificate) + pem(AUTHORITY.root),
            GOOD.key_pem,
            "its chain is broken: Test Root has not issued a server",
        ),
        *(
            (issued.chain_pem, issued.key_pem, reason)
            for issued, reason in (
                (AUTHORITY.issue(HOST, for_servers=False), "it is not for servers"),
                (AUTHORITY.issue(HOST, key=rsa.generate_private_key(65537, 1024)), "of its kind"),
                (AUTHORITY.issue(HOST, key=ec.generate_private_key(ec.SECP256K1())), "its kind"),
                (AUTHORITY.issue(HOST, key=ed25519.Ed25519PrivateKey.generate()), "of its kind"),
            )
        ),
    ],
    # Keys are made anew each time, and all who run the tests have to name them alike.
    ids=lambda given: given if isinstance(given, str) else "pem",
)
def test_what_is_refused(chain: bytes, key: bytes, reason: str) -> None:
    with pytest.raises(ConfigError) as refused:
        read_certificate(chain, key)
    assert reason in refused.value.message
    assert refused.value.hint


@pytest.mark.parametrize(
    ("whole", "broken"),
    [
        (b"\xa0\x03\x02\x01\x02", b"\xa0\x03\x02\x01\x07"),  # of a version that there is not
        (b"\x06\x03\x55\x1d\x11", b"\x06\x03\x55\x1d\x25"),  # with one extension twice
        (b"\x0c\x0cTest Signing", b"\x03\x0cTest Signing"),  # whose issuer is no text
        (b"\x82\x10shop.example.com", b"\x83\x10shop.example.com"),  # for an X.400 address
    ],
)
def test_what_is_malformed_is_refused(whole: bytes, broken: bytes) -> None:
    assert whole in GOOD.der
    chain = b"-----BEGIN CERTIFICATE-----\n%b-----END CERTIFICATE-----\n" % encodebytes(
        GOOD.der.replace(whole, broken)
    )
    with pytest.raises(ConfigError, match="it cannot be read") as refused:
        read_certificate(chain, GOOD.key_pem)
    assert refused.value.code == "invalid_certificate"


@pytest.mark.parametrize(
    ("issued", "reason"),
    [
        (AUTHORITY.issue("a.example.com", "b.example.com"), "but for a.example.com, b.example.com"),
        (AUTHORITY.issue("*.shop.example.com"), "but for *.shop.example.com"),
        (AUTHORITY.issue("*.com"), "but for *.com"),
        (AUTHORITY.issue(), "but for no host"),
        (AUTHORITY.issue(HOST, ends=timedelta(seconds=-1)), "it expired on"),
        (AUTHORITY.issue(HOST, begins=DAY), "it is not valid before"),
    ],
)
def test_what_does_not_serve_a_host(issued: Issued, reason: str) -> None:
    found = read_certificate(issued.chain_pem, issued.key_pem)
    with pytest.raises(ConfigError) as refused:
        check_serves(found, HOST)
    assert reason in refused.value.message
    assert refused.value.hint


@pytest.mark.parametrize("covered", ["*.example.com", "SHOP.example.com", HOST])
def test_names_that_cover_a_host(covered: str) -> None:
    issued = AUTHORITY.issue(covered, "www.example.com")
    check_serves(read_certificate(issued.chain_pem, issued.key_pem), HOST)
