"""What a Compose service serves: the ports that its files name, and those that it listens on.

Nobody has to declare a port in a Compose file, and nobody says what is spoken there. So whoever is
ready is looked at: where it listens, and whether it answers a request.
"""

from __future__ import annotations

import asyncio
from contextlib import suppress
from typing import TYPE_CHECKING, Final

from core.config.compose.mapping.well_known import known_port
from core.container import Protocol
from core.records import ServedPort

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from core.container import Container, Port
    from core.engines.base import Address, Instance

_ASK_LIMIT_S: Final = 1.0
"""How long a server may think about its first reply; one that says nothing gets connections."""

_REQUEST: Final = b"GET / HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n"
_REPLY: Final = b"HTTP/1."


def declared(container: Container, instances: Sequence[Instance]) -> tuple[ServedPort, ...]:
    """What the files say. What is spoken there and nobody knows is passed on, until it is asked."""
    return tuple(
        served
        for port in container.ports
        if port.protocol is not Protocol.UDP
        and (served := _served(port.number, _until_asked(port.protocol), instances))
    )


async def look(
    container: Container,
    instances: Sequence[Instance],
    known: Sequence[ServedPort] = (),
) -> tuple[ServedPort, ...]:
    """The same, with what the instances listen on beside that, and all asked that nobody knows.

    `known` was found out before, and is not asked again.
    """
    numbers = [port.number for port in container.ports if port.protocol is not Protocol.UDP]
    numbers += sorted(await _listened(instances) - set(numbers))
    said = {port.number: port for port in container.ports}
    asked = {port.number: port.protocol for port in known if port.number not in said}
    found = []
    for number in numbers:
        protocol = asked.get(number) or await _spoken(number, said.get(number), instances)
        served = _served(number, protocol, instances)
        if served is not None:
            found.append(served)
    return tuple(_main_first(found, {port.number for port in container.ports}))


def _until_asked(protocol: Protocol) -> Protocol:
    return Protocol.TCP if protocol is Protocol.LOOK else protocol


def _main_first(found: Iterable[ServedPort], said: set[int]) -> list[ServedPort]:
    """The order of the files; of what they do not name, what speaks HTTP comes first."""
    return sorted(
        found, key=lambda each: each.number not in said and each.protocol is not Protocol.HTTP
    )


async def _listened(instances: Sequence[Instance]) -> set[int]:
    """Where all of them listen, as far as that can be known."""
    found: set[int] | None = None
    for instance in instances:
        ports = await instance.listens()
        if ports is None:
            return set()
        found = set(ports) if found is None else found & set(ports)
    return found or set()


def _served(number: int, protocol: Protocol, instances: Sequence[Instance]) -> ServedPort | None:
    addresses = [each.address_of(number) for each in instances]
    there = tuple(each for each in addresses if each is not None)
    return ServedPort(number, protocol, there) if len(there) == len(addresses) else None


async def _spoken(number: int, said: Port | None, instances: Sequence[Instance]) -> Protocol:
    """What a person says, or else what is found; where nothing is found, what is usual."""
    if said is not None and said.protocol is not Protocol.LOOK and not said.is_usual:
        return said.protocol
    usual = (said.protocol if said and said.is_usual else None) or known_port(number)
    if usual is Protocol.TCP:
        return usual  # such as a database, which would log a request as an error
    return await _asked(number, instances) or usual or Protocol.TCP


async def _asked(number: int, instances: Sequence[Instance]) -> Protocol | None:
    """What the first one answers that answers at all."""
    for instance in instances:
        address = instance.address_of(number)
        found = await _answer(address) if address is not None else None
        if found is not None:
            return found
    return None


async def _answer(address: Address) -> Protocol | None:
    """Whether a request is answered as HTTP, whatever the answer says; None without an answer."""
    writer = None
    try:
        async with asyncio.timeout(_ASK_LIMIT_S):
            reader, writer = await asyncio.open_connection(*address)
            writer.write(_REQUEST)
            is_http = await reader.readexactly(len(_REPLY)) == _REPLY
            return Protocol.HTTP if is_http else Protocol.TCP
    except asyncio.IncompleteReadError as error:
        return Protocol.TCP if error.partial else None
    except (OSError, TimeoutError):
        return None
    finally:
        if writer is not None:
            writer.close()
            with suppress(OSError):
                await writer.wait_closed()
