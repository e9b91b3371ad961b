"""A real ACME server on loopback: Caddy's, with an authority of its own that nobody trusts."""

from __future__ import annotations

import asyncio
import os
import ssl
import subprocess
import sys
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from core.ports import free_port

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

_LIMIT_S = 60.0
_CONFIGURATION = """
{{
    admin off
    skip_install_trust
    auto_https disable_redirects
    http_port {http}
    https_port {https}
}}
https://localhost:{https} {{
    tls internal
    acme_server {{
        lifetime 5m
        challenges http-01
    }}
}}
"""
"""Five minutes are the shortest life that it gives."""


@dataclass
class AcmeServer:
    """Where it is, and its process."""

    port: int
    folder: Path
    process: subprocess.Popen[bytes]

    @property
    def directory(self) -> str:
        return f"https://localhost:{self.port}/acme/local/directory"

    @property
    def ca_file(self) -> Path:
        """What to trust."""
        return self.folder / "caddy" / "pki" / "authorities" / "local" / "root.crt"

    @property
    def log(self) -> Path:
        return self.folder / "log"

    def end(self) -> None:
        """Ends it, as if the network were gone."""
        self.process.kill()
        self.process.wait()


@asynccontextmanager
async def acme_server(folder: Path, looks_at: int) -> AsyncIterator[AcmeServer]:
    """Runs one that looks for proofs at a port of this machine, whatever the host.

    An authority looks at port 80 of the host. A proxy tells it the way here.
    """
    server = _begin(folder, looks_at)
    try:
        await _until_it_answers(server)
        yield server
    finally:
        server.end()
        print(server.log.read_text())  # noqa: T201 - shown when the test has failed


def _begin(folder: Path, looks_at: int) -> AcmeServer:
    folder.mkdir()
    http = free_port({looks_at})
    https = free_port({looks_at, http})
    file = folder / "Caddyfile"
    file.write_text(_CONFIGURATION.format(http=http, https=https))
    home = {name: str(folder) for name in ("HOME", "XDG_DATA_HOME", "XDG_CONFIG_HOME")}
    proxy = {"HTTP_PROXY": f"http://127.0.0.1:{looks_at}"}
    with (folder / "log").open("wb") as log:
        process = subprocess.Popen(
            [str(Path(sys.executable).with_name("caddy")), "run", "--config", str(file)],
            stdout=log,
            stderr=log,
            env={"PATH": os.defpath, **home, **proxy},
        )
    return AcmeServer(https, folder, process)


async def _until_it_answers(server: AcmeServer) -> None:
    async with asyncio.timeout(_LIMIT_S):
        while server.process.poll() is None:
            try:
                context = ssl.create_default_context(cafile=str(server.ca_file))
                _, writer = await asyncio.open_connection("localhost", server.port, ssl=context)
            except OSError:
                await asyncio.sleep(0.02)
            else:
                writer.transport.abort()
                return
    raise AssertionError("the ACME server has ended")
