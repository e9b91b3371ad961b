"""What the kind of a service demands of its keys, and keys of one another."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from core.config.document import mapping, quote
from core.model import ReadinessType, ServiceKind, Strategy

if TYPE_CHECKING:
    from collections.abc import Iterator

    from core.config.document import Document, KeyPath
    from core.model import Problem

_OF_LONG_RUNNING = ("readiness", "replicas", "strategy", "port", "drain", "autoRollback")
_OF_EXECUTIONS = ("timeLimitMs",)


def broken_rules(
    document: Document, path: KeyPath, service: dict[str, Any], kind: ServiceKind | None
) -> Iterator[Problem]:
    """Yield what is wrong with one service; its kind is None where that is wrong itself."""
    if kind is not None:
        yield from _foreign_keys(document, path, service, kind)
        yield from _schedule(document, path, service, kind)
        yield from _auto_rollback(document, path, mapping(service.get("autoRollback")), kind)
    yield from _readiness(document, path, mapping(service.get("readiness")))
    yield from _singleton(document, path, service)


def _foreign_keys(
    document: Document, path: KeyPath, service: dict[str, Any], kind: ServiceKind
) -> Iterator[Problem]:
    foreign = _OF_EXECUTIONS if kind.is_long_running else _OF_LONG_RUNNING
    found: list[KeyPath] = [(key,) for key in foreign if key in service]
    if not kind.is_long_running and "restart" in mapping(service.get("run")):
        found.append(("run", "restart"))
    hint = "only a job and a cron run and end" if kind.is_long_running else "it runs and ends"
    for key in found:
        message = f"{quote(str(key[-1]))} cannot be used with kind {kind}"
        yield document.problem((*path, *key), message, hint=f"{hint}: remove the key", at_key=True)


def _schedule(
    document: Document, path: KeyPath, service: dict[str, Any], kind: ServiceKind
) -> Iterator[Problem]:
    if "schedule" in service and kind is not ServiceKind.CRON:
        yield document.problem(
            (*path, "schedule"),
            '"schedule" needs kind cron',
            hint="set kind: cron, or remove it",
            at_key=True,
        )
    if "schedule" not in service and kind is ServiceKind.CRON:
        yield document.problem(
            (*path, "kind"),
            "kind cron needs a schedule",
            hint='such as schedule: "0 3 * * *", at 03:00 every day',
        )


def _auto_rollback(
    document: Document, path: KeyPath, block: dict[str, Any], kind: ServiceKind
) -> Iterator[Problem]:
    if "errorRate" in block and kind is ServiceKind.WORKER:
        yield document.problem(
            (*path, "autoRollback", "errorRate"),
            f'"errorRate" cannot be used with kind {kind}',
            hint="only web and api answer requests: remove it",
            at_key=True,
        )


def _readiness(document: Document, path: KeyPath, readiness: dict[str, Any]) -> Iterator[Problem]:
    kind = readiness.get("type")
    if kind not in tuple(ReadinessType):
        return
    for key, owner in (("path", ReadinessType.HTTP), ("command", ReadinessType.COMMAND)):
        if key in readiness and kind != owner:
            yield document.problem(
                (*path, "readiness", key),
                f"{quote(key)} cannot be used with type {kind}",
                hint=f"use type {owner}, or remove it",
                at_key=True,
            )
    if kind == ReadinessType.COMMAND and "command" not in readiness:
        yield document.problem(
            (*path, "readiness", "type"),
            "type command needs a command",
            hint="such as command: pg_isready",
        )


def _singleton(document: Document, path: KeyPath, service: dict[str, Any]) -> Iterator[Problem]:
    replicas = service.get("replicas")
    if service.get("strategy") == Strategy.SINGLETON and isinstance(replicas, int) and replicas > 1:
        yield document.problem(
            (*path, "replicas"),
            f"strategy singleton is one instance, not {replicas}",
            hint="use strategy stop-first, or remove replicas",
        )
