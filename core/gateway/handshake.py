"""A look at the certificate that a client is shown."""

from __future__ import annotations

import asyncio
import ssl

_TIMEOUT_S = 2.0


async def shown_certificate(address: str, port: int, host: str) -> bytes | None:
    """The server certificate, in DER, that is shown for a host; None where there is no handshake.

    Whoever signed it: it is compared, not trusted.
    """
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname = False
    context.verify_mode = ssl.CERT_NONE
    try:
        async with asyncio.timeout(_TIMEOUT_S):
            _, writer = await asyncio.open_connection(
                address, port, ssl=context, server_hostname=host
            )
    except (OSError, TimeoutError):
        return None
    try:
        session: ssl.SSLObject = writer.get_extra_info("ssl_object")
        return session.getpeercert(binary_form=True)
    finally:
        writer.transport.abort()
