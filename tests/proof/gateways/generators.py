"""The load generators, run on the core that is not the gateway's, and what they print."""

from __future__ import annotations

import asyncio
import re
from dataclasses import dataclass
from typing import TYPE_CHECKING

from tests.proof.gateways.cores import REST, on_core
from tests.proof.gateways.programs import program
from tests.proof.gateways.scene import MEASURED_PATHS

if TYPE_CHECKING:
    from pathlib import Path

    from tests.load.plan import Target

CONNECTIONS = 32
_LIMIT_S = 120.0
_MS = {"us": 0.001, "ms": 1.0, "s": 1000.0}


@dataclass(frozen=True, slots=True)
class Pace:
    """What came of a load that sends as fast as it gets replies."""

    requests: int
    per_s: float
    p99_ms: float


async def as_fast_as_it_gets(
    target: Target, folder: Path, seconds: int, *paths: str, is_kept: bool = True
) -> Pace:
    """wrk with one thread, over connections that are kept, or a new one for each request.

    Every request has to be answered with 200.
    """
    script = folder / "paths.lua"
    script.write_text(_script(paths or MEASURED_PATHS))
    headers = [f"Host: {target.host}", *([] if is_kept else ["Connection: close"])]
    told = await _output(
        program("wrk"),
        *("-t", "1", "-c", str(CONNECTIONS), "-d", f"{seconds}s", "--latency"),
        *(part for header in headers for part in ("-H", header)),
        *("-s", str(script), f"http://{target.address}:{target.port}"),
    )
    assert "Non-2xx" not in told, told
    assert "Socket errors" not in told, told
    p99, unit = re.findall(r"99%\s+([\d.]+)(us|ms|s)\b", told)[0]
    requests = re.findall(r"(\d+) requests in", told)[0]
    per_s = re.findall(r"Requests/sec:\s+([\d.]+)", told)[0]
    return Pace(int(requests), float(per_s), float(p99) * _MS[unit])


def _script(paths: tuple[str, ...]) -> str:
    """Requests that are made once and sent in turn."""
    listed = ", ".join(f'"{path}"' for path in paths)
    return (
        f"local paths, ready, at = {{{listed}}}, {{}}, 0\n"
        "function init(args)\n"
        "  for i, path in ipairs(paths) do ready[i] = wrk.format('GET', path) end\n"
        "end\n"
        "function request() at = at % #ready + 1; return ready[at] end\n"
    )


async def p99_at_a_steady_rate(
    target: Target, folder: Path, seconds: int, per_client_s: int
) -> float:
    """In ms, of a load that waits for no reply; h2load with 32 clients."""
    log = folder / "latencies"
    log.unlink(missing_ok=True)
    await _h2load(
        target,
        "http",
        MEASURED_PATHS,
        "--h1",
        *("-c", str(CONNECTIONS), "-D", str(seconds), f"--rps={per_client_s}"),
        f"--log-file={log}",
    )
    # Each line: when it was sent, the status, and how long it took in microseconds.
    rows = [line.split("\t") for line in log.read_text().splitlines()]
    assert {row[1] for row in rows} == {"200"}
    taken = sorted(int(row[2]) for row in rows)
    return taken[int(0.99 * len(taken))] / 1000


async def handshakes_per_s(target: Target, clients: int) -> float:
    """New connections with TLS, one request on each; none resumes a session of another."""
    count = str(clients)
    return await _h2load(target, "https", ("/",), "--h1", "-n", count, "-c", count)


async def multiplexed_per_s(target: Target, seconds: int) -> float:
    """Requests by HTTP/2 over TLS: eight connections, sixteen at once on each."""
    return await _h2load(target, "https", MEASURED_PATHS, "-c", "8", "-m", "16", "-D", str(seconds))


async def _h2load(target: Target, scheme: str, paths: tuple[str, ...], *arguments: str) -> float:
    """Requests per second; each has to be answered with 200."""
    told = await _output(
        program("h2load"),
        *("-t", "1", f"--connect-to={target.address}:{target.port}"),
        *arguments,
        *(f"{scheme}://{target.host}:{target.port}{path}" for path in paths),
    )
    counts = re.findall(r"(\d+) failed, (\d+) errored, (\d+) timeout", told)
    assert counts == [("0", "0", "0")], told
    return float(re.findall(r"finished in [\d.]+m?s, ([\d.]+) req/s", told)[0])


async def _output(*command: str) -> str:
    process = await asyncio.create_subprocess_exec(
        *on_core(REST, command), stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.STDOUT
    )
    async with asyncio.timeout(_LIMIT_S):
        told, _ = await process.communicate()
    text = told.decode(errors="replace")
    assert process.returncode == 0, text
    return text
