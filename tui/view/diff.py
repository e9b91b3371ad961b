"""What differs between two deployments, from what `inspect` says of them."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from textual.content import Content

from core.model import ServiceKind
from tui.view import contained

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

Json = dict[str, Any]

NOT_CONFIGURATION = frozenset({
    "container", "id", "deploymentRunId", "serviceName", "environmentName", "label",
    "status", "health", "promotionStage", "isActive", "failureMessage", "restarts",
    "createdAt", "completedAt", "startedAt", "stageSince", "uptimeSeconds",
    "healthReason", "watchedUntil", "returnedBecause", "autoRollback.words",
    "address", "routeUrl", "routeHost", "activations",
    "rollbackAvailable", "artifactState", "artifactId", "variableNames", "routes",
    "replicas.ready",
})  # fmt: skip
"""Ids, times, addresses and states, which always differ; artifact, variables, routes and what a
Compose file says are compared by themselves."""

_OF_COMPARTMENT_FILES = ("path", "build.", "run.command")
"""What only a `compartment.yml` has."""


@dataclass(frozen=True, slots=True)
class Change:
    """One thing that differs; `before` is None where it was added, `after` where it is gone."""

    name: str
    before: str | None
    after: str | None


@dataclass(frozen=True, slots=True)
class Difference:
    """What differs between two deployments, the older one first."""

    artifacts: tuple[str, str]
    """What was run, before and after."""
    configuration: tuple[Change, ...]
    routes: tuple[Change, ...]
    is_other_order: bool
    """Whether the same route rules stand in another order."""
    variables: tuple[Change, ...]
    """By name: values are never shown."""

    @property
    def is_same_artifact(self) -> bool:
        """Whether both run the same build of the same source."""
        return self.artifacts[0] == self.artifacts[1]

    @property
    def is_empty(self) -> bool:
        """Whether nothing differs that can be seen."""
        changes = (*self.configuration, *self.routes, *self.variables)
        return self.is_same_artifact and not changes and not self.is_other_order


def difference(before: Mapping[str, Any], after: Mapping[str, Any]) -> Difference:
    """Compares two deployments as `inspect` tells of them."""
    rules = [[rule_text(each) for each in side.get("routes") or ()] for side in (before, after)]
    names = [variable_names(side) for side in (before, after)]
    return Difference(
        artifacts=(str(before.get("artifactId", "")), str(after.get("artifactId", ""))),
        configuration=_of_values(settings(before), settings(after)),
        routes=_of_members(*rules),
        is_other_order=rules[0] != rules[1] and sorted(rules[0]) == sorted(rules[1]),
        variables=_of_members(*names),
    )


def settings(deployment: Mapping[str, Any]) -> dict[str, str]:
    """Its configuration, every setting by its whole name, as the project file spells it."""
    others = _others(ServiceKind(deployment["kind"]))
    container = deployment.get("container")
    if container is not None:
        others += _OF_COMPARTMENT_FILES
    found = {name: value for name, value in _flat(deployment) if not name.startswith(others)}
    return {**found, **contained.settings(container)} if container is not None else found


def variable_names(deployment: Mapping[str, Any]) -> list[str]:
    """The variables that are set for it, then those of its Compose file, by name."""
    container = deployment.get("container") or {}
    names = (*(deployment.get("variableNames") or ()), *container.get("environmentNames", ()))
    return list(dict.fromkeys(map(str, names)))


def _others(kind: ServiceKind) -> tuple[str, ...]:
    """How settings begin that only other kinds have."""
    if not kind.is_long_running:
        return ("run.restart.", "drain.", "replicas.", "strategy")
    return () if kind.is_routable else ("drain.streamsMs",)


def _flat(value: Any, name: str = "") -> Iterator[tuple[str, str]]:
    if name in NOT_CONFIGURATION:
        return
    if isinstance(value, dict):
        for key, inner in value.items():
            yield from _flat(inner, f"{name}.{_spelled(key)}" if name else _spelled(key))
    elif isinstance(value, (list, tuple)):
        if value:
            yield name, ", ".join(map(_text, value))
    elif value is not None:
        yield name, _text(value)


def _spelled(key: str) -> str:
    """`timeout_ms` as the files have it: `timeoutMs`."""
    return re.sub(r"_([a-z])", lambda found: found[1].upper(), key)


def _text(value: Any) -> str:
    return str(value).lower() if isinstance(value, bool) else str(value)


def rule_text(rule: Mapping[str, Any]) -> str:
    """A route rule in one line: `GET /api/* -> api  (stripPrefix /api)`."""
    methods = ",".join(rule.get("methods") or ()) or "any"
    transform = rule.get("transform")
    changed = f"  ({transform} {rule.get('value')})" if transform else ""
    return f"{methods} {rule.get('path')} -> {rule.get('to')}{changed}"


def _of_values(before: Mapping[str, str], after: Mapping[str, str]) -> tuple[Change, ...]:
    return tuple(
        Change(name, before.get(name), after.get(name))
        for name in sorted({*before, *after})
        if before.get(name) != after.get(name)
    )


def _of_members(before: Sequence[str], after: Sequence[str]) -> tuple[Change, ...]:
    gone = [Change(each, each, None) for each in before if each not in after]
    return (*gone, *(Change(each, None, each) for each in after if each not in before))


def lines(found: Difference) -> list[Content]:
    """The difference for people: `-` was, `+` is."""
    shown = [_heading("artifact"), *_artifact_lines(found)]
    shown += [_heading("configuration"), *_value_lines(found.configuration)]
    shown += [_heading("route rules"), *_member_lines(found.routes)]
    if found.is_other_order:
        shown.append(_plain("the same rules in another order"))
    elif not found.routes:
        shown.append(_plain("no change"))
    shown += [_heading("variables (by name; values are not compared)")]
    shown += _member_lines(found.variables) or [_plain("no change")]
    return shown


def _artifact_lines(found: Difference) -> list[Content]:
    if found.is_same_artifact:
        return [_plain("the same: neither the source nor its build differs")]
    before, after = found.artifacts
    return [_signed("-", before), _signed("+", after)]


def _heading(text: str) -> Content:
    return Content.styled(text, "bold")


def _plain(text: str) -> Content:
    return Content.styled(f"    {text}", "$foreground-muted")


def _value_lines(changes: Sequence[Change]) -> list[Content]:
    if not changes:
        return [_plain("no change")]
    return [
        _signed(sign, f"{change.name}: {value}")
        for change in changes
        for sign, value in (("-", change.before), ("+", change.after))
        if value is not None
    ]


def _member_lines(changes: Sequence[Change]) -> list[Content]:
    return [_signed("+" if change.before is None else "-", change.name) for change in changes]


def _signed(sign: str, text: str) -> Content:
    return Content.styled(f"  {sign} {text}", "bold" if sign == "+" else "$foreground-muted")
