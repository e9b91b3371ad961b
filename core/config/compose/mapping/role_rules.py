"""What cannot be: roles that a person asked for, and what else the file says of a service."""

from __future__ import annotations

from typing import TYPE_CHECKING

from core.config.compose.mapping.extension import EXTENSION
from core.config.compose.mapping.relations import replicas_of
from core.config.compose.mapping.roles import kind_of, why_never_two
from core.container import Protocol
from core.model import ServiceKind, Strategy

if TYPE_CHECKING:
    from collections.abc import Iterator

    from core.config.compose.mapping.given import Given
    from core.config.compose.mapping.roles import Seen
    from core.config.document import KeyPath
    from core.model import Problem


def role_problems(given: Given, seen: Seen) -> Iterator[Problem]:
    """Yield what is wrong with the role of a service."""
    path: KeyPath = ("services", seen.name)
    yield from _kind(given, seen, (*path, EXTENSION, "kind"))
    yield from _of_jobs(given, seen, (*path, EXTENSION))
    yield from _strategy(given, seen, (*path, EXTENSION, "strategy"))
    yield from _error_rate(given, seen, (*path, EXTENSION, "autoRollback", "errorRate"))
    reason = why_never_two(seen)
    count = replicas_of(seen.service)
    if reason and count > 1:
        yield given.problem(path, f"{count} replicas cannot run side by side: {reason}", "use one")


def _kind(given: Given, seen: Seen, path: KeyPath) -> Iterator[Problem]:
    kind = seen.extension.kind
    spoken = {port.protocol for port in seen.ports}
    if kind in (ServiceKind.WEB, ServiceKind.API) and Protocol.HTTP not in spoken:
        message = f"kind {kind} needs a port that speaks HTTP"
        yield given.problem(path, message, f"name it: {EXTENSION}: {{kind: {kind}, port: 3000}}")
    if kind is ServiceKind.TCP and not spoken:
        message = "kind tcp needs a port"
        yield given.problem(path, message, f"name it: {EXTENSION}: {{kind: tcp, port: 5432}}")
    if kind in (ServiceKind.WORKER, ServiceKind.JOB) and seen.published:
        port = seen.published[0].target
        message = f"kind {kind} takes no connections, but its port {port} is published"
        yield given.problem(path, message, "remove one of them")
    waiting = seen.relations.completed_for.get(seen.name)
    if waiting and kind not in (None, ServiceKind.JOB):
        message = f"kind {kind} never ends, but {waiting[0]} waits for its end"
        yield given.problem(path, message, "use kind job, or service_started")


def _of_jobs(given: Given, seen: Seen, path: KeyPath) -> Iterator[Problem]:
    said = seen.service.get(EXTENSION) or {}
    for key in ("readiness", "strategy", "drain", "port", "protocol", "autoRollback"):
        if seen.name in seen.relations.jobs and key in said:
            message = f'"{key}" cannot be used with a job, which runs and ends'
            yield given.problem((*path, key), message, "remove it")


def _error_rate(given: Given, seen: Seen, path: KeyPath) -> Iterator[Problem]:
    asked = seen.extension.auto_rollback
    kind, because = kind_of(seen)
    # Of a port that is looked at nobody knows yet what it speaks.
    if asked and asked.error_rate is not None and kind is ServiceKind.WORKER:
        message = f"errorRate needs a service that answers HTTP requests, not a {kind}: {because}"
        yield given.problem(path, message, "remove it, or name its port with protocol: http")


def _strategy(given: Given, seen: Seen, path: KeyPath) -> Iterator[Problem]:
    strategy = seen.extension.strategy
    if strategy is Strategy.OVERLAP and (reason := why_never_two(seen)):
        yield given.problem(path, f"strategy overlap cannot be: {reason}", "use stop-first")
    if strategy is Strategy.SINGLETON and (count := replicas_of(seen.service)) > 1:
        message = f"strategy singleton is one container, not {count}"
        yield given.problem(path, message, "use stop-first, or one replica")
