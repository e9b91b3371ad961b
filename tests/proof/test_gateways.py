"""Our gateway beside Traefik, Caddy, HAProxy and nginx, with the same rules.

All of them know the same host, take `/api` off the paths of one service, lead `/assets` to it as
it is and everything else to another service, and tell what they forward from whom it is. Each has
one core of the machine for itself and one thread that serves; the load generator and the services,
which are nginx and answer from memory, share another core. Connections to clients and to services
are kept, nobody writes an access log. Ours is a project that is really deployed, with all settings
as they come.

What is measured is measured in turns: one after the other, then all again, so that a moment in
which the machine is slow befalls all alike. The figures are medians of the turns, and ratios to
ours of the same turn. Where a gateway is faster than the load generator and the services on their
core, its figure is too low.

The switches are those that each documents for changing where it leads to without a restart. All
get the same: 40 in 12 seconds if there is time for so many, under a load that waits for no reply,
on connections that are kept and on new ones. Both versions of the services run all the time. Ours
does what it does in a deploy: it adds the new version, which is checked once, switches the routes,
and takes the old one away. HAProxy knows both versions from its start.
"""

from __future__ import annotations

import asyncio
import statistics
from collections import defaultdict
from contextlib import AsyncExitStack
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import pytest

from tests.certificates.issuing import Authority
from tests.e2e.clients import get
from tests.load.plan import Target
from tests.proof.gateways import generators, programs
from tests.proof.gateways.caddy import Caddy
from tests.proof.gateways.cores import REST, staying_on
from tests.proof.gateways.haproxy import HAProxy
from tests.proof.gateways.nginx import Nginx
from tests.proof.gateways.ours import OURS, Switching, deployed
from tests.proof.gateways.resources import cpu_s, kib_of_an_idle_connection
from tests.proof.gateways.responder import LARGE_BYTES, LARGE_PATH
from tests.proof.gateways.scene import ASKED, HOST, SECURE_HOST, Scene
from tests.proof.gateways.services import versions
from tests.proof.gateways.switching import switches_under_load
from tests.proof.gateways.traefik import QuickTraefik, Traefik

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable, Sequence
    from pathlib import Path

    from tests.figures import FiguresRecorder
    from tests.proof.gateways.ours import Deployed
    from tests.proof.gateways.rival import Rival

pytestmark = [pytest.mark.whole, pytest.mark.timeout(540)]

RIVALS: tuple[type[Rival], ...] = (Traefik, Caddy, HAProxy, Nginx)
TO_BE_LEVEL_WITH = (Traefik.name, Caddy.name)
DIRECT = "the direct connection"
TURNS = 7
SMALL_TURNS = 3
SECONDS = 2
STEADY_PER_CLIENT_S = 100
"""3,200 requests a second in all: what each of them has time for."""
HANDSHAKES = 1_000
IDLE_CONNECTIONS = 1_000


@dataclass
class Gateways:
    """All that run at once, ours first."""

    ours: Deployed
    rivals: list[Rival]

    @property
    def all(self) -> list[Deployed | Rival]:
        return [self.ours, *self.rivals]

    @property
    def direct(self) -> Target:
        """The service itself."""
        return Target(*self.ours.scene.versions[0].web, HOST)


@pytest.fixture
async def gateways(home: Path, tmp_path: Path) -> AsyncIterator[Gateways]:
    programs.install()
    certificate = Authority().issue(SECURE_HOST)
    async with AsyncExitStack() as stack:
        ours = await stack.enter_async_context(deployed(home, tmp_path, certificate))
        rivals = [
            await stack.enter_async_context(kind(tmp_path / kind.__name__, ours.scene))
            for kind in RIVALS
        ]
        yield Gateways(ours, rivals)


@dataclass
class Row:
    """What was found of one way to the services, turn by turn."""

    target: Target
    pids: list[int]
    """The gateway's processes; none where there is no gateway."""
    per_s: list[float] = field(default_factory=list)
    p99_ms: list[float] = field(default_factory=list)
    """While it gets as much as it can take."""
    cpu_us: list[float] = field(default_factory=list)
    steady_ms: list[float] = field(default_factory=list)
    """The 99th percentile while it gets the same as all others."""

    def in_parts_of(self, other: Row) -> float:
        """Requests per second, as a part of those of another one."""
        pairs = zip(self.per_s, other.per_s, strict=True)
        return statistics.median(own / others for own, others in pairs)

    def thrift_in_parts_of(self, other: Row) -> float:
        """Requests for each second of a processor, as a part of those of another one."""
        pairs = zip(self.cpu_us, other.cpu_us, strict=True)
        return statistics.median(others / own for own, others in pairs)


async def test_requests_per_second(
    gateways: Gateways, tmp_path: Path, figures: FiguresRecorder
) -> None:
    await _check_that_rules_mean_the_same(gateways)
    rows = {DIRECT: Row(gateways.direct, [])}
    rows |= {each.name: Row(each.plain, each.pids) for each in gateways.all}
    for _ in range(TURNS):
        for row in rows.values():
            await _measure_full_speed(row, tmp_path)
        for row in rows.values():
            found = await generators.p99_at_a_steady_rate(
                row.target, tmp_path, SECONDS, STEADY_PER_CLIENT_S
            )
            row.steady_ms.append(found)
    _tell(figures, rows)
    for name in TO_BE_LEVEL_WITH:
        # Not the requests per second: on a machine with other work a gateway that has several
        # threads gets a larger part of its core.
        assert rows[name].thrift_in_parts_of(rows[OURS]) < 2


async def _measure_full_speed(row: Row, folder: Path) -> None:
    before_s = cpu_s(row.pids)
    pace = await generators.as_fast_as_it_gets(row.target, folder, SECONDS)
    if row.pids:
        row.cpu_us.append((cpu_s(row.pids) - before_s) * 1e6 / pace.requests)
    row.per_s.append(pace.per_s)
    row.p99_ms.append(pace.p99_ms)


def _tell(figures: FiguresRecorder, rows: dict[str, Row]) -> None:
    def each(what: str, unit: str, of: Callable[[Row], list[float]]) -> None:
        for name, row in rows.items():
            if of(row):
                figures(f"{what}, {name}", statistics.median(of(row)), unit)

    each("requests per second", "/s", lambda row: row.per_s)
    for name, row in rows.items():
        if name != OURS:
            goal = 1 if name in TO_BE_LEVEL_WITH else None
            what = f"{name}'s requests per second, in parts of ours"
            figures(what, row.in_parts_of(rows[OURS]), "", goal)
    each("processor time of a request", "µs", lambda row: row.cpu_us)
    for name in TO_BE_LEVEL_WITH:
        what = f"{name}'s requests for a second of a processor, in parts of ours"
        figures(what, rows[name].thrift_in_parts_of(rows[OURS]), "", 1)
    each("p99 at full speed", "ms", lambda row: row.p99_ms)
    steady_per_s = STEADY_PER_CLIENT_S * generators.CONNECTIONS
    each(f"p99 at {steady_per_s:,} requests/s", "ms", lambda row: row.steady_ms)


async def _check_that_rules_mean_the_same(gateways: Gateways) -> None:
    for gateway in gateways.all:
        for asked in ASKED:
            reply = await get(gateway.plain, asked.path)
            told = reply.body.decode().split()
            expected = [asked.service, asked.seen, HOST, "http"]
            assert told == expected, f"{gateway.name}: {asked.path} is {told}"
        unknown = Target(gateway.plain.address, gateway.plain.port, "unknown.localhost")
        assert (await get(unknown, "/")).status == 404, gateway.name


async def test_connections_and_bodies(
    gateways: Gateways, tmp_path: Path, figures: FiguresRecorder
) -> None:
    for each in gateways.all:
        cost = await kib_of_an_idle_connection(each.plain, each.pids, IDLE_CONNECTIONS)
        figures(f"memory of an idle connection, {each.name}", cost, "KiB")
    found: dict[tuple[str, str, str], list[float]] = defaultdict(list)
    for _ in range(SMALL_TURNS):
        for each in gateways.all:
            fresh = await generators.as_fast_as_it_gets(
                each.plain, tmp_path, SECONDS, is_kept=False
            )
            large = await generators.as_fast_as_it_gets(each.plain, tmp_path, SECONDS, LARGE_PATH)
            handshakes = await generators.handshakes_per_s(each.secure, HANDSHAKES)
            multiplexed = await generators.multiplexed_per_s(each.secure, SECONDS)
            for what, value, unit in (
                ("requests on new connections", fresh.per_s, "/s"),
                ("replies of 1 MB", large.per_s * LARGE_BYTES / 1e6, "MB/s"),
                ("TLS handshakes", handshakes, "/s"),
                ("requests by HTTP/2 over TLS", multiplexed, "/s"),
            ):
                found[what, each.name, unit].append(value)
    for (what, name, unit), values in sorted(found.items(), key=lambda row: row[0][0]):
        figures(f"{what}, {name}", statistics.median(values), unit)


SWITCHED: Sequence[type[Rival]] = (Traefik, QuickTraefik, Caddy, HAProxy, Nginx)


async def test_switches_under_load(home: Path, tmp_path: Path, figures: FiguresRecorder) -> None:
    programs.install()
    chain, key = Authority().issue(SECURE_HOST).write(tmp_path / "certificate")
    with staying_on(REST), versions(tmp_path, 2) as found:
        scene = Scene(found, chain, key)
        ours = Switching(home, scene)
        switched: list[Switching | Rival] = [ours]
        switched += [kind(tmp_path / kind.__name__, scene) for kind in SWITCHED]
        for each in switched:
            async with each:
                done = await asyncio.wait_for(switches_under_load(each), 120)
            what = f"{each.name} ({each.switches_by})"
            goal = 0 if each is ours else None
            figures(f"switches, {what}", len(done.done), "switches")
            figures(f"until the new version answers, {what}", done.median_ms, "ms")
            figures(f"requests lost of {done.report.sent}, {what}", len(done.report.lost), "", goal)
            figures(f"answered by the old one afterwards, {what}", done.late, "requests", goal)
            if each is ours:
                routes_ms = statistics.median(ours.routes_s) * 1000
                figures("of that the routes alone, until acknowledged, ours", routes_ms, "ms", 10)
                assert [str(loss) for loss in done.report.lost] == []
                assert done.late == 0
