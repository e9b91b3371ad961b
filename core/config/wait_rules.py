"""What `dependsOn` may wait for: another service, in a condition that it can come to."""

from __future__ import annotations

from graphlib import CycleError, TopologicalSorter
from typing import TYPE_CHECKING, Any, NamedTuple

from core.config.document import did_you_mean, quote
from core.model import Condition, ServiceKind

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from core.config.document import Document, KeyPath
    from core.model import Problem

    Services = Mapping[str, dict[str, Any]]
    Kinds = Mapping[str, ServiceKind | None]


class _Wait(NamedTuple):
    """One entry of a `dependsOn`; the condition is None in the list form, or where it is wrong."""

    service: str
    name: str
    condition: Condition | None
    path: KeyPath


def broken_rules(document: Document, services: Services, kinds: Kinds) -> Iterator[Problem]:
    """Yield what is wrong with the waits of all services; shapes are checked elsewhere."""
    graph: dict[str, list[str]] = {}
    for service, described in services.items():
        waits = list(_waits(service, described.get("dependsOn")))
        yield from _shapes(document, service, described.get("dependsOn"))
        for wait in waits:
            yield from _wait(document, wait, services, kinds)
        graph[service] = [wait.name for wait in waits if wait.name != service]
    yield from _cycle(document, graph)


def _waits(service: str, given: Any) -> Iterator[_Wait]:
    path: KeyPath = ("services", service, "dependsOn")
    if isinstance(given, list):
        for index, name in enumerate(given):
            if isinstance(name, str):
                yield _Wait(service, name, None, (*path, index))
    if isinstance(given, dict):
        for name, word in given.items():
            condition = Condition(word) if word in tuple(Condition) else None
            yield _Wait(service, name, condition, (*path, name))


def _shapes(document: Document, service: str, given: Any) -> Iterator[Problem]:
    """What the model, which sees both forms as one, cannot point at."""
    path: KeyPath = ("services", service, "dependsOn")
    if isinstance(given, list):
        for index, name in enumerate(given):
            if not isinstance(name, str):
                message = f'"dependsOn[{index}]" must be the name of a service'
                yield document.problem((*path, index), message)
            elif name in given[:index]:
                message = f"{quote(name)} is waited for already"
                yield document.problem((*path, index), message, hint="remove one of them")
    if isinstance(given, dict):
        for name, condition in given.items():
            if condition is None:
                hint = f"use one of {', '.join(Condition)}"
                message = f"the condition of {quote(name)} is empty"
                yield document.problem((*path, name), message, hint=hint)


def _wait(document: Document, wait: _Wait, services: Services, kinds: Kinds) -> Iterator[Problem]:
    if wait.name == wait.service:
        message = f"{quote(wait.name)} cannot wait for itself"
        yield document.problem(wait.path, message, hint="remove it", at_key=True)
    elif wait.name not in services:
        hint = did_you_mean(wait.name, services.keys() - {wait.service})
        message = f"there is no service {quote(wait.name)}"
        yield document.problem(wait.path, message, hint=hint, at_key=True)
    else:
        broken = _unsatisfiable(wait, services[wait.name], kinds.get(wait.name))
        if broken:
            message, hint = broken
            yield document.problem(wait.path, message, hint=hint)


def _unsatisfiable(
    wait: _Wait, waited_for: dict[str, Any], kind: ServiceKind | None
) -> tuple[str, str] | None:
    """Return why what is waited for never comes, and what to do; None if it does, or may."""
    name = quote(wait.name)
    if kind is None:
        return None
    if kind is ServiceKind.CRON:
        return f"{name} is a cron, which runs by its schedule: nothing can wait for it", "remove it"
    if wait.condition is Condition.COMPLETED and kind is not ServiceKind.JOB:
        message = f"{name} is of kind {kind}, which never completes"
        return message, "use healthy or started, or make it a job"
    if wait.condition is Condition.HEALTHY and kind is ServiceKind.JOB:
        return f"{name} is a job, which is never healthy", "use completed or started"
    if wait.condition is Condition.HEALTHY and kind.is_routable and "readiness" not in waited_for:
        message = f"{name} has no readiness block: nobody would know when it is healthy"
        return message, "give it one, or use started"
    return None


def _cycle(document: Document, graph: dict[str, list[str]]) -> Iterator[Problem]:
    try:
        TopologicalSorter(graph).prepare()
    except CycleError as error:
        # The sorter lists each service before the one that depends on it.
        cycle: list[str] = error.args[1][::-1]
        yield document.problem(
            ("services", cycle[0], "dependsOn"),
            f"services wait for each other: {' > '.join(cycle)}",
            at_key=True,
        )
