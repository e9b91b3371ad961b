"""The facade: verbs in, snapshots and events out. Plain async Python; the agent only serves it."""

from __future__ import annotations

import asyncio
import logging
from contextlib import asynccontextmanager
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

import httpx

from core.aftercare.aftercare import Aftercare
from core.background import Background
from core.certificates.authority import AcmeAuthority
from core.certificates.challenges import Challenges
from core.errors import (
    CompartmentError,
    JournalError,
)
from core.gateway.gateway import Gateway
from core.gateway.table import Ports, chosen_ports
from core.health.gateway import keep_doors, keep_gateway
from core.health.watch import HealthWatch
from core.journal import Journal
from core.journal.database import damaged
from core.logs.writer import CompartmentLog
from core.metrics.metrics import Metrics
from core.notifications.notifications import Notifications
from core.promotion.certificates import Certificates
from core.promotion.domains import Added, Domains
from core.promotion.engines import Engines
from core.promotion.forgetting import Forgetting
from core.promotion.ledger import Ledger
from core.promotion.parts import Parts
from core.promotion.progress import Progress
from core.promotion.recovery import recover
from core.promotion.renewals import Renewals
from core.promotion.resolver import Resolver
from core.promotion.reviving import resume
from core.promotion.routing import PORTS, Router
from core.promotion.traces import check_knows_all
from core.promotion.unpooled import Unpooled
from core.records import Tls
from core.runs import Runs
from core.schedule import Scheduler
from core.snapshots import Snapshots
from core.statistics import Statistics

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Awaitable, Callable, Sequence

    from core.config.notifications import Notification
    from core.config.settings import Settings
    from core.engines.base import Engine
    from core.files import Home
    from core.records import DomainRecord

_log = logging.getLogger(__name__)
_PAUSE_AFTER_BUG_S = 1.0

_PORTS = ("port", "internal_port", "https_port")


class Platform:
    """One home folder's deployments. Made by `running`, which owns every task."""

    def __init__(
        self,
        parts: Parts,
        gateway: Gateway,
        tasks: asyncio.TaskGroup,
        wanted: Sequence[Notification] = (),
    ) -> None:
        self.parts = parts
        self.ledger = parts.ledger
        self.gateway = gateway
        self.snapshots = Snapshots(parts.ledger, parts.engines, gateway)
        self.statistics = Statistics(parts.ledger, parts.engines, gateway)
        self.resolver = Resolver(parts)
        self.failure: JournalError | None = None
        """Why this platform cannot go on; whoever runs it must end it."""
        self.ended = asyncio.Event()
        self.recovered = asyncio.Event()
        """Set once what is live is served; verbs that change something have to wait for it."""
        self._tasks = tasks
        self._watch = HealthWatch(parts, tasks)
        self.notifications = Notifications(wanted, parts.ledger, self.snapshots, parts.probes)
        self.metrics = Metrics(parts.ledger, gateway, self._watch.restarts)
        self._forgetting = Forgetting(parts, self.metrics.keep)
        self.runs = Runs(
            parts, tasks, self.resolver, self.snapshots, self._forgetting,
            ensure_gateway=self._ensure_gateway, failed=self._fail,
        )  # fmt: skip
        self._aftercare = Aftercare(parts, self.runs.submit)
        self.background = Background(parts, tasks, failed=self._fail)
        self._scheduler = Scheduler(parts.ledger, self.background, failed=self._fail)
        self._certificates = Certificates(parts.router)
        self.domains = Domains(parts.router, self._certificates)
        self._renewals = Renewals(
            parts.ledger, self._certificates, parts.authority, lambda: gateway.envoy.is_running
        )
        self._helpers: list[asyncio.Task[None]] = []
        self._gateway_wanted = asyncio.Event()

    @classmethod
    @asynccontextmanager
    async def running(cls, home: Home, settings: Settings) -> AsyncIterator[Platform]:
        """A platform, recovered and ready; when the block ends, what is live goes on without it.

        Raises:
            Conflict: it would have to listen twice on one port.
            JournalError: the journal cannot be used.
            GatewayUnavailable: what is live cannot be served.
        """
        async with cls.opened(home, settings) as platform:
            await platform.recover()
            yield platform

    @classmethod
    @asynccontextmanager
    async def opened(cls, home: Home, settings: Settings) -> AsyncIterator[Platform]:
        """The same before it has recovered: it knows what was true, and has looked at nothing.

        Where it listens is kept for the agents after this one.

        Raises:
            Conflict: it would have to listen twice on one port.
            JournalError: the journal cannot be used.
        """
        home.create()
        journal = Journal(home.journal)
        await journal.open()
        log = CompartmentLog(home.logs)
        ledger = Ledger(journal, log)
        try:
            ports = chosen_ports(settings, _kept_ports(journal, home))
            await check_knows_all(journal, home)
            # Before anything is there that has an end: what is not understood is not touched.
            await ledger.load()
        except BaseException:
            await journal.close()
            raise
        admin_socket = home.sockets / "envoy.sock"
        gateway = Gateway(home.gateway, admin_socket, ports, settings.gateway_workers)
        # Each try has a limit of its own.
        async with httpx.AsyncClient(
            transport=Unpooled(), timeout=None, trust_env=False  # noqa: S113
        ) as probes:  # fmt: skip
            try:
                async with asyncio.TaskGroup() as tasks:
                    engines = Engines(home, journal, tasks, settings.engine)
                    chosen = [name for name in _PORTS if getattr(settings, name) is not None]
                    router = Router(ledger, gateway, engines, settings.base_domain, chosen)
                    slots = asyncio.Semaphore(settings.concurrent_builds)
                    progress = Progress(ledger.mask)
                    webroot = settings.acme_webroot
                    challenges = Challenges(Path(webroot) if webroot else None)
                    parts = Parts(
                        home, ledger, router, engines, probes, slots,
                        progress=progress,
                        challenges=challenges,
                        authority=AcmeAuthority(
                            settings.acme_directory, home.certificates, challenges,
                            settings.acme_email, settings.acme_ca_file,
                        ),
                        stop_grace_s=settings.stop_grace_seconds,
                        kept_releases=settings.keep_releases,
                        kept_runs=settings.keep_history,
                        kept_logs=settings.keep_logs,
                    )  # fmt: skip
                    platform = cls(parts, gateway, tasks, settings.notifications)
                    try:
                        await engines.open()
                        platform._certificates.forget_orphans()
                        yield platform
                    finally:
                        await platform._close()
                        await engines.close()
            finally:
                await gateway.close()
                log.close()
                await journal.close()

    async def recover(self) -> None:
        """Makes what is live true again, and goes on with what an agent before this one left.

        After a reboot that takes as long as the slowest service needs to be ready.

        Raises:
            GatewayUnavailable: what is live cannot be served.
        """
        # Who is new is told of what becomes of the runs that an agent before has left.
        await self.notifications.begin()
        for unfinished in await recover(self.parts):
            self.runs.take_up(unfinished)
        self.background.take_up()
        await self.metrics.begin()
        for each in self.notifications.recipients:
            self._keep_doing(each.follow)
        if self.gateway.envoy.is_running:
            self._gateway_wanted.set()
        await self.parts.router.keep_ports()
        self._keep_doing(self.parts.manifests.follow)
        self._keep_doing(self._scheduler.follow)
        self._keep_doing(self.gateway.findings.follow)
        self._keep_doing(self._watch.follow)
        self._keep_doing(self._renewals.follow)
        self._keep_doing(self._aftercare.follow)
        self._keep_doing(self._forgetting.follow)
        self._keep_doing(lambda: keep_gateway(self.parts.router, self._gateway_wanted))
        self._keep_doing(lambda: keep_doors(self.parts.router))
        self.parts.engines.met = self._meet
        for engine in self.parts.engines:
            await self._meet(engine)
        self.recovered.set()

    async def _meet(self, engine: Engine) -> None:
        self._keep_doing(lambda: self._keep_true(engine))

    def _keep_doing(self, work: Callable[[], Awaitable[None]]) -> None:
        """Does what goes on as long as the platform does."""
        self._helpers.append(self._tasks.create_task(self._again_and_again(work)))

    async def _again_and_again(self, work: Callable[[], Awaitable[None]]) -> None:
        """A bug in it never takes the platform down, nor a run."""
        while True:
            try:
                await work()
            except JournalError as error:
                self._fail(error)
                return
            except Exception:  # noqa: BLE001 - the top of what has no end
                _log.exception("what should go on for ever ended by a bug, and is begun again")
            await asyncio.sleep(_PAUSE_AFTER_BUG_S)

    async def _keep_true(self, engine: Engine) -> None:
        """Looks at everything on an engine again whenever it is back."""
        while True:
            await engine.wait_back()
            try:
                await resume(self.parts, engine)
                self._watch.look_again(engine)
                self._aftercare.doubt(engine.name)
                self.background.take_up()
                if self.gateway.envoy.is_running:
                    await self.parts.router.open_entrances()
            except JournalError as error:
                self._fail(error)
            except CompartmentError as error:
                _log.warning("after the %s engine was back: %s", engine.name, error.message)

    async def _close(self) -> None:
        for helper in self._helpers:
            helper.cancel()
        self._watch.stop()
        await self.runs.close()
        self.background.stop()
        await self.parts.manifests.catch_up()
        if not self.ledger.activations:
            await self.gateway.envoy.stop()

    @property
    def is_idle(self) -> bool:
        """Whether no run is queued or going on, nor one left that was."""
        return self.recovered.is_set() and self.runs.is_idle

    def _fail(self, error: JournalError) -> None:
        self.failure = error
        self.ended.set()

    async def add_domain(self, wanted: DomainRecord) -> Added:
        """Leads a host name to a service; waits for the first answer of an authority.

        Raises:
            CompartmentError: as `Domains.add` says.
        """
        added = await self.domains.add(wanted)
        if wanted.tls is Tls.ACME:
            # The authority asks the gateway for its proof, also where nothing is live.
            await self._ensure_gateway(set())
            await self.domains.first_answer(wanted.host)
        return replace(added, record=self.ledger.domains.get(wanted.host, added.record))

    async def _ensure_gateway(self, given: set[int]) -> None:
        """Where it takes any free ports, it takes none of those that were given to services."""
        if not self.gateway.envoy.is_running:
            await self.parts.router.start(given=given)
            await self.parts.router.keep_ports()
        self._gateway_wanted.set()


def _kept_ports(journal: Journal, home: Home) -> Ports | None:
    kept = journal.settings.get(PORTS)
    try:
        return None if kept is None else Ports.read(kept)
    except ValueError as error:
        raise damaged(home.journal, f"{kept!r} are no ports") from error
