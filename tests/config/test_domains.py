"""Which host names can be led to a service."""

from __future__ import annotations

import pytest

from core.config.domains import check_domain
from core.errors import UsageError


@pytest.mark.parametrize(
    "host",
    [
        *("example.com", "shop.example.com", "a.b.c.d.e.example.co.uk", "xn--mller-kva.de"),
        *("1.example.com", "x.localhost", f"{'a' * 63}.example.com"),
        ".".join(["a" * 63] * 3 + ["b" * 61]),
    ],
)
def test_domains(host: str) -> None:
    check_domain(host)


@pytest.mark.parametrize(
    ("host", "reason", "hint"),
    [
        ("", "empty", "shop.example.com"),
        ("müller.de", "no such letters", "write it as xn--mller-kva.de"),
        ("straße.de", "no such letters", "write it as xn--strae-oqa.de"),
        ("a\u3000b.de", "no such letters", "a name that DNS can hold"),
        ("https://shop.example.com/x", "address of a page", "alone: shop.example.com"),
        ("127.0.0.1", "an IP address", ""),
        ("[::1]", "an IP address", ""),
        ("::1", "an IP address", ""),
        ("shop.example.com:443", "names a port", "leave the port out: shop.example.com"),
        ("*.example.com", "wildcard", "such as www.example.com"),
        ("shop.example.com.", "ends in a dot", "write it as shop.example.com"),
        ("Shop.Example.com", "capitals", "write it as shop.example.com"),
        ("shop_1.example.com", "no name of DNS", ""),
        ("-a.example.com", "no name of DNS", ""),
        ("a..example.com", "no name of DNS", ""),
        ("shop.example.com\n", "no name of DNS", ""),
        ("256.1.1.300", "no name of DNS", ""),
        ("a*.example.com", "no name of DNS", ""),
        (f"{'a' * 64}.example.com", "no name of DNS", ""),
        (".".join(["a" * 63] * 4), "more than 253", "shorter"),
        ("localhost", "one word only", ""),
        ("gateway.compartment.internal", "are ours", ""),
    ],
)
def test_what_is_no_domain(host: str, reason: str, hint: str) -> None:
    with pytest.raises(UsageError) as refused:
        check_domain(host)
    assert reason in refused.value.message
    assert hint in (refused.value.hint or "nothing")
