"""Services that answer at once: what the gateways lead to where nothing of ours is deployed."""

from __future__ import annotations

import subprocess
import time
from contextlib import ExitStack, contextmanager, suppress
from typing import TYPE_CHECKING

import httpx

from core.ports import free_port
from tests.proof.gateways.cores import REST, on_core
from tests.proof.gateways.programs import program
from tests.proof.gateways.responder import prepared
from tests.proof.gateways.scene import Version

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from tests.proof.gateways.scene import Address

_LIMIT_S = 60.0


@contextmanager
def versions(folder: Path, count: int) -> Iterator[tuple[Version, ...]]:
    """So many versions of both services; the first word of a reply is such as `web-0`."""
    with ExitStack() as stack:
        yield tuple(
            Version(
                *(
                    stack.enter_context(_served(f"{service}-{number}", folder))
                    for service in ("web", "api")
                )
            )
            for number in range(count)
        )


@contextmanager
def _served(name: str, folder: Path) -> Iterator[Address]:
    port = free_port(set())
    _, *arguments = prepared(name, folder / name, port)
    process = subprocess.Popen(on_core(REST, [program("nginx"), *arguments]))
    try:
        _wait_for(port)
        yield "127.0.0.1", port
    finally:
        process.terminate()
        process.wait()


def _wait_for(port: int) -> None:
    deadline = time.monotonic() + _LIMIT_S
    while time.monotonic() < deadline:
        with suppress(httpx.TransportError):
            httpx.get(f"http://127.0.0.1:{port}/", trust_env=False)
            return
        time.sleep(0.02)
    raise AssertionError("a service does not answer")
