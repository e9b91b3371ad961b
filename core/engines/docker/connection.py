"""Talking to the engine: single calls through the SDK, streams through its HTTP API.

The SDK blocks, so its calls run on threads of their own; its streams are not used at all, because
each would hold a thread, and the one of logs cannot tell stdout from stderr.
"""

from __future__ import annotations

import asyncio
import json
import re
from concurrent.futures import ThreadPoolExecutor
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING, Any, Final, TypeVar

import docker
import docker.errors
import httpx
import requests

from core.engines.docker.greeting import OLDEST_API
from core.errors import CompartmentError, EngineUnavailable, NotFound

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable, Mapping

Result = TypeVar("Result")
Json = dict[str, Any]

_CALL_TIMEOUT_S: Final = 60
_ANSWER_TIMEOUT_S: Final = 10.0
"""For a question, which costs the engine nothing."""

_STAYS_WITHIN_S: Final = 2.0
_ERRNO: Final = re.compile(r"\[Errno \d+\] ")
_THREADS: Final = 8


class Docker:
    """One local engine behind its unix socket."""

    def __init__(self, socket: str, api: str = OLDEST_API) -> None:
        self.socket = socket
        """The path of the unix socket."""
        self.api = api
        """The version of its API that is spoken, such as `1.41`."""
        self.prefix = f"/v{api}"
        """What each path of its API begins with."""
        self.doubt: Callable[[], None] = lambda: None
        """Called when something was not answered: what is known may not be true any more."""
        self._client = docker.APIClient(
            base_url=f"unix://{socket}", version=api, timeout=_CALL_TIMEOUT_S,
            num_pools=_THREADS,
        )  # fmt: skip
        self._threads = ThreadPoolExecutor(_THREADS, thread_name_prefix="docker")
        self._http = httpx.AsyncClient(
            transport=httpx.AsyncHTTPTransport(
                uds=socket, limits=httpx.Limits(max_connections=None)
            ),
            base_url=f"http://engine/v{api}",
            timeout=httpx.Timeout(_CALL_TIMEOUT_S, read=None),
        )

    async def close(self) -> None:
        """Ends the connections."""
        await self._http.aclose()
        self._threads.shutdown(wait=False, cancel_futures=True)
        self._client.close()

    async def call(self, work: Callable[[docker.APIClient], Result]) -> Result:
        """One call, or a few that belong together, of the SDK.

        Raises:
            NotFound: the engine knows no such object.
            EngineUnavailable: it cannot be reached, or does not answer in time.
            CompartmentError: it refused; with its reason.
        """
        loop = asyncio.get_running_loop()
        try:
            return await loop.run_in_executor(self._threads, work, self._client)
        except (docker.errors.DockerException, requests.RequestException, OSError) as error:
            raise self._told(explained(error)) from error

    async def get(self, path: str, **parameters: Any) -> Any:
        """Asks without a thread, for what is asked often.

        Raises:
            The same as `call`.
        """
        try:
            reply = await self._http.get(path, params=parameters, timeout=_ANSWER_TIMEOUT_S)
        except httpx.HTTPError as error:
            raise self._told(_unreachable(error)) from error
        _check(reply.status_code, reply.content)
        return reply.json()

    async def order(
        self,
        method: str,
        path: str,
        body: Json | None = None,
        *,
        limit_s: float = _CALL_TIMEOUT_S,
        **parameters: Any,
    ) -> None:
        """Has something done without a thread.

        Raises:
            The same as `call`.
        """
        try:
            reply = await self._http.request(
                method, path, json=body, params=parameters, timeout=limit_s
            )
        except httpx.HTTPError as error:
            raise self._told(_unreachable(error)) from error
        _check(reply.status_code, reply.content)

    async def unpack(self, container_id: str, folder: str, archive: bytes) -> None:
        """Unpacks a tar archive in a folder of a container, which need not run.

        Raises:
            The same as `call`.
        """
        await self.call(lambda client: client.put_archive(container_id, folder, archive))

    def _told(self, error: CompartmentError) -> CompartmentError:
        if isinstance(error, EngineUnavailable):
            self.doubt()
        return error

    async def check_stays(self) -> None:
        """Refuses to go on with an engine that is about to end: it takes no new connections.

        What is started while it ends can never be started again.

        Raises:
            EngineUnavailable: it does not answer on a connection of its own.
        """
        try:
            async with asyncio.timeout(_STAYS_WITHIN_S):
                reader, writer = await asyncio.open_unix_connection(self.socket)
                try:
                    writer.write(b"GET /_ping HTTP/1.0\r\nHost: engine\r\n\r\n")
                    if not await reader.read(1):
                        raise ConnectionResetError("it closed the connection")
                finally:
                    writer.close()
        except OSError as error:
            raise self._told(_unreachable(error)) from error

    @asynccontextmanager
    async def stream(
        self,
        method: str,
        path: str,
        content: AsyncIterator[bytes] | Json | None = None,
        headers: Mapping[str, str] | None = None,
        **parameters: Any,
    ) -> AsyncIterator[AsyncIterator[bytes]]:
        """What the engine sends as long as it sends, in chunks as they arrive.

        `content` is a tar archive that it is sent, or an object; `headers` are sent besides.

        Raises:
            The same as `call`, also in the middle of the chunks.
        """
        sent: Json = {"json": content, "headers": headers}
        if content is not None and not isinstance(content, dict):
            kind = {"Content-Type": "application/x-tar"}
            sent = {"content": content, "headers": {**kind, **(headers or {})}}
        try:
            async with self._http.stream(method, path, params=parameters, **sent) as reply:
                if reply.is_error:
                    _check(reply.status_code, await reply.aread())
                yield reply.aiter_raw()
        except httpx.HTTPError as error:
            raise _unreachable(error) from error


def explained(error: Exception) -> CompartmentError:
    """An error of the SDK as one of ours."""
    if isinstance(error, docker.errors.APIError):
        text = error.explanation or str(error)
        if error.response is not None and error.response.status_code == httpx.codes.NOT_FOUND:
            return NotFound(text)
        return CompartmentError(f"the Docker Engine refused: {text}")
    return _unreachable(error)


def message_of(content: bytes) -> str:
    """What the engine says in the body of a reply that is an error."""
    try:
        return str(json.loads(content)["message"])
    except (ValueError, KeyError, TypeError):
        return content.decode(errors="replace").strip()


def _check(status: int, content: bytes) -> None:
    if status < httpx.codes.BAD_REQUEST:
        return
    text = message_of(content)
    if status == httpx.codes.NOT_FOUND:
        raise NotFound(text)
    raise CompartmentError(f"the Docker Engine refused: {text}")


def _unreachable(error: Exception) -> EngineUnavailable:
    is_late = isinstance(error, httpx.TimeoutException | requests.Timeout | TimeoutError)
    why = "it takes too long" if is_late else _words_of(error)
    return EngineUnavailable(
        f"the Docker Engine does not answer: {why}",
        hint="start it, or see `compartment doctor`",
    )


def _words_of(error: BaseException) -> str:
    """Those of the system, or of whoever raised it: what wraps it quotes it as Python writes it."""
    if isinstance(error, OSError) and error.strerror:
        return error.strerror
    if inner := error.__cause__ or error.__context__:
        return _words_of(inner)
    return _ERRNO.sub("", str(error)) or type(error).__name__
