"""What the parts of `compartment.yml` demand of each other.

The rules read the plain data, so that they speak even where the shape of something else is wrong:
all problems of a file are reported together.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from core.config import kind_rules, wait_rules
from core.config.document import mapping, quote
from core.config.patterns import RESERVED_VARIABLES
from core.model import ServiceKind

if TYPE_CHECKING:
    from collections.abc import Iterator

    from core.config.document import Document, KeyPath
    from core.model import Problem

RESERVED_NAME = "create"


def broken_rules(document: Document) -> Iterator[Problem]:
    """Yield what is wrong with a descriptor beyond the shape of its parts."""
    if mapping(document.data).get("name") == RESERVED_NAME:
        yield document.problem(("name",), f"{quote(RESERVED_NAME)} is a reserved project name")
    services = _services(document)
    for name, service in services.items():
        path: KeyPath = ("services", name)
        yield from _access(document, path, service, _kind(service))
        yield from _build(document, path, mapping(service.get("build")))
        yield from _run(document, path, service)
        yield from kind_rules.broken_rules(document, path, service, _kind(service))
    yield from wait_rules.broken_rules(document, services, service_kinds(document) or {})


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


def _services(document: Document) -> dict[str, dict[str, Any]]:
    services = mapping(mapping(document.data).get("services"))
    return {name: mapping(service) for name, service in services.items()}


def _kind(service: dict[str, Any]) -> ServiceKind | None:
    try:
        return ServiceKind(service.get("kind", ServiceKind.WEB))
    except ValueError:
        return None


def _access(
    document: Document, path: KeyPath, service: dict[str, Any], kind: ServiceKind | None
) -> Iterator[Problem]:
    """Only of what is reached through the gateway a login can be asked for."""
    if service.get("accessMode") == "authenticated" and kind is not None and not kind.is_routable:
        yield document.problem(
            (*path, "accessMode"),
            f"accessMode authenticated cannot be used with kind {kind}: nobody reaches it anyway",
            hint="remove it",
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
