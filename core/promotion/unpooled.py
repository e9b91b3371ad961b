"""Requests to services, each on a connection of its own.

A pool looks through all of its connections and all that wait for one whenever a request begins or
ends: when a thousand services come back at once, that alone takes a minute and a half. And where it
has a limit, services that hang keep those waiting that do not.
"""

from __future__ import annotations

import httpx

_NO_POOL = httpx.Limits(max_connections=None, max_keepalive_connections=0)


class Unpooled(httpx.AsyncBaseTransport):
    """Opens a connection for each request, which ends with its reply."""

    def __init__(self) -> None:
        # Reading the certificates of all authorities takes longer than any request.
        self._context = httpx.create_ssl_context(trust_env=False)

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        """Sends a request; nothing is left of it when its reply is closed."""
        once = httpx.AsyncHTTPTransport(verify=self._context, trust_env=False, limits=_NO_POOL)
        return await once.handle_async_request(request)
