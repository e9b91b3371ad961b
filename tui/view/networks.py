"""Networks, who reaches whom, and the ways in: the answer of `GET /v1/networks` for people."""

from __future__ import annotations

from dataclasses import dataclass
from string import ascii_lowercase
from typing import TYPE_CHECKING, Any

from textual.content import Content

from tui.view import reachability, words
from tui.view.columns import Row, aligned, hanging
from tui.view.reachability import Group

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from tui.view.glyphs import Glyphs

Json = dict[str, Any]
_MUTED = "$foreground-muted"
_STRONG = "bold"
_INDENT = 3


def groups_of(found: Json) -> list[Group]:
    """The networks in their order, then that of the machine."""
    told = [(each["name"], _kind(each), _members(each)) for each in found["networks"]]
    if on_host := found["hostNetwork"]:
        told.append(("this machine", "its own network", dict.fromkeys(on_host, "")))
    return [Group(_sign(at), *each) for at, each in enumerate(told)]


def _sign(at: int) -> str:
    rounds, letter = divmod(at, len(ascii_lowercase))
    return f"{ascii_lowercase[letter]}{rounds or ''}"


def _kind(network: Json) -> str:
    out = "internal: no way out" if network["isInternal"] else "with a way out"
    if network["isShared"]:
        return f"of all services, {out}"
    return f"{out}; external: others may be on it, too" if network["isExternal"] else out


def _members(network: Json) -> dict[str, str]:
    return {each["serviceName"]: _besides(each) for each in network["services"]}


def _besides(member: Json) -> str:
    if member["beside"]:
        return f" (inside {member['beside']})"
    names = [str(each) for each in member["aliases"]]
    return f" (also {words.listed(names, most=8)})" if names else ""


@dataclass(frozen=True, slots=True)
class _Door:
    """A way in from this machine: `short` is a port, or a word where that does not tell it."""

    service: str
    short: str
    address: str
    target: str


def _doors(found: Json, urls: Mapping[str, str]) -> Iterator[_Door]:
    published = found["published"]
    for each in published:
        udp = "/udp" if each["protocol"] == "udp" else ""
        port = f"{each['port'] or 'any free port'}{udp}"
        address = f"{_host(each['host'])}{port}"
        yield _Door(each["serviceName"], port, address, f"port {each['target']}{udp}")
    has_ports = {each["serviceName"] for each in published}
    for name, url in urls.items():
        if name not in has_ports:
            yield _Door(name, "by name", url, "")


def _host(address: str) -> str:
    return f"[{address}]:" if ":" in address else f"{address}:" if address else ""


def lines(found: Json, urls: Mapping[str, str], width: int, glyphs: Glyphs) -> list[Content]:
    """Everything. `urls` are those of services that the gateway serves under a host name."""
    groups = groups_of(found)
    services = sorted({*found["none"], *(name for each in groups for name in each.members)})
    if not services:
        return [Content.styled("nothing is active: nobody reaches anybody", _MUTED)]
    doors = list(_doors(found, urls))
    shorts = {name: [each.short for each in doors if each.service == name] for name in services}
    reach = reachability.reaches(groups, services, shorts)
    return [
        *_described(groups, found["none"], width),
        *_titled("who reaches whom", reachability.lines(reach, width, glyphs)),
        *_titled("from this machine", _ways_in(doors, width, glyphs)),
    ]


def _titled(title: str, shown: Sequence[Content]) -> list[Content]:
    return [Content(""), Content.styled(title, _STRONG), *shown]


def _described(groups: Sequence[Group], alone: Sequence[str], width: int) -> list[Content]:
    shown: list[Content] = []
    for each in groups:
        told = Content.styled(f"  {each.told}", _MUTED)
        name = Content.styled(f"{each.sign:<{_INDENT}}{each.name}", _STRONG)
        shown += hanging(name + told, width, 0)
        names = ", ".join(name + besides for name, besides in each.members.items())
        shown += hanging(names, width, _INDENT)
    if alone:
        shown += hanging(f"on no network at all: {', '.join(alone)}", width, 0)
    return shown


def _ways_in(doors: Sequence[_Door], width: int, glyphs: Glyphs) -> list[Content]:
    if not doors:
        return [Content.styled("no port leads in", _MUTED)]
    rows: list[Row] = [
        (each.address, glyphs.then, each.service, Content.styled(each.target, _MUTED))
        for each in doors
    ]
    return aligned(rows, width, glyphs.cut, (0, 2))
