"""A plan as people read it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from core.cli.text import columns, plain

if TYPE_CHECKING:
    from collections.abc import Iterator

Json = dict[str, Any]

_SPOKEN = {"look": "to be looked at"}


def plan_lines(found: Json, *, colour: bool) -> list[str]:
    """What happens to each service, then why, then what is worth knowing before."""
    services: list[Json] = found["services"]
    deployed = [each for each in services if each["action"] != "leave"]
    return [
        f"plan for {found['project']}/{found['environment']},"
        f" engine {found['engine']}: {plain(found['engineBecause'])}",
        *columns([_HEADER, *(_row(each) for each in services)], colour=colour),
        *(plain(line) for each in services for line in role_lines(each)),
        *(line for each in services for line in _access(each)),
        *(line for each in deployed for line in _waits(each)),
        *(line for each in services for line in _variables(each)),
        *(line for each in services for line in _way_back(each)),
        *(f"warning: {line}" for each in services for line in _warnings(each)),
        *(f"warning: {plain(text)}" for text in found["warnings"]),
    ]


_HEADER = ("SERVICE", "KIND", "ACTION", "BUILD", "ZERO DOWNTIME", "BECAUSE")


def _row(service: Json) -> tuple[str, ...]:
    is_left = service["action"] == "leave"
    build = "reuse" if service["action"] == "deploy" else "-"
    zero = "yes" if service["zeroDowntime"] else "no"
    return (
        service["serviceName"],
        service["kind"],
        "leave alone" if is_left else service["action"],
        "build" if service["build"] else build,
        "-" if is_left else f"{zero}: {plain(service['zeroDowntimeReason'])}",
        plain(service["because"]),
    )


def role_lines(service: Json) -> Iterator[str]:
    """What was decided about a service of a Compose file."""
    if "kindReason" not in service:
        return
    name = service["serviceName"]
    yield f"{name} is of kind {service['kind']}: {service['kindReason']}"
    if service["kind"] != "job":
        yield f"{name} has the strategy {service['strategy']}: {service['strategyReason']}"
    for each in service["ports"]:
        if each["because"] in service["kindReason"]:
            continue
        spoken = _SPOKEN.get(each["protocol"], each["protocol"])
        yield f"{name} listens on {each['port']} ({spoken}): {each['because']}"
    for each in service["published"]:
        outside = each["port"] or "any free port"
        host = f"{each['host']}:" if each["host"] else ""
        yield f"{name} is published: {host}{outside} leads to {each['target']}/{each['protocol']}"


def _access(service: Json) -> Iterator[str]:
    if service["accessMode"] == "authenticated":
        yield f"{service['serviceName']} needs a login (accessMode authenticated)"


def _waits(service: Json) -> Iterator[str]:
    for wait in service["waitsFor"]:
        waited_for = f"{wait['serviceName']} to be {wait['condition']}"
        yield f"{service['serviceName']} waits for {waited_for}"


def _variables(service: Json) -> Iterator[str]:
    """Of several reasons `because` tells the first; what a deploy brings into force is told all."""
    changed = service["variablesChanged"]
    if changed and not service["because"].startswith("variables changed"):
        yield f"{service['serviceName']}: variables changed: {', '.join(changed)}"


def _way_back(service: Json) -> Iterator[str]:
    told = service["autoRollback"]
    if told:
        is_told = f"is rolled back by itself {told['words']}"
        if not told["isWatched"]:
            is_told = f"is not rolled back by itself: {told['because']}"
        yield f"{service['serviceName']} {is_told}"


def _warnings(service: Json) -> Iterator[str]:
    for text in service["warnings"]:
        yield f"{service['serviceName']}: {plain(text)}"
