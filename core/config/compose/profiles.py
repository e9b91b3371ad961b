"""Which services take part: those without a profile, and those one of whose profiles is on."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from core.config.compose.tree import child, entries, items
from core.config.document import quote

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from core.config.compose.report import Report
    from core.config.compose.tree import Node, Place

ALL = "*"
"""The profile that stands for all of them."""

_NAMESPACES = ("network_mode", "ipc", "pid", "uts", "cgroup")
"""Keys of a service that can be `service:NAME`."""


@dataclass(frozen=True, slots=True)
class _Need:
    """A service that another one cannot be without."""

    name: str
    place: Place
    is_required: bool = True


def with_profiles(
    project: Node, active: Iterable[str], named: Iterable[str], report: Report
) -> Node:
    """Return a project without the services that are off.

    That one that is on needs one that is off is a problem, unless it says `required: false`.

    Args:
        project: The merged model.
        active: The profiles that are on.
        named: Services named on the command line, whose profiles are on, too.
        report: Gets the problems.
    """
    services = child(project, "services")
    if services is None:
        return project
    on = set(active)
    for name in named:
        on |= _profiles(child(services, name))
    kept: dict[str, Node] = {}
    off: dict[str, Node] = {}
    for name, service in items(services):
        profiles = _profiles(service)
        is_on = not profiles or ALL in on or bool(profiles & on)
        (kept if is_on else off)[name] = service
    if not off:
        return project
    for name, service in kept.items():
        _check(name, service, off, report)
        kept[name] = _without(service, off)
    return replace(project, value={**project.value, "services": replace(services, value=kept)})


def _profiles(service: Node | None) -> set[str]:
    return {str(each.value) for each in entries(child(service, "profiles"))}


def _check(name: str, service: Node, off: dict[str, Node], report: Report) -> None:
    for need in _needs(service):
        if need.is_required and need.name in off:
            profiles = sorted(_profiles(off[need.name]))
            listed = " and ".join(map(quote, profiles))
            kind = "profile" if len(profiles) == 1 else "profiles"
            message = f"{quote(name)} needs {quote(need.name)}, which is off: its {kind} {listed}"
            hint = f"turn it on with --profile {profiles[0]}, or give both the same profiles"
            report.problem(need.place, message, hint, service=name)


def _needs(service: Node) -> Iterator[_Need]:
    for name, dependency in items(child(service, "depends_on")):
        required = child(dependency, "required")
        is_required = required is None or required.value is not False
        yield _Need(name, dependency.key_place or dependency.place, is_required)
    for key in ("links", "volumes_from"):
        for entry in entries(child(service, key)):
            yield _Need(str(entry.value).partition(":")[0], entry.place)
    for key in _NAMESPACES:
        mode = child(service, key)
        kind, _, name = str(mode.value).partition(":") if mode is not None else ("", "", "")
        if mode is not None and kind == "service":
            yield _Need(name, mode.place)


def _without(service: Node, off: dict[str, Node]) -> Node:
    """A service that does not name what is off any more, so that it is told once."""
    if not isinstance(service.value, dict):
        return service
    value = dict(service.value)
    depends_on = child(service, "depends_on")
    if depends_on is not None:
        left = {name: each for name, each in items(depends_on) if name not in off}
        value["depends_on"] = replace(depends_on, value=left)
    for key in ("links", "volumes_from"):
        listed = child(service, key)
        if listed is not None:
            left_entries = [
                entry for entry in entries(listed) if str(entry.value).partition(":")[0] not in off
            ]
            value[key] = replace(listed, value=left_entries)
    for key in _NAMESPACES:
        mode = child(service, key)
        if mode is not None and str(mode.value).removeprefix("service:") in off:
            del value[key]
    return replace(service, value=value)
