"""Which TCP ports are listened on in the network of a container."""

from __future__ import annotations

import asyncio
from contextlib import suppress
from ipaddress import IPv4Address, IPv6Address
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from core.engines.docker.frames import cut
from core.engines.docker.wiring import is_own
from core.errors import CompartmentError
from core.model import Stream

if TYPE_CHECKING:
    from collections.abc import Iterable

    from core.engines.docker.connection import Docker

Json = dict[str, Any]
Listener = tuple[IPv4Address | IPv6Address, int]

_TABLES: Final = ("/proc/net/tcp", "/proc/net/tcp6")
"""One of them is missing where a kernel has no IPv6."""

_LISTENS: Final = "0A"
_LOCAL, _STATE = 1, 3
_WORD_DIGITS: Final = 8
_IPV4_DIGITS: Final = 8
_ENGINES_OWN: Final = IPv4Address("127.0.0.11")
"""Docker's server of names, in each container."""

_ANSWER_WITHIN_S: Final = 5.0


async def ports_of(docker: Docker, container: Json) -> tuple[int, ...] | None:
    """The ports that a container listens on for others; None where that cannot be known.

    What shares the network of the machine, or of another container, cannot be told from that.
    """
    state, mode = container["State"], container["HostConfig"]["NetworkMode"]
    if not (state["Running"] and is_own(mode)):
        return None
    found = await asyncio.to_thread(listeners_of, state["Pid"], container["Id"])
    if found is None:
        found = await _asked(docker, container["Id"])
    return None if found is None else for_others(found)


def for_others(listeners: Iterable[Listener]) -> tuple[int, ...]:
    """The ports that not only the container itself reaches, in their order."""
    return tuple(sorted({port for address, port in listeners if not _is_loopback(address)}))


def listeners_of(pid: int, container_id: str) -> list[Listener] | None:
    """Where anything listens in the network of a process; None if it is not in the container."""
    try:
        if container_id not in Path(f"/proc/{pid}/cgroup").read_text():
            return None
        return listeners_in(Path(f"/proc/{pid}/net/tcp").read_text() + _ipv6_of(pid))
    except OSError:
        return None


def _ipv6_of(pid: int) -> str:
    try:
        return Path(f"/proc/{pid}/net/tcp6").read_text()
    except FileNotFoundError:
        return ""


def listeners_in(tables: str) -> list[Listener]:
    """Where anything listens, from what the kernel prints of TCP sockets."""
    rows = [row.split() for row in tables.splitlines()]
    found = [_address(row[_LOCAL]) for row in rows if row[_STATE : _STATE + 1] == [_LISTENS]]
    return [each for each in found if each[0] != _ENGINES_OWN]


async def _asked(docker: Docker, container_id: str) -> list[Listener] | None:
    """The same, where only the engine can look: None if the image has no `cat`."""
    with suppress(CompartmentError, TimeoutError):
        async with asyncio.timeout(_ANSWER_WITHIN_S):
            tables = await _printed(docker, container_id, ["cat", *_TABLES])
            return listeners_in(tables) if "local_address" in tables else None
    return None


async def _printed(docker: Docker, container_id: str, command: list[str]) -> str:
    made: Json = await docker.call(lambda client: client.exec_create(container_id, command))
    rest, printed = bytearray(), bytearray()
    attached = {"Detach": False, "Tty": False}
    async with docker.stream("POST", f"/exec/{made['Id']}/start", attached) as chunks:
        async for chunk in chunks:
            rest += chunk
            for stream, output in cut(rest):
                if stream is Stream.STDOUT:
                    printed += output
    return printed.decode(errors="replace")


def _address(text: str) -> Listener:
    """An address as the kernel prints it: words of the machine's byte order, then the port."""
    digits, _, port = text.partition(":")
    words = [digits[at : at + _WORD_DIGITS] for at in range(0, len(digits), _WORD_DIGITS)]
    packed = b"".join(bytes.fromhex(word)[::-1] for word in words)
    kind = IPv4Address if len(digits) == _IPV4_DIGITS else IPv6Address
    return kind(packed), int(port, 16)


def _is_loopback(address: IPv4Address | IPv6Address) -> bool:
    # Of an IPv4 address in the form of IPv6, Python says so only from 3.13 on.
    mapped = address.ipv4_mapped if isinstance(address, IPv6Address) else None
    return (mapped or address).is_loopback
