"""The ports of this machine that Compose services publish: given once, and never to two."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from core.errors import Conflict
from core.gateway.doors import check_can_open
from core.model import Status
from core.ports import can_bind, free_port
from core.promotion.doors import EVERYWHERE, host_of

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence

    from core.container import Published
    from core.model import Service
    from core.promotion.ledger import Ledger
    from core.records import Deployment, Target


@dataclass(frozen=True, slots=True)
class OwnPorts:
    """Where the gateway listens for all projects."""

    movable: frozenset[int]
    """Those that it leaves for a service that publishes them."""
    fixed: Mapping[int, str]
    """Those that somebody relies on, with the flag that chooses another one."""


_OTHER_PORT = (
    'give this one another port, such as with an override file: ports: !override ["8090:80"]'
)


class Publishing:
    """What the services of one environment publish, beside all that is published already.

    `own` is where the gateway listens anyway, unless it may go elsewhere.
    """

    def __init__(self, ledger: Ledger, target: Target, own: OwnPorts) -> None:
        self._ledger = ledger
        self._target = target
        self._own = own

    def given(self, services: Sequence[Service]) -> list[Service]:
        """The services with a port wherever their files leave the choice; what one has it keeps.

        Raises:
            CompartmentError: no port is free.
        """
        taken = {each.port for each in _published(services) if each.port and not _is_open(each)}
        return [self._given(each, taken) for each in services]

    def _given(self, service: Service, taken: set[int]) -> Service:
        """One of them; what it gets is added to `taken`."""
        container = service.container
        if container is None or not any(_is_open(each) for each in container.published):
            return service
        kept = self._published_by(service.name)
        published: list[Published] = []
        for each in container.published:
            if not _is_open(each):
                published.append(each)
                continue
            before = next((had for had in kept if _is_choice_of(each, had, taken)), None)
            port = before.port if before and before.port else self._choice(each, taken)
            taken.add(port)
            published.append(replace(each, port=port, last=None))
        return replace(service, container=replace(container, published=tuple(published)))

    def kept(self, service: Service) -> Service:
        """The service of another environment with the ports that it has in this one already.

        Where it listens on another one by now, the port of this machine leads there.
        """
        active = self._ledger.active(self._target).get(service.name)
        if service.container is None or active is None or active.service.container is None:
            return service
        container, had = service.container, active.service.container.published
        known = {each.number for each in container.ports}
        known |= {each.target for each in container.published}
        gone = [each for each in had if each.target not in known]
        there = {each.target for each in had}
        new = [each.target for each in container.published if each.target not in there]
        leads = dict(zip(gone, new, strict=False))
        published = tuple(replace(each, target=leads.get(each, each.target)) for each in had)
        return replace(service, container=replace(container, published=published))

    def _choice(self, wanted: Published, given: set[int]) -> int:
        taken = given | {each.port for _, each in self._elsewhere() if each.port}
        if wanted.port is None:
            return free_port(taken)
        for port in range(wanted.port, (wanted.last or wanted.port) + 1):
            if port not in taken and can_bind(port, again=True):
                return port
        raise Conflict(f"no port from {wanted.port} to {wanted.last} is free", code="port_conflict")

    def _published_by(self, name: str) -> tuple[Published, ...]:
        """What a service has, or has once the runs ahead are through."""
        for deployment in reversed(self._ledger.deployments.values()):
            is_its = (deployment.target, deployment.service.name) == (self._target, name)
            if is_its and not deployment.status.is_final and deployment.service.container:
                return deployment.service.container.published
        active = self._ledger.active(self._target).get(name)
        container = active.service.container if active else None
        return container.published if container else ()

    def _elsewhere(self) -> Iterator[tuple[Deployment, Published]]:
        """What other environments and services have published, or are about to."""
        of_runs = {id_ for run in self._ledger.runs.values() for id_ in run.deployment_ids}
        for deployment in self._ledger.deployments.values():
            # Of a rollback that has not begun it is still what it was.
            is_coming = deployment.id in of_runs and deployment.status is not Status.FAILED
            if deployment.is_active or is_coming or not deployment.status.is_final:
                for each in _published([deployment.service]):
                    yield deployment, each

    def check(self, services: Collection[Service]) -> None:
        """Refuses ports that these services cannot get.

        Raises:
            Conflict: who has it, and what to do.
        """
        replaced = {each.name for each in services}
        for service in services:
            for each in _published([service]):
                if each.port is not None and not each.is_udp:
                    self._check_one(service, each, replaced)
                    if not self._is_ours(each):
                        self._check_free(each.port, host_of(each))

    def _is_ours(self, wanted: Published) -> bool:
        """Whether the gateway listens there for this environment, maybe at another address."""
        return any(
            deployment.is_active and deployment.target == self._target and _collide(each, wanted)
            for deployment, each in self._elsewhere()
        )

    def _check_one(self, service: Service, wanted: Published, replaced: set[str]) -> None:
        for deployment, each in self._elsewhere():
            # What is replaced together with it gives its ports up; a file was checked by itself.
            is_beside = deployment.target == self._target and deployment.service.name in replaced
            if not is_beside and _collide(each, wanted):
                other = deployment.service.name
                hint = _OTHER_PORT
                if deployment.target == self._target:
                    down = f"compartment down --service {other}"
                    hint = f"deploy {other}, too, or take it down: {down}"
                raise Conflict(
                    f"{service.name} publishes port {wanted.port}, which"
                    f" {other} of {deployment.target} has",
                    hint=hint,
                    code="port_conflict",
                )

    def _check_free(self, port: int, host: str) -> None:
        if port in self._own.movable:
            return
        if port in self._own.fixed:
            which = self._own.fixed[port]
            raise Conflict(
                f"port {port} is the gateway's own",
                hint=f"give that another one: compartment agent stop;"
                f" compartment agent start {which} 0",
                code="port_conflict",
            )
        check_can_open(host, port)


def _is_open(wanted: Published) -> bool:
    return wanted.port is None or wanted.last is not None


def _published(services: Iterable[Service]) -> Iterator[Published]:
    for service in services:
        yield from service.container.published if service.container else ()


def _is_choice_of(wanted: Published, had: Published, taken: set[int]) -> bool:
    """Whether a port that was given is one that would be given again."""
    same = (wanted.target, wanted.host, wanted.is_udp) == (had.target, had.host, had.is_udp)
    if not same or had.port is None or had.port in taken:
        return False
    return wanted.port is None or wanted.port <= had.port <= (wanted.last or wanted.port)


def _collide(one: Published, other: Published) -> bool:
    hosts = (host_of(one), host_of(other))
    return one.port == other.port and (hosts[0] == hosts[1] or EVERYWHERE in hosts)
