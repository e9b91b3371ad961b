"""What the parts of `compartment.yml` demand of each other, and what cannot be deployed yet.

The rules read the plain data, so that they speak even where the shape of something else is wrong:
all problems of a file are reported together.
"""

from __future__ import annotations

from graphlib import CycleError, TopologicalSorter
from typing import TYPE_CHECKING, Any

from core.config.document import did_you_mean, quote
from core.model import ServiceKind

if TYPE_CHECKING:
    from collections.abc import Iterator, Set

    from core.config.document import Document, KeyPath
    from core.model import Problem

RESERVED_NAME = "create"
RESERVED_VARIABLES = "COMPARTMENT_"

_NOT_BUILT_KINDS = (ServiceKind.JOB, ServiceKind.CRON)
_NOT_BUILT_KEYS = ("dependsOn", "schedule")


def broken_rules(document: Document) -> Iterator[Problem]:
    """Yield what is wrong with a descriptor beyond the shape of its parts."""
    if mapping(document.data).get("name") == RESERVED_NAME:
        yield document.problem(("name",), f"{quote(RESERVED_NAME)} is a reserved project name")
    services = _services(document)
    for name, service in services.items():
        path: KeyPath = ("services", name)
        yield from _access(document, path, service)
        yield from _build(document, path, mapping(service.get("build")))
        yield from _run(document, path, service)
        yield from _schedule(document, path, service)
        yield from _unknown_dependencies(document, path, service, services.keys())
    yield from _dependency_cycle(document, services)


def not_built(document: Document) -> Iterator[Problem]:
    """Yield what is valid in a descriptor but cannot be deployed yet."""
    for name, service in _services(document).items():
        path: KeyPath = ("services", name)
        kind = service.get("kind")
        if kind in _NOT_BUILT_KINDS:
            yield document.problem((*path, "kind"), f"kind {kind} is not supported yet")
        for key in _NOT_BUILT_KEYS:
            if service.get(key):
                message = f"{quote(key)} is not supported yet"
                yield document.problem((*path, key), message, at_key=True)


def service_kinds(document: Document) -> dict[str, ServiceKind | None] | None:
    """Return the kind of each service, None where it is wrong; None without any services."""
    if not isinstance(mapping(document.data).get("services"), dict):
        return None
    return {name: _kind(service) for name, service in _services(document).items()}


def service_paths(document: Document) -> Iterator[tuple[KeyPath, str]]:
    """Yield the path of each service that has one, after where it stands in the file."""
    services = mapping(mapping(document.data).get("services"))
    for name, service in services.items():
        path = service if isinstance(service, str) else mapping(service).get("path")
        if isinstance(path, str) and path:
            yield ("services", name, "path"), path


def mapping(value: Any) -> dict[str, Any]:
    """Return the value if it is a mapping, else an empty one: shapes are checked elsewhere."""
    return value if isinstance(value, dict) else {}


def _services(document: Document) -> dict[str, dict[str, Any]]:
    services = mapping(mapping(document.data).get("services"))
    return {name: mapping(service) for name, service in services.items()}


def _kind(service: dict[str, Any]) -> ServiceKind | None:
    try:
        return ServiceKind(service.get("kind", ServiceKind.WEB))
    except ValueError:
        return None


def _access(document: Document, path: KeyPath, service: dict[str, Any]) -> Iterator[Problem]:
    if service.get("accessMode") == "authenticated":
        yield document.problem(
            (*path, "accessMode"),
            "accessMode authenticated is not supported yet: nothing would ask for a login",
            hint="use public, or remove it",
        )


def _build(document: Document, path: KeyPath, build: dict[str, Any]) -> Iterator[Problem]:
    is_dockerfile = build.get("strategy") == "dockerfile"
    for key in ("command", "packages"):
        if is_dockerfile and key in build:
            message = f"{quote(key)} cannot be used with strategy dockerfile"
            yield document.problem(
                (*path, "build", key), message, hint="put it into the Dockerfile", at_key=True
            )
    packages = build.get("packages")
    if isinstance(packages, dict) and not any(packages.values()):
        yield document.problem(
            (*path, "build", "packages"),
            '"packages" names no package',
            hint='list some under "build" or "runtime", or remove it',
            at_key=True,
        )
    names = build.get("env")
    for index, name in enumerate(names if isinstance(names, list) else []):
        if isinstance(name, str) and name.startswith(RESERVED_VARIABLES):
            message = f"{quote(name)} is a reserved variable name"
            yield document.problem((*path, "build", "env", index), message)


def _run(document: Document, path: KeyPath, service: dict[str, Any]) -> Iterator[Problem]:
    run = service.get("run")
    if run == {}:
        yield document.problem(
            (*path, "run"), '"run" says nothing', hint="give it a command or restart", at_key=True
        )
    run = mapping(run)
    if "command" in run and mapping(service.get("build")).get("strategy") == "dockerfile":
        yield document.problem(
            (*path, "run", "command"),
            '"command" cannot be used with strategy dockerfile',
            hint="put it into the Dockerfile as CMD",
            at_key=True,
        )
    restart = mapping(run.get("restart"))
    if "maxRetries" in restart and restart.get("policy") in ("no", "unless-stopped"):
        yield document.problem(
            (*path, "run", "restart", "maxRetries"),
            f'"maxRetries" cannot be used with policy {restart["policy"]}',
            hint="use policy on-failure, or remove it",
            at_key=True,
        )


def _schedule(document: Document, path: KeyPath, service: dict[str, Any]) -> Iterator[Problem]:
    if "schedule" in service and _kind(service) not in (ServiceKind.CRON, None):
        yield document.problem(
            (*path, "schedule"),
            '"schedule" needs kind cron',
            hint="set kind: cron, or remove it",
            at_key=True,
        )


def _unknown_dependencies(
    document: Document, path: KeyPath, service: dict[str, Any], known: Set[str]
) -> Iterator[Problem]:
    names = service.get("dependsOn")
    for index, name in enumerate(names if isinstance(names, list) else []):
        if isinstance(name, str) and name not in known:
            yield document.problem(
                (*path, "dependsOn", index),
                f"there is no service {quote(name)}",
                hint=did_you_mean(name, known - {str(path[-1])}),
            )


def _dependency_cycle(document: Document, services: dict[str, dict[str, Any]]) -> Iterator[Problem]:
    graph = {name: _dependencies(service) for name, service in services.items()}
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


def _dependencies(service: dict[str, Any]) -> list[str]:
    names = service.get("dependsOn")
    return [n for n in names if isinstance(n, str)] if isinstance(names, list) else []
