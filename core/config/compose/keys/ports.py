"""`ports` and `expose`: short forms, ranges, and what a port can be."""

from __future__ import annotations

import re
from ipaddress import ip_address
from typing import TYPE_CHECKING, Any

from core.config.compose.keys.places import GONE, Wrong, read
from core.config.compose.keys.scalars import name, text, whole, word
from core.config.compose.keys.shapes import Key, Keyed
from core.config.compose.markers import Reset
from core.config.document import describe, quote

if TYPE_CHECKING:
    from core.config.compose.keys.places import At

MAX_PORT = 65_535
MAX_PORTS = 70_000
"""Of all services of a file, ranges written out."""
_FORMS = "such as 80, 8080:80, 127.0.0.1:8080:80 or 8000-8010:8000-8010/udp"
_RANGE = re.compile(r"([0-9]{1,9})(?:-([0-9]{1,9}))?")
_PROTOCOLS = ("tcp", "udp")

_number = whole(1, MAX_PORT)


def short_ports(line: str) -> list[dict[str, Any]]:
    """Return the ports of a short form, `[[address:]published:]target[/protocol]`.

    Raises:
        Wrong: It is none.
    """
    spec, slash, protocol = line.partition("/")
    protocol = protocol.lower() if slash else "tcp"
    if protocol not in _PROTOCOLS:
        raise Wrong(f"has the protocol {quote(protocol)}", "use tcp or udp")
    rest, _, inner = spec.rpartition(":")
    address, _, outer = rest.rpartition(":")
    targets = _range(inner, line)
    base: dict[str, Any] = {"mode": "ingress", "protocol": protocol}
    if address:
        base["host_ip"] = _address(address, line)
    return [
        {**base, "target": target, **({"published": outside} if outside else {})}
        for target, outside in zip(targets, _published(outer, targets, line), strict=True)
    ]


def _published(outer: str, targets: range, line: str) -> list[str]:
    if not outer:
        return [""] * len(targets)
    outside = _range(outer, line)
    if len(outside) == len(targets):
        return [str(port) for port in outside]
    if len(targets) == 1:
        return [outer]
    words = f"publishes {len(outside)} ports for {len(targets)} of the container"
    raise Wrong(words, "both ranges need the same length")


def _range(part: str, line: str) -> range:
    found = _RANGE.fullmatch(part)
    if found is None:
        raise Wrong(f"cannot be {quote(line)}", _FORMS)
    first, last = int(found[1]), int(found[2] or found[1])
    if not 1 <= first <= last <= MAX_PORT:
        raise Wrong(f"cannot be {quote(line)}", f"ports are 1 to {MAX_PORT}, the lower one first")
    return range(first, last + 1)


def _address(address: str, line: str) -> str:
    try:
        return str(ip_address(address.removeprefix("[").removesuffix("]")))
    except ValueError:
        hint = "use 127.0.0.1" if address == "localhost" else _FORMS
        raise Wrong(f"cannot be {quote(line)}: {quote(address)} is no address", hint) from None


def ports(value: Any, at: At) -> list[dict[str, Any]]:
    """The published ports, ranges written out."""
    if not isinstance(value, list):
        raise Wrong(f"must be a list, not {describe(value)}", 'such as ["8080:80"]')
    found: list[dict[str, Any]] = []
    written: list[int] = []
    for index, each in enumerate(value):
        result = read(_port, each, at / index)
        if result is GONE or isinstance(result, Reset):
            continue
        _count(len(result), at / index)
        found += result
        written += [index] * len(result)
    if written != list(range(len(value))):
        _move(at, written)
    return found


def _count(more: int, at: At) -> None:
    """A short range means many ports, and an anchor any number of ranges."""
    at.reading.port_count += more
    if at.reading.port_count > MAX_PORTS:
        raise Wrong(f"is too much: all ports of this file are more than {MAX_PORTS}")


def _move(at: At, written: list[int]) -> None:
    """Says where the ports are whose number in the list is not that in the file."""
    positions = [(at / index).position for index in written]
    for index, position in enumerate(positions):
        for places in (at.reading.keys, at.reading.values):
            for key in PORT.table:
                places.pop((*at.path, index, key), None)
        at.reading.values[*at.path, index] = position


def _port(value: Any, at: At) -> list[dict[str, Any]]:
    if not isinstance(value, dict):
        return short_ports(text(value, at))
    port = PORT(value, at)
    if port.get("published") == "":
        del port["published"]
    port.setdefault("protocol", "tcp")
    port.setdefault("mode", "ingress")
    return [port]


def _published_text(value: Any, at: At) -> str:
    found = text(value, at)
    if found:
        _range(found, found)
    return found


def _host_address(value: Any, at: At) -> str:
    found = name(value, at)
    return _address(found, found)


PORT = Keyed(
    {
        "target": Key(_number, "the port of the container"),
        "published": Key(_published_text, "the port of this machine, or a range to take one from"),
        "host_ip": Key(_host_address, "the address of this machine"),
        "protocol": Key(word(*_PROTOCOLS), "tcp or udp"),
        "mode": Key(word("ingress", "host"), "both are the same on one machine"),
        "name": Key(text, "for people"),
        "app_protocol": Key(text, "http makes it a port for requests, else connections are passed"),
    },
    required=("target",),
)


def expose(value: Any, at: At) -> list[str]:
    """The ports that other services may use, as text, with a protocol where one is written."""
    if not isinstance(value, list):
        raise Wrong(f"must be a list, not {describe(value)}", 'such as ["3000"]')
    found = (read(_exposed, each, at / index) for index, each in enumerate(value))
    return [each for each in found if each is not GONE]


def _exposed(value: Any, at: At) -> str:
    line = text(value, at)
    port, slash, protocol = line.partition("/")
    if slash and protocol.lower() not in _PROTOCOLS:
        raise Wrong(f"has the protocol {quote(protocol)}", "use tcp or udp")
    _range(port, line)
    return line
