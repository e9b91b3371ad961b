"""Host names of their owners' own, as the command line and the agent take them."""

from __future__ import annotations

import ipaddress
import re
from typing import TYPE_CHECKING, Final

import idna

from core.config.document import quote
from core.config.patterns import DNS_LABEL
from core.errors import UsageError

if TYPE_CHECKING:
    from collections.abc import Callable

_LONGEST: Final = 253
"""RFC 1035, 2.3.4, without the length bytes and the root."""

_OURS: Final = "compartment.internal"
"""Names below it tell the parts of the gateway apart."""


def check_domain(host: str) -> None:
    """Refuses what is no host name that can be led to a service.

    Raises:
        UsageError: it says what is wrong, and where that can be known what was meant.
    """
    for is_wrong, reason, mend in _FAULTS:
        if is_wrong(host):
            raise UsageError(
                f"{quote(host)} cannot be a domain: {reason}",
                hint=mend(host),
                code="invalid_domain",
            )


def _is_address(host: str) -> bool:
    try:
        ipaddress.ip_address(host.strip("[]"))
    except ValueError:
        return False
    return True


def _is_misshapen(host: str) -> bool:
    labels = host.split(".")
    is_number = labels[-1].isdigit()
    return is_number or not all(re.fullmatch(DNS_LABEL, label) for label in labels)


def _in_dns(host: str) -> str:
    """How other letters are written there."""
    try:
        return f"write it as {idna.encode(host, uts46=True).decode()}"
    except idna.IDNAError:
        return "use a name that DNS can hold"


def _such_as(_: str) -> str:
    return "use one such as shop.example.com"


_FAULTS: Final[tuple[tuple[Callable[[str], bool], str, Callable[[str], str]], ...]] = (
    (lambda host: not host, "it is empty", _such_as),
    (lambda host: not host.isascii(), "DNS knows no such letters", _in_dns),
    (
        lambda host: "://" in host or "/" in host,
        "it is an address of a page",
        lambda host: f"use the host alone: {host.partition('://')[2].split('/')[0] or 'NAME'}",
    ),
    (_is_address, "it is an IP address", _such_as),
    (
        lambda host: ":" in host,
        "it names a port",
        lambda host: f"leave the port out: {host.partition(':')[0]}",
    ),
    (
        lambda host: host.startswith("*."),
        "a wildcard leads to no single service",
        lambda host: f"add each name by itself, such as www{host[1:]}",
    ),
    (
        lambda host: host.endswith("."),
        "it ends in a dot",
        lambda host: f"write it as {host.rstrip('.')}",
    ),
    (
        lambda host: host != host.lower(),
        "it has capitals",
        lambda host: f"write it as {host.lower()}",
    ),
    (_is_misshapen, "it is no name of DNS", _such_as),
    (lambda host: "." not in host, "it is one word only", _such_as),
    (
        lambda host: len(host) > _LONGEST,
        f"it has more than {_LONGEST} characters",
        lambda _: "use a shorter one",
    ),
    (lambda host: host.endswith(f".{_OURS}"), f"names below {_OURS} are ours", _such_as),
)
"""What may be wrong, from what is most telling on; and what to say about it."""
