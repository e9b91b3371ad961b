"""What a service cannot be that asks for a login: reached in another way than by HTTP."""

from __future__ import annotations

from typing import TYPE_CHECKING

from core.config.compose.mapping.extension import EXTENSION
from core.config.compose.mapping.roles import kind_of
from core.container import Protocol
from core.model import AccessMode

if TYPE_CHECKING:
    from collections.abc import Iterator

    from core.config.compose.mapping.given import Given
    from core.config.compose.mapping.roles import Seen
    from core.config.document import KeyPath
    from core.model import Problem

_OTHERWISE = "remove accessMode, or do not publish it"


def access_problems(given: Given, seen: Seen) -> Iterator[Problem]:
    """Yield what would let somebody past a login.

    A port of which nobody says what it speaks is told when the candidate was asked.
    """
    if seen.extension.access_mode is not AccessMode.AUTHENTICATED:
        return
    path: KeyPath = ("services", seen.name, EXTENSION, "accessMode")
    kind, because = kind_of(seen)
    if not kind.is_routable:
        message = f"accessMode authenticated cannot be used with kind {kind}: {because}"
        yield given.problem(path, message, f"name its port: {EXTENSION}: {{kind: web, port: 3000}}")
    if mode := seen.service.get("network_mode"):
        message = f"accessMode authenticated cannot be used with network_mode {mode}"
        yield given.problem(path, message, "whoever reaches its network would not be asked")
    spoken = {port.number: port.protocol for port in seen.ports if not port.is_usual}
    for each in seen.published:
        protocol = Protocol.UDP if each.is_udp else spoken.get(each.target)
        if protocol in (Protocol.TCP, Protocol.UDP):
            message = f"no login can be asked for on its published port {each.target}/{protocol}"
            yield given.problem(path, message, _OTHERWISE)
