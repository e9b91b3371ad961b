"""One request of the load: what is sent, and what counts as the right reply to it."""

from __future__ import annotations

import hashlib
import json
import secrets
from typing import TYPE_CHECKING, Protocol

from tests.load.connection import Connection, request_head
from tests.load.outcome import LossKind, RequestLost
from tests.load.plan import RequestClass

if TYPE_CHECKING:
    from collections import deque

    from tests.load.plan import Target


class Sender(Protocol):
    """Sends the requests of a load, once each."""

    async def send(
        self, request_class: RequestClass, number: str, idle: deque[Connection] | None
    ) -> str:
        """Send one and check its reply; as `Requests` does."""


class Requests:
    """Sends the requests of a load to the lab."""

    def __init__(self, target: Target, post_bytes: int) -> None:
        self._target = target
        self._body = secrets.token_bytes(post_bytes)
        self._digest = hashlib.sha256(self._body).hexdigest()

    async def send(
        self, request_class: RequestClass, number: str, idle: deque[Connection] | None
    ) -> str:
        """Send one request, on an idle connection if there is one, and check its reply.

        Args:
            request_class: A post, or one of the small ones.
            number: The request's id.
            idle: Where to take a connection from and where to leave it; None for a fresh one.

        Returns:
            The version that replied.

        Raises:
            RequestLost: There was no reply, or not the right one.
        """
        connection = take_reusable(idle) or await Connection.open(self._target)
        is_kept = False
        try:
            connection.write(self._write(request_class, number))
            head = await connection.read_head()
            body = await connection.read_body(head)
            if head.status != 200:
                raise RequestLost(LossKind.STATUS, repr(body[:100]), head.status)
            self._check(request_class, number, body)
            if not head.version:
                raise RequestLost(LossKind.WRONG_REPLY, "no version")
            if idle is not None and connection.is_reusable:
                idle.append(connection)
                is_kept = True
            return head.version
        finally:
            if not is_kept:
                connection.close()

    def _write(self, request_class: RequestClass, number: str) -> bytes:
        if request_class is not RequestClass.POST:
            return request_head("GET", f"/id/{number}", self._target)
        size = len(self._body)
        head = request_head("POST", "/upload", self._target, x_lab_id=number, content_length=size)
        return head + self._body

    def _check(self, request_class: RequestClass, number: str, body: bytes) -> None:
        try:
            reply = json.loads(body)
            if reply["id"] != number:
                raise RequestLost(LossKind.WRONG_REPLY, f"the reply to {reply['id']}")
            if request_class is RequestClass.POST and reply["sha256"] != self._digest:
                raise RequestLost(LossKind.WRONG_DIGEST, f"{reply['bytes']} bytes arrived")
        except (ValueError, KeyError, TypeError) as error:
            raise RequestLost(LossKind.WRONG_REPLY, repr(body[:100])) from error


def take_reusable(idle: deque[Connection] | None) -> Connection | None:
    """Take a connection that is still open, and drop those that the server has closed."""
    while idle:
        connection = idle.popleft()
        if connection.is_reusable:
            return connection
        connection.close()
    return None
