"""Clients that speak TLS, for tests that look at the certificates which they are shown."""

from __future__ import annotations

import asyncio
import ssl
from dataclasses import dataclass
from typing import TYPE_CHECKING

from cryptography.hazmat.primitives.serialization import Encoding

from tests.load.connection import Connection, request_head
from tests.load.outcome import LossKind, RequestLost

if TYPE_CHECKING:
    from cryptography.x509 import Certificate

    from tests.load.plan import Target

LIMIT_S = 30.0


@dataclass(frozen=True)
class Session:
    """What a handshake has agreed on."""

    version: str
    protocol: str | None
    leaf_der: bytes


def trusting(*roots: Certificate) -> ssl.SSLContext:
    """A client that trusts these alone, and checks names as a browser does."""
    context = ssl.create_default_context()
    if roots:
        text = "".join(each.public_bytes(Encoding.PEM).decode() for each in roots)
        context = ssl.create_default_context(cadata=text)
    return context


async def handshake(
    port: int, host: str | None, context: ssl.SSLContext, *protocols: str
) -> Session:
    """A handshake; ssl.SSLError or ConnectionError when there is none."""
    if protocols:
        context.set_alpn_protocols(list(protocols))
    # asyncio sends no server name for the empty one.
    async with asyncio.timeout(LIMIT_S):
        _, writer = await asyncio.open_connection(
            "127.0.0.1", port, ssl=context, server_hostname=host or ""
        )
    try:
        found: ssl.SSLObject = writer.get_extra_info("ssl_object")
        leaf = found.getpeercert(binary_form=True)
        assert leaf is not None
        return Session(found.version() or "", found.selected_alpn_protocol(), leaf)
    finally:
        writer.transport.abort()


async def open_tls(target: Target, context: ssl.SSLContext) -> Connection:
    """A connection for requests by HTTP/1.1; RequestLost when there is no handshake."""
    try:
        async with asyncio.timeout(LIMIT_S):
            streams = await asyncio.open_connection(
                target.address, target.port, ssl=context, server_hostname=target.host
            )
    except OSError as error:
        raise RequestLost(LossKind.CONNECT_ERROR, str(error)) from error
    return Connection(*streams)


async def status_of(connection: Connection, target: Target, path: str = "/") -> int:
    """One request on an open connection."""
    connection.write(request_head("GET", path, target))
    async with asyncio.timeout(LIMIT_S):
        head = await connection.read_head()
        await connection.read_body(head)
    return head.status
