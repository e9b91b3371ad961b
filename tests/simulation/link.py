"""What one agent has of the machine: an engine and a gateway, until it dies."""

from __future__ import annotations

import asyncio
from types import SimpleNamespace
from typing import TYPE_CHECKING

from core.engines.base import Exit, Holder, Source
from core.errors import CompartmentError, GatewayUnavailable
from core.gateway.table import InFlight, Ports
from core.model import EngineName
from tests.simulation.gates import AgentDied
from tests.simulation.machine import FIXED

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from pathlib import Path

    from core.engines.base import InstanceSpec, Usage, WantedNetwork
    from core.gateway.table import Table
    from core.model import Service
    from core.records import Target
    from tests.simulation.machine import Instance, Machine
    from tests.simulation.promises import Promises


async def forever(*_: object) -> None:
    """Returns when the agent ends."""
    await asyncio.get_running_loop().create_future()


async def serves() -> bool:
    """The gateway outlives every agent."""
    return True


class Link:
    """Engine and gateway at once."""

    def __init__(self, machine: Machine, promises: Promises) -> None:
        self._machine = machine
        self._promises = promises
        self.name = machine.engine
        self.holds_names = self.name is EngineName.DOCKER
        self.is_dead = False
        self.ports = Ports(80, 81)
        self.envoy = SimpleNamespace(is_running=True, is_serving=serves, wait_exit=forever)
        self.findings = SimpleNamespace(follow=forever, of=lambda *_: None, next=forever)

    async def _pass(
        self,
        what: str,
        effect: Callable[[], None] = lambda: None,
        failure: Exception | None = None,
    ) -> None:
        self._check_alive()
        await self._machine.gates.pass_one(what, effect, failure)
        self._check_alive()

    def _check_alive(self) -> None:
        if self.is_dead:
            raise AgentDied

    # -- the engine ----------------------------------------------------------

    async def open(self) -> None:
        """Nothing was left unfinished."""

    async def check(self) -> None:
        self._check_alive()

    wait_back = forever

    def refusal(self, _: object) -> None:
        return None

    def warnings(self, _: object) -> tuple[str, ...]:
        return ()

    def fixed_port(self, service: Service, _: object) -> int | None:
        return 9000 if service.name == FIXED else None

    def inherited(self, _: object) -> dict[str, str]:
        return {}

    async def prepare(self, target: Target, wanted: Sequence[WantedNetwork]) -> None:
        if not self.holds_names:
            return
        self._promises.seen.append(f"draws {target}: {sorted(each.key for each in wanted)}")
        is_new = {each.key for each in wanted} - self._machine.networks.get(target, {}).keys()
        failure = CompartmentError("no subnet is left") if is_new else None
        await self._pass("networks", lambda: self._draw(target, wanted), failure)

    def _draw(self, target: Target, wanted: Sequence[WantedNetwork]) -> None:
        self._promises.keeping(lambda: self._machine.draw(target, wanted))

    async def clear(self, target: Target, *, with_volumes: bool) -> None:
        self._check_alive()
        self._machine.networks.pop(target, None)

    def holders(self, target: Target, service_name: str) -> tuple[Holder, ...]:
        drawn = self._machine.networks.get(target, {})
        return tuple(
            Holder("10.0.0.2", f"/{target}/{key}/{service_name}", key)
            for key, names in sorted(drawn.items())
            if service_name in names
        )

    async def check_claims(self, *_: object) -> None:
        pass

    async def take(self, root: Path, service: Service, *_: object, use_cache: bool) -> Source:
        """The content of a service is in one file."""
        content = (root / service.path / "content").read_text()
        artifact_id = f"art_{service.name}_{content}"
        return Source(artifact_id, use_cache and artifact_id in self._machine.artifacts)

    async def discard(self, _: Source) -> None:
        """No copy was made."""

    async def build(self, source: Source, _: object, say: Callable[[str], None]) -> None:
        if not source.is_built:
            await self._pass("build", failure=CompartmentError("the build failed"))
        self._machine.artifacts.add(source.artifact_id)
        say("built")

    def has_artifact(self, artifact_id: str) -> bool:
        return artifact_id in self._machine.artifacts

    async def start(self, spec: InstanceSpec) -> Instance:
        assert self.has_artifact(spec.artifact_id), f"{spec.artifact_id} is gone"
        failure = CompartmentError("it cannot be started")
        self._promises.starts(spec)
        try:
            self._machine.check_beside(spec)
            await self._pass(f"start of {spec.name}", lambda: self._launch(spec), failure)
        except CompartmentError:
            self._machine.lost.add(spec.name)
            raise
        await self._pass(f"{spec.name} is there")
        return self._machine.instances[spec.name]

    def _launch(self, spec: InstanceSpec) -> None:
        self._promises.keeping(lambda: self._machine.launch(spec))

    async def adopt(self, name: str) -> Instance | None:
        self._check_alive()
        return self._machine.instances.get(name)

    async def exit_of(self, name: str) -> Exit | None:
        found = self._machine.instances.get(name)
        return found.exit if found else None

    async def stop(self, name: str, *, grace_s: float) -> None:
        self._check_alive()
        assert grace_s
        if name in self._machine.instances:
            await self._pass(f"stop of {name}", lambda: self._machine.remove(name))

    async def instances(self) -> list[str]:
        self._check_alive()
        return list(self._machine.instances)

    async def usage(self, _: Sequence[str]) -> dict[str, Usage]:
        return {}

    async def prune(self, keep: set[str]) -> None:
        self._check_alive()
        self._machine.artifacts &= keep

    # -- the gateway ---------------------------------------------------------

    async def start_gateway(self, table: Table, *_: object) -> None:
        await self._pass("gateway", lambda: self._serve(table))

    async def apply(self, table: Table) -> float:
        refusal = GatewayUnavailable("the gateway refused the update")
        await self._pass("apply", lambda: self._serve(table), refusal)
        await self._pass("acknowledge")
        return 0.001

    def _serve(self, table: Table) -> None:
        self._machine.served = table
        self._promises.serves(table)

    async def remove_drained(self, _: object) -> None:
        self._check_alive()

    async def in_flight(self, upstream: str) -> InFlight:
        await self._pass(f"drain of {upstream}", failure=GatewayUnavailable("no reply"))
        return InFlight(0, 0)

    async def traffic(self) -> None:
        """Says nothing: nobody asks for metrics here."""

    async def cut(self, _: str) -> int:
        self._check_alive()
        return 0


def gateway_of(link: Link) -> SimpleNamespace:
    """The gateway alone: it has a `start` of its own."""
    return SimpleNamespace(
        start=link.start_gateway,
        apply=link.apply,
        remove_drained=link.remove_drained,
        in_flight=link.in_flight,
        traffic=link.traffic,
        lag_s=0.0,
        cut=link.cut,
        ports=link.ports,
        envoy=link.envoy,
        findings=link.findings,
        listeners=SimpleNamespace(has_shut=SimpleNamespace(wait=forever)),
    )
