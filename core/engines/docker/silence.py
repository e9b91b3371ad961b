"""Why nothing answers at the address of an instance: where it listens instead."""

from __future__ import annotations

import asyncio

from core.engines.docker.listening import listeners_of


async def explain(pid: int, container_id: str, port: int) -> str | None:
    """A guess from the sockets that a container listens on; None where they cannot be seen."""
    found = await asyncio.to_thread(listeners_of, pid, container_id)
    if found is None:
        return None
    if not found:
        return f"it listens on no port yet: listen on 0.0.0.0:{port}, or $PORT"
    at_port = [address for address, at in found if at == port]
    if at_port and all(address.is_loopback for address in at_port):
        return f"it listens on {at_port[0]}:{port} only: listen on 0.0.0.0:{port}, or $PORT"
    if not at_port:
        ports = ", ".join(str(at) for at in sorted({at for _, at in found}))
        return f"it listens on port {ports}, not on {port}: listen on $PORT, or set PORT to it"
    return None
