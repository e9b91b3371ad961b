"""Telling by a request to a webhook."""

from __future__ import annotations

import asyncio
import re
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from http import HTTPStatus
from typing import TYPE_CHECKING, Final
from urllib.parse import urlsplit

import httpx

from core.config.document import quote
from core.notifications.failure import NotTold
from core.secrets import Mask

if TYPE_CHECKING:
    from collections.abc import Mapping

    from core.notifications.message import Body

_READ_BYTES: Final = 4096
_SECRET_LENGTH: Final = 8
"""Shorter parts of an address are words, such as `hooks`."""

_TRY_AGAIN: Final = frozenset({HTTPStatus.REQUEST_TIMEOUT, HTTPStatus.TOO_MANY_REQUESTS})


class Webhook:
    """The address of somebody who takes notifications, with the headers that it wants."""

    def __init__(self, client: httpx.AsyncClient, url: str, headers: Mapping[str, str]) -> None:
        self._client = client
        self._url = url
        self._headers = {name.lower(): value for name, value in headers.items()}
        self._mask = Mask(_secrets(url, headers))

    @property
    def shown(self) -> str:
        """Where it is, without what is secret of the address."""
        parts = urlsplit(self._url)
        host = f"[{parts.hostname}]" if ":" in (parts.hostname or "") else parts.hostname
        return f"{parts.scheme}://{host}" + (f":{parts.port}" if parts.port else "")

    async def post(self, body: Body, id_: int, timeout_s: float) -> None:
        """Sends it once, with its id in a header; redirects are not followed.

        Raises:
            NotTold: it was not taken.
        """
        headers = {
            "content-type": body.type,
            "user-agent": "compartment",
            "x-compartment-id": str(id_),
            **self._headers,
        }
        try:
            async with (
                asyncio.timeout(timeout_s),
                self._client.stream(
                    *("POST", self._url),
                    headers=headers,
                    content=body.content,
                    follow_redirects=False,
                ) as reply,
            ):
                if not reply.is_success:
                    # Masked before it is cut: half a secret would not be found.
                    raise _refusal(reply, self._mask.mask(await _first_line(reply)))
        except TimeoutError:
            raise NotTold(f"no answer within {timeout_s:g} s") from None
        except httpx.ConnectError as error:
            raise NotTold(f"cannot be reached: {error}") from None
        except (httpx.HTTPError, httpx.InvalidURL, OSError) as error:
            # Their words may have the address, or the value of a header.
            raise NotTold(f"the connection failed ({type(error).__name__})") from None


def _secrets(url: str, headers: Mapping[str, str]) -> list[str]:
    """What the other side may quote of a request: all but where it is."""
    parts = urlsplit(url)
    path = parts.path + (f"?{parts.query}" if parts.query else "")
    words = [each for each in re.split("[/?&=]", path) if len(each) >= _SECRET_LENGTH]
    return [path, *words, *filter(None, (parts.username, parts.password)), *headers.values()]


async def _first_line(reply: httpx.Response) -> str:
    """What the other side says, such as `invalid_payload`."""
    content = b""
    async for part in reply.aiter_raw():
        content += part
        if len(content) >= _READ_BYTES:
            break
    return content.decode(errors="replace").strip().partition("\n")[0]


def _refusal(reply: httpx.Response, said: str) -> NotTold:
    status = reply.status_code
    if reply.is_redirect:
        return NotTold(f"answers {status}, a redirect; name the address itself", is_final=True)
    words = f"answers {status}" + (f": {quote(said)}" if said else "")
    is_final = reply.is_client_error and status not in _TRY_AGAIN
    return NotTold(words, is_final=is_final, wait_s=_retry_after_s(reply.headers))


def _retry_after_s(headers: httpx.Headers) -> float | None:
    """Seconds, or until a date (RFC 9110); None where it is neither."""
    text = headers.get("retry-after", "")
    if text.isdecimal():
        return float(text)
    try:
        at = parsedate_to_datetime(text)
        return max(0.0, (at - datetime.now(UTC)).total_seconds())
    except (ValueError, TypeError):
        return None
