"""What the parts of a project say of each other: whether it is there, and no circle."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from core.config.document import nearest, quote

if TYPE_CHECKING:
    from collections.abc import Iterator

    from core.config.compose.keys.places import Places
    from core.config.document import KeyPath
    from core.model import Problem

_NAMESPACES = ("network_mode", "ipc", "pid", "uts")
_BY_NAME = "service:"


def reference_problems(model: dict[str, Any], places: Places) -> Iterator[Problem]:
    """Whatever refers to something that is not there."""
    for name, service in model["services"].items():
        for section, key, path in _references(name, service):
            if key not in model[section]:
                yield places.problem(path, *_missing(section, key, model))


def _missing(section: str, key: str, model: dict[str, Any]) -> tuple[str, str]:
    near = nearest(key, model[section])
    hint = f"did you mean {quote(near)}?" if near else f'add it below "{section}:"'
    return f"the {section.removesuffix('s')} {quote(key)} is not defined", hint


def _references(name: str, service: dict[str, Any]) -> Iterator[tuple[str, str, KeyPath]]:
    """Sections, keys that have to be in them, and where they are named."""
    base: KeyPath = ("services", name)
    for section, section_key in (("networks", "networks"), ("services", "depends_on")):
        for key in service.get(section_key) or ():
            yield section, key, (*base, section_key, key)
    for index, mount in enumerate(service.get("volumes") or ()):
        if mount.get("type") == "volume" and mount.get("source"):
            yield "volumes", mount["source"], (*base, "volumes", index)
    for section in ("secrets", "configs"):
        for index, each in enumerate(service.get(section) or ()):
            yield section, each["source"], (*base, section, index)
    yield from _of_build(service.get("build") or {}, (*base, "build"))
    for key, path in _implied(name, service):
        yield "services", key, path


def _of_build(build: dict[str, Any], base: KeyPath) -> Iterator[tuple[str, str, KeyPath]]:
    for index, each in enumerate(build.get("secrets") or ()):
        yield "secrets", each["source"], (*base, "secrets", index)
    for key, source in (build.get("additional_contexts") or {}).items():
        if source and source.startswith(_BY_NAME):
            path = (*base, "additional_contexts", key)
            yield "services", source.removeprefix(_BY_NAME), path


def _implied(name: str, service: dict[str, Any]) -> Iterator[tuple[str, KeyPath]]:
    """Services that are needed without a `depends_on`."""
    base = ("services", name)
    for index, link in enumerate(service.get("links") or ()):
        yield link.partition(":")[0], (*base, "links", index)
    for key in _NAMESPACES:
        if str(service.get(key, "")).startswith(_BY_NAME):
            yield service[key].removeprefix(_BY_NAME), (*base, key)
    for index, each in enumerate(service.get("volumes_from") or ()):
        yield each.partition(":")[0], (*base, "volumes_from", index)


def imply_dependencies(model: dict[str, Any]) -> None:
    """Writes out the dependencies that links, namespaces and `volumes_from` are.

    One that `depends_on` names stays as it is said there; one that is not there is left to be told.
    """
    for name, service in model["services"].items():
        needed = service.get("depends_on") or {}
        kept = {
            key: said
            for key, said in needed.items()
            if key in model["services"] or said.get("required", True)
        }
        for key, path in _implied(name, service):
            if key in model["services"]:
                restarts = {"restart": True} if path[2] != "volumes_from" else {}
                said = {"condition": "service_started", "required": True, **restarts}
                kept.setdefault(key, said)
        if kept:
            service["depends_on"] = kept
        else:
            service.pop("depends_on", None)


def circles(model: dict[str, Any], places: Places) -> Iterator[Problem]:
    """Services that wait for each other, each circle once."""
    services = model["services"]
    done: set[str] = set()
    for start in services:
        trail: list[str] = []
        stack = [iter((start,))]
        while stack:
            following = next(stack[-1], None)
            if following is None:
                stack.pop()
                if trail:
                    done.add(trail.pop())
            elif following in trail:
                circle = [*trail[trail.index(following) :], following]
                message = f"services wait for each other: {' -> '.join(circle)}"
                path = ("services", circle[-2], "depends_on", following)
                yield places.problem(path, message, "remove one of these dependencies")
            elif following not in done and following in services:
                trail.append(following)
                stack.append(iter(services[following].get("depends_on") or ()))
