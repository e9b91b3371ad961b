"""Which ports a service listens on as far as its file says, and what is spoken there.

First comes what a person says (`x-compartment`, `app_protocol`), then the health check, the image,
and the number; what is left is looked at when the candidate is ready.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from core.config.compose.mapping.well_known import known_port
from core.container import Port, Protocol, Published
from core.model import ServiceKind

if TYPE_CHECKING:
    from collections.abc import Iterable

    from core.config.compose.mapping.extension import Extension
    from core.config.compose.mapping.given import Json
    from core.config.compose.mapping.healthchecks import Probed
    from core.config.compose.mapping.well_known import KnownImage

_HTTP_KINDS = (ServiceKind.WEB, ServiceKind.API)
_UNKNOWN = "nobody says what it speaks: it is asked once it is ready"
_APP_PROTOCOLS = {"http": Protocol.HTTP}
"""Of the others, such as https, grpc and postgres, connections are passed on."""


@dataclass(frozen=True, slots=True)
class Evidence:
    """What there is to tell ports by, besides the keys of the service."""

    extension: Extension
    probed: Probed | None = None
    image: KnownImage | None = None


def published_of(service: Json) -> tuple[Published, ...]:
    """Return the ports of this machine that lead to a service."""
    return tuple(_published(each) for each in service.get("ports") or ())


def _published(port: Json) -> Published:
    first, _, last = str(port.get("published") or "").partition("-")
    return Published(
        int(port["target"]),
        int(first) or None if first else None,
        int(last) if last else None,
        port.get("host_ip") or "",
        is_udp=port.get("protocol") == "udp",
    )


def ports_of(service: Json, evidence: Evidence) -> tuple[Port, ...]:
    """Return the ports that a service is known to listen on, the main one first."""
    published = {each.target for each in published_of(service) if not each.is_udp}
    numbers = _numbers(service, evidence)
    found = [_port(number, service, evidence) for number in numbers]
    main, kind = evidence.extension.port, evidence.extension.kind

    def rank(port: Port) -> tuple[bool, bool, bool]:
        return port.number != main, port.protocol is not Protocol.HTTP, port.number not in published

    found.sort(key=rank)
    if kind in _HTTP_KINDS and found and found[0].protocol is Protocol.LOOK:
        found[0] = Port(found[0].number, Protocol.HTTP, f"x-compartment says kind {kind}")
    udp = (Port(number, Protocol.UDP, "the file says so") for number in _udp(service))
    return (*found, *udp)


def _numbers(service: Json, evidence: Evidence) -> list[int]:
    """The TCP ports, in the order in which one finds them, each once."""
    extension, check = evidence.extension, evidence.probed
    said = [*([extension.port] if extension.port else ()), *extension.protocol]
    said += [each.target for each in published_of(service) if not each.is_udp]
    said += _exposed(service, "tcp")
    said += [check.port] if check else []
    if not said and evidence.image:
        said += evidence.image.ports
    return list(dict.fromkeys(said))


def _udp(service: Json) -> Iterable[int]:
    published = [each.target for each in published_of(service) if each.is_udp]
    return dict.fromkeys((*published, *_exposed(service, "udp")))


def _exposed(service: Json, protocol: str) -> list[int]:
    found: list[int] = []
    for each in service.get("expose") or ():
        numbers, _, said = str(each).partition("/")
        first, _, last = numbers.partition("-")
        if (said or "tcp") == protocol:
            found += range(int(first), int(last or first) + 1)
    return found


def _port(number: int, service: Json, evidence: Evidence) -> Port:
    said = _said(number, service, evidence)
    if said is not None:
        return Port(number, *said)
    if known := known_port(number):
        return Port(number, known, f"{number} is usually {_WORDS[known]}", is_usual=True)
    return Port(number, Protocol.LOOK, _UNKNOWN)


def _said(number: int, service: Json, evidence: Evidence) -> tuple[Protocol, str] | None:
    extension, check, image = evidence.extension, evidence.probed, evidence.image
    if number in extension.protocol:
        return extension.protocol[number], "x-compartment says so"
    if extension.kind is ServiceKind.TCP:
        return Protocol.TCP, "x-compartment says kind tcp"
    if extension.kind in _HTTP_KINDS and number == extension.port:
        return Protocol.HTTP, f"x-compartment says kind {extension.kind}"
    for each in service.get("ports") or ():
        if each["target"] == number and (said := each.get("app_protocol")):
            return _APP_PROTOCOLS.get(said, Protocol.TCP), f"its app_protocol is {said}"
    if check and check.port == number and check.protocol is not Protocol.LOOK:
        return check.protocol, check.because
    if image and number in image.ports:
        return image.protocol, f"{service['image']} speaks {_WORDS[image.protocol]} there"
    return None


_WORDS = {Protocol.HTTP: "HTTP", Protocol.TCP: "plain TCP"}
