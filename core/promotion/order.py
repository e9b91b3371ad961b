"""In which order the services of a run start: what each of them waits for. Pure."""

from __future__ import annotations

from dataclasses import dataclass
from graphlib import CycleError, TopologicalSorter
from typing import TYPE_CHECKING

from core.errors import Conflict
from core.model import Condition, Dependency, ServiceKind

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Mapping

    from core.model import Service


@dataclass(frozen=True, slots=True)
class Order:
    """What the services of one run wait for, by name.

    A service that stops first starts last: only those that wait for one like it come after. So what
    it interrupts is interrupted for as short as can be, and not at all where another one fails.
    """

    inside: Mapping[str, tuple[Dependency, ...]]
    """What is to be so far in the same run."""
    outside: Mapping[str, tuple[Dependency, ...]]
    """What has to be live already, because the run leaves it alone."""
    before_last: tuple[str, ...]
    """The services that those which stop first wait for, besides what they depend on."""


def order_of(services: Iterable[Service], stopping: Collection[str]) -> Order:
    """The order of a run; `stopping` are those of its services that stop first.

    Raises:
        Conflict: they wait for each other, in a circle. Project files are checked for that; but a
            rollback puts services together that never were in one file.
    """
    known = {each.name: each for each in services}
    inside = {
        name: tuple(each for each in service.depends_on if each.service in known)
        for name, service in known.items()
    }
    outside = {
        name: tuple(each for each in service.depends_on if each.service not in known)
        for name, service in known.items()
    }
    sorter = TopologicalSorter({name: [w.service for w in waits] for name, waits in inside.items()})
    try:
        names = list(sorter.static_order())
    except CycleError as error:
        cycle = " > ".join(error.args[1][::-1])
        raise Conflict(
            f"services wait for each other: {cycle}",
            hint="take one of them alone, with --service NAME",
            code="dependency_cycle",
        ) from None
    late = set(stopping)
    for name in names:
        if any(each.service in late for each in inside[name]):
            late.add(name)
    return Order(inside, outside, tuple(name for name in names if name not in late))


def check_reachable(
    services: Iterable[Service], order: Order, deployed: Mapping[str, Service]
) -> None:
    """Refuses a wait that could never end; `deployed` is live, or on its way in a run ahead.

    Raises:
        Conflict: which one, and what to deploy with it.
    """
    known = {each.name: each for each in services}
    for name, waits in order.outside.items():
        for each in waits:
            if each.service not in deployed:
                raise Conflict(
                    f"{name} waits for {each.service}, which is not deployed",
                    hint=f"deploy them together: --service {each.service} --service {name}",
                    code="dependency_not_deployed",
                )
    for name, waits in (*order.inside.items(), *order.outside.items()):
        for each in waits:
            found = known.get(each.service) or deployed[each.service]
            refusal = _never(found, each.condition)
            if refusal:
                raise Conflict(
                    f"{name} waits for {each.service} to be {each.condition}: {refusal}",
                    hint=f"change dependsOn of {name}, or deploy both anew",
                    code="dependency_unsatisfiable",
                )


def _never(service: Service, condition: Condition) -> str | None:
    """Why a service never is so far, as it is now: it may have been another kind once."""
    if service.kind is ServiceKind.CRON:
        return "it is a cron, which runs later"
    if condition is Condition.COMPLETED and service.kind is not ServiceKind.JOB:
        return f"it is a {service.kind}, which does not end by itself"
    return None
