"""Why nothing answers at the address of an instance: where it listens instead."""

from __future__ import annotations

import asyncio

from core.engines.docker.listening import listeners_of


async def explain(pid: int, container_id: str, port: int, *, is_told: bool) -> str | None:
    """A guess from the sockets that a container listens on; None where they cannot be seen.

    Args:
        pid: Its first process.
        container_id: The container.
        port: Where it is expected to listen.
        is_told: Whether it has that port as its variable PORT.
    """
    found = await asyncio.to_thread(listeners_of, pid, container_id)
    if found is None:
        return None
    mend = f"listen on 0.0.0.0:{port}" + (", or $PORT" if is_told else "")
    if not found:
        return f"it listens on no port yet: {mend}"
    at_port = [address for address, at in found if at == port]
    if at_port and all(address.is_loopback for address in at_port):
        return f"it listens on {at_port[0]}:{port} only: {mend}"
    if not at_port:
        numbers = sorted({at for _, at in found})
        ports = ", ".join(map(str, numbers))
        mend = (
            "listen on $PORT, or set PORT to it" if is_told else f'say so: expose ["{numbers[0]}"]'
        )
        return f"it listens on port {ports}, not on {port}: {mend}"
    return None
