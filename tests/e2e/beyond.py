"""Another machine, as far as a network namespace is one."""

from __future__ import annotations

import asyncio
import secrets
import sys
from contextlib import asynccontextmanager
from ipaddress import IPv4Network
from typing import TYPE_CHECKING

from tests.engines.docker.environments import LIMIT_S, TAKES_CONNECTIONS

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

_FOR_TESTS = IPv4Network("198.18.0.0/15")
"""RFC 2544: nobody has an address in it."""


@asynccontextmanager
async def beyond_this_machine() -> AsyncIterator[str]:
    """The address of a machine behind this one that takes connections at port 8000."""
    here, there = _addresses()
    name = f"d-{secrets.token_hex(4)}"
    process = await asyncio.create_subprocess_exec(
        "unshare", "--net", sys.executable, "-c", f"print(flush=True);{TAKES_CONNECTIONS}",
        stdout=asyncio.subprocess.PIPE,
    )  # fmt: skip
    try:
        assert process.stdout is not None
        await process.stdout.readline()  # it is in its namespace
        inside, other_end = ["nsenter", "-t", str(process.pid), "-n"], "eth0"
        await run(
            "ip", "link", "add", name, "type", "veth",
            "peer", "name", other_end, "netns", str(process.pid),
        )  # fmt: skip
        await run("ip", "address", "add", f"{here}/30", "dev", name)
        await run("ip", "link", "set", name, "up")
        await run(*inside, "ip", "address", "add", f"{there}/30", "dev", other_end)
        await run(*inside, "ip", "link", "set", other_end, "up")
        yield there
    finally:
        process.kill()
        await process.wait()


def _addresses() -> tuple[str, str]:
    """Of both ends; tests that run at the same time have others."""
    first = _FOR_TESTS[4 * secrets.randbelow(_FOR_TESTS.num_addresses // 4)]
    return str(first + 1), str(first + 2)


async def run(*command: str) -> None:
    """Runs a command, which must succeed."""
    process = await asyncio.create_subprocess_exec(*command)
    async with asyncio.timeout(LIMIT_S):
        assert await process.wait() == 0, command
