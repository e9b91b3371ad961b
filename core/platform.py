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
from core.ending import to_the_end
from core.errors import (
    CompartmentError,
    Conflict,
    InternalError,
    JournalError,
    TargetBusy,
)
from core.events import EventType
from core.gateway.gateway import Gateway
from core.gateway.table import Ports, chosen_ports
from core.health.gateway import keep_gateway
from core.health.watch import HealthWatch
from core.journal import Journal
from core.journal.database import damaged
from core.lines import stamp
from core.logs.writer import CompartmentLog
from core.metrics.metrics import Metrics
from core.model import Status, Trigger
from core.notifications.notifications import Notifications
from core.promotion import retention
from core.promotion.candidate import Step
from core.promotion.certificates import Certificates
from core.promotion.domains import Added, Domains
from core.promotion.down import take_down
from core.promotion.engines import Engines
from core.promotion.following import bring_along
from core.promotion.forgetting import Forgetting
from core.promotion.ledger import Ledger, run_event
from core.promotion.parts import Parts
from core.promotion.progress import Progress, WaitKind
from core.promotion.recovery import recover, tidy
from core.promotion.renewals import Renewals
from core.promotion.resolver import Resolver
from core.promotion.reviving import resume
from core.promotion.routing import PORTS, Router
from core.promotion.run import CANCELLED, Promotion
from core.promotion.traces import check_knows_all
from core.promotion.turns import Turns
from core.records import HostRecord, Run, Tls, new_id
from core.schedule import Scheduler
from core.snapshots import Snapshots
from core.statistics import Statistics

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Awaitable, Callable, Sequence

    from core.config.notifications import Notification
    from core.config.settings import Settings
    from core.engines.base import Engine
    from core.files import Home
    from core.promotion.recovery import Unfinished
    from core.promotion.requests import Accepted, Down, Request
    from core.promotion.turns import Turn
    from core.records import Deployment, DomainRecord, Target

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
        self._turns = Turns()
        # An artifact that a new run has found must not be pruned before that run is journalled.
        self._accepting = asyncio.Lock()
        self._running: dict[str, tuple[asyncio.Task[None], Promotion | None]] = {}
        self._watch = HealthWatch(parts, tasks)
        self.notifications = Notifications(wanted, parts.ledger, self.snapshots, parts.probes)
        self.metrics = Metrics(parts.ledger, gateway, self._watch.restarts)
        self._forgetting = Forgetting(parts, self.metrics.keep)
        self._aftercare = Aftercare(parts, self.submit)
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
        async with httpx.AsyncClient(timeout=None, trust_env=False) as probes:  # noqa: S113 - per try
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
            run = unfinished.promotion.run
            turn = self._turns.join(run.target, run.id)
            self._start(run.id, self._end(unfinished, turn), unfinished.promotion)
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
        for task, promotion in list(self._running.values()):
            if promotion is not None and not promotion.is_past_return:
                task.cancel()
        for task, _ in list(self._running.values()):
            await asyncio.wait([task])
        self.background.stop()
        await self.parts.manifests.catch_up()
        if not self.ledger.activations:
            await self.gateway.envoy.stop()

    @property
    def is_idle(self) -> bool:
        """Whether no run is queued or going on, nor one left that was."""
        return self.recovered.is_set() and self._turns.is_idle

    async def submit(self, request: Request) -> Run:
        """Accepts a deploy, redeploy or rollback and carries it out in the background.

        Raises:
            ConfigError, NotFound, Conflict: it cannot be done; nothing was changed.
            TargetBusy: another run is ahead, and the request does not want to wait.
            GatewayUnavailable: the gateway does not start.
        """
        run = Run(
            id=new_id("drn"),
            target=request.target,
            trigger=request.trigger,
            status=Status.QUEUED,
            created_at=stamp(),
            label=request.label,
            because=request.undo.because if request.undo else None,
        )
        turn = self._turns.join(run.target, run.id)
        try:
            self._refuse_to_wait(turn, request)
            async with self._accepting:
                accepted = await self.resolver.accept(request, run, is_first=turn.ahead is None)
                await self._queue(accepted, turn)
        except BaseException:
            turn.leave()
            raise
        if request.trigger is Trigger.ROLLBACK and turn.ahead:
            self._take_over_drain(turn.ahead, run.id)
        promotion = Promotion(self.parts, accepted.run)
        work = self._carry_out(promotion, turn, accepted, request.wait_s)
        self._start(run.id, work, promotion)
        return accepted.run

    def _take_over_drain(self, ahead: str, run_id: str) -> None:
        """A rollback does not wait until what it wants back has ended."""
        _, promotion = self._running.get(ahead, (None, None))
        if promotion is not None and promotion.is_past_return:
            promotion.hand_over(run_id)

    async def _queue(self, accepted: Accepted, turn: Turn) -> None:
        run = accepted.run
        try:
            hosts = [each for each in accepted.records if isinstance(each, HostRecord)]
            await self._ensure_gateway({each.inner_port for each in hosts if each.inner_port})
            waits = f", waits: {self._who_is_ahead(turn)}" if turn.ahead else ""
            queued = run_event(EventType.RUN_QUEUED, run, f"{run.trigger} queued{waits}")
            await self.ledger.update(
                lambda: [*accepted.records, run, queued, *self._unwatched(run)]
            )
        except BaseException:
            await to_the_end(accepted.discard())
            raise

    def _unwatched(self, run: Run) -> list[Deployment]:
        """What is not watched any more because somebody has taken over.

        A deploy that finds nothing to do changes nothing here either.
        """
        is_taking_over = run.deployment_ids or run.trigger is Trigger.ROLLBACK
        if run.because or not is_taking_over:
            return []
        active = self.ledger.active(run.target).values()
        return [each.changed(watched=None) for each in active if each.watched]

    def _refuse_to_wait(self, turn: Turn, request: Request) -> None:
        if request.undo and turn.ahead not in (None, request.undo.deployment.run_id):
            raise TargetBusy(self._who_is_ahead(turn))
        if turn.ahead and request.wait_s == 0:
            raise TargetBusy(self._who_is_ahead(turn), hint="wait for it, or cancel it")

    def _who_is_ahead(self, turn: Turn) -> str:
        ahead = self.ledger.runs.get(turn.ahead or "")
        if ahead is None:
            return "another run is ahead"
        return f"{ahead.trigger} {ahead.id} is ahead, since {ahead.created_at}"

    def _start(self, run_id: str, work: Awaitable[None], promotion: Promotion | None) -> None:
        task = self._tasks.create_task(self._guard(run_id, work))
        self._running[run_id] = (task, promotion)
        task.add_done_callback(lambda _: self._running.pop(run_id, None))

    async def _guard(self, run_id: str, work: Awaitable[None]) -> None:
        """A bug in one run never takes the platform or another run down."""
        try:
            await work
        except asyncio.CancelledError:
            pass
        except JournalError as error:
            # What cannot be journalled must not be acted on; the next agent recovers.
            _log.error("run %s: %s", run_id, error.message)
            self._fail(error)
        except Exception:  # noqa: BLE001 - the top of a run
            _log.exception("run %s ended by a bug", run_id)
            await self._give_up(run_id)

    def _fail(self, error: JournalError) -> None:
        self.failure = error
        self.ended.set()

    async def _give_up(self, run_id: str) -> None:
        """Ends a run that met a bug: back, or forward where it had switched already."""
        run = self.ledger.runs.get(run_id)
        if run is None:
            return
        promotion = Promotion(self.parts, run)
        known = self.ledger.deployments
        try:
            if any(known[each].is_active for each in run.deployment_ids if each in known):
                await promotion.finish()
            else:
                await promotion.go_back(
                    "an internal error, see the agent's log", InternalError.code
                )
        except JournalError as error:
            self._fail(error)
        except Exception:  # noqa: BLE001 - the next agent takes up what the journal has of it
            _log.exception("run %s could not be ended", run_id)

    async def _carry_out(
        self, promotion: Promotion, turn: Turn, accepted: Accepted, wait_s: float | None
    ) -> None:
        try:
            try:
                with self.parts.progress.waits(
                    WaitKind.TURN,
                    *accepted.run.deployment_ids,
                    limit_s=wait_s,
                    detail=self._who_is_ahead(turn),
                ):
                    async with asyncio.timeout(wait_s):
                        await turn.reached()
            except TimeoutError:
                reason = f"waited {wait_s:g} s: {self._who_is_ahead(turn)}"
                await to_the_end(promotion.go_back(reason, TargetBusy.code))
                return
            except asyncio.CancelledError:
                await to_the_end(promotion.go_back("cancelled while it was queued", CANCELLED))
                raise
            await promotion.carry_out(lambda: self._steps(accepted))
        finally:
            # At once: whoever sees the end of this run may ask for the next one.
            turn.leave()
            await accepted.discard()
        await self._prune(accepted.run.target)

    async def _steps(self, accepted: Accepted) -> list[Step]:
        # A rollback finds what it returns to only now, while a run ahead of it may prune.
        async with self._accepting:
            found = await accepted.steps()
            deployments = [each.deployment for each in found]
            followers = await bring_along(self.ledger, accepted.run.id, deployments)
            return [*found, *(Step(each) for each in followers)]

    async def _end(self, unfinished: Unfinished, turn: Turn) -> None:
        target = unfinished.promotion.run.target
        try:
            await unfinished.end()
        finally:
            turn.leave()
        await self._prune(target)

    async def _prune(self, target: Target) -> None:
        async with self._accepting:
            await retention.prune(self.parts)
        self._forgetting.look(target)
        await tidy(self.parts)

    async def cancel(self, run_id: str) -> Run:
        """Stops a run before its switch; returns it as it ended.

        Raises:
            NotFound: no such run.
            Conflict: it is past the switch, or over.
        """
        task, promotion = self._running.get(run_id, (None, None))
        if task is None:
            run = await self.snapshots.run(run_id)
            raise Conflict(f"run {run_id} is over: {run.status}", code="run_is_over")
        # What is cancelled before its first step takes none, not even to leave its turn.
        await asyncio.sleep(0)
        if promotion is None or promotion.is_past_return:
            raise Conflict(
                f"run {run_id} is past the switch and goes on to its end",
                hint="roll back when it is done: compartment rollback",
                code="run_is_past_switch",
            )
        task.cancel()
        await asyncio.wait([task])
        return await self.snapshots.run(run_id)

    async def hold(self, run_id: str) -> Run:
        """Lets a run stop before its switch; returns it.

        Raises:
            NotFound: no such run.
            Conflict: it is past the switch, or over.
        """
        await (await self._going_on(run_id)).hold()
        return await self.snapshots.run(run_id)

    async def resume(self, run_id: str) -> Run:
        """Lets a held run go on; returns it.

        Raises:
            NotFound: no such run.
            Conflict: it is over.
        """
        await (await self._going_on(run_id)).resume()
        return await self.snapshots.run(run_id)

    async def _going_on(self, run_id: str) -> Promotion:
        _, promotion = self._running.get(run_id, (None, None))
        if promotion is None:
            run = await self.snapshots.run(run_id)
            raise Conflict(f"run {run_id} is over: {run.status}", code="run_is_over")
        return promotion

    async def down(self, request: Down) -> list[str]:
        """Stops and removes the instances of an environment; returns the services stopped.

        Once begun it goes to its end, also when nobody waits for it any more.
        """
        outcome: asyncio.Future[list[str]] = asyncio.get_running_loop().create_future()
        run_id = new_id("drn")
        self._start(run_id, self._take_down(request, run_id, outcome), None)
        return await asyncio.shield(outcome)

    async def _take_down(
        self, request: Down, run_id: str, outcome: asyncio.Future[list[str]]
    ) -> None:
        try:
            with self._turns.joined(request.target, run_id) as turn:
                await turn.reached()
                outcome.set_result(await take_down(self.parts, request))
        except BaseException as error:
            known = isinstance(error, CompartmentError)
            outcome.set_exception(error if known else InternalError("taking down met a bug"))
            outcome.exception()  # seen, in case nobody waits for it any more
            if not known or isinstance(error, JournalError):
                raise

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
