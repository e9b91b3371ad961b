"""A program that asks an example for its pages, so often a second, and counts what is lost.

    python -m tui.demo.visitors PER_SECOND ADDRESS HOST PATH...

It is a process of its own, so that drawing the screen never delays a request. It says `ready` at
the first answer, goes on until its standard input ends (also when whoever started it was killed),
and then prints its counts as JSON.
"""

from __future__ import annotations

import asyncio
import json
import sys
from collections import Counter
from itertools import cycle
from typing import TYPE_CHECKING, Any, Final

import httpcore

from core.cli.text import first_line

if TYPE_CHECKING:
    from collections.abc import Sequence

_TIMEOUT_S: Final = 10.0
_IDLE_S: Final = 2.0
"""How long an unused connection is kept: less than any server keeps it."""

_VERSION_LIMIT: Final = 40

_LOST = (httpcore.NetworkError, httpcore.ProtocolError, httpcore.TimeoutException)


class Visitors:
    """Open loop: a slow answer never delays the next request."""

    def __init__(self, per_s: float, address: str, host: str, paths: Sequence[str]) -> None:
        self._per_s = per_s
        self._url = f"http://{address}"
        self._headers = [("Host", host), ("Accept", "application/json")]
        self._paths = cycle(paths)
        self._sent = 0
        self._lost: Counter[str] = Counter()
        self._versions: Counter[str] = Counter()

    async def come(self, until: asyncio.Event) -> None:
        """Sends requests until it is enough; returns when the last one is answered."""
        async with (
            httpcore.AsyncConnectionPool(keepalive_expiry=_IDLE_S) as pool,
            asyncio.TaskGroup() as tasks,
        ):
            began = asyncio.get_running_loop().time()
            while not until.is_set():
                tasks.create_task(self._ask(pool, next(self._paths)))
                self._sent += 1
                due = began + self._sent / self._per_s
                await asyncio.sleep(due - asyncio.get_running_loop().time())

    async def _ask(self, pool: httpcore.AsyncConnectionPool, path: str) -> None:
        try:
            async with asyncio.timeout(_TIMEOUT_S):
                reply = await pool.request("GET", self._url + path, headers=self._headers)
        except (*_LOST, TimeoutError) as error:
            self._lost[type(error).__name__] += 1
            return
        if reply.status != 200:
            self._lost[f"status {reply.status}"] += 1
            return
        if not self._versions:
            print("ready", flush=True)  # noqa: T201 - for whoever started us
        self._versions[_version(reply.content)] += 1

    def counts(self) -> dict[str, Any]:
        """What has become of the requests."""
        return {"sent": self._sent, "lost": self._lost, "answeredBy": self._versions}


def _version(content: bytes) -> str:
    """The version that answered; people change the example as they like, and it is printed."""
    try:
        found = json.loads(content)["version"]
    except (ValueError, KeyError, TypeError):
        return "one without a version"
    return first_line(str(found), _VERSION_LIMIT)


async def main() -> None:
    """The program."""
    per_s, address, host, *paths = sys.argv[1:]
    visitors = Visitors(float(per_s), address, host, paths)
    enough = asyncio.Event()
    async with asyncio.TaskGroup() as tasks:
        tasks.create_task(visitors.come(enough))
        await asyncio.to_thread(sys.stdin.read)
        enough.set()
    print(json.dumps(visitors.counts()))  # noqa: T201 - for whoever started us


if __name__ == "__main__":
    asyncio.run(main())
