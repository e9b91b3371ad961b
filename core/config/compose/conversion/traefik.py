"""Route rules out of the labels by which Traefik routes requests to services.

Of a reverse proxy with a configuration file of its own nothing is guessed.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

from core.config.patterns import REQUEST_PATH
from core.model import ServiceKind

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from core.config.compose.mapping.given import Given
    from core.model import Problem, Service

Json = dict[str, Any]

_ROUTER = re.compile(r"traefik\.http\.routers\.([^.]+)\.rule")
_MATCHER = re.compile(r"\s*([A-Za-z]+)\(\s*`([^`]*)`\s*\)\s*(?:&&|\|\||$)")


@dataclass(frozen=True, slots=True)
class Routed:
    """What Traefik does for a project."""

    front: str | None
    """The service that gets the requests of no rule."""
    rules: tuple[Json, ...]
    """As in `compartment.routes.yml`, the longest path first."""
    losses: tuple[Problem, ...]


def routed(given: Given, services: Mapping[str, Service]) -> Routed:
    """Return what the labels of services say."""
    losses: list[Problem] = []
    paths: list[tuple[str, str, bool]] = []
    fronts: list[str] = []
    for name, service in services.items():
        for label, rule in _rules(service):
            found = _paths(rule)
            if found is None:
                message = f"{name}: the rule of Traefik has no equivalent: {rule}"
                losses.append(given.problem(("services", name, "labels", label), message))
            elif found:
                stripped = _stripped(service, label)
                paths += [(name, path, path.removesuffix("/*") in stripped) for path in found]
            else:
                fronts.append(name)
    web = [name for name, each in services.items() if each.kind is ServiceKind.WEB]
    front = next(iter([*fronts, *web]), None)
    rules = [
        {"on": front, "path": path, "to": name, **({"stripPrefix": path[:-2]} if strip else {})}
        for name, path, strip in paths
        if front not in (None, name)
    ]
    rules.sort(key=lambda rule: -len(rule["path"]))
    return Routed(front, tuple(rules), tuple(losses))


def with_front(services: Mapping[str, Service], front: str | None) -> dict[str, Service]:
    """Return services of which the one that Traefik leads requests to is a web service."""
    return {
        name: replace(each, kind=ServiceKind.WEB) if name == front and each.port else each
        for name, each in services.items()
    }


def _rules(service: Service) -> Iterator[tuple[str, str]]:
    for label, value in _labels(service).items():
        if _ROUTER.fullmatch(label):
            yield label, str(value)


def _labels(service: Service) -> Mapping[str, Any]:
    labels: Mapping[str, Any] = (
        (service.container.settings.get("labels") or {}) if service.container else {}
    )
    return labels


def _paths(rule: str) -> list[str] | None:
    """The paths of a rule; None where it asks for more than hosts and paths."""
    found: list[str] = []
    at = 0
    while at < len(rule):
        matcher = _MATCHER.match(rule, at)
        if matcher is None or matcher[1] not in ("Host", "Path", "PathPrefix"):
            return None
        kind, value, at = matcher[1], matcher[2].rstrip("/"), matcher.end()
        if kind == "Host" or not value:
            continue
        if not re.fullmatch(REQUEST_PATH, value):
            return None
        found.append(f"{value}/*" if kind == "PathPrefix" else value)
    return found


def _stripped(service: Service, label: str) -> set[str]:
    """The prefixes that the middlewares of a router take away."""
    labels = _labels(service)
    named = str(labels.get(label.removesuffix(".rule") + ".middlewares", ""))
    found: set[str] = set()
    for each in named.split(","):
        middleware = f"traefik.http.middlewares.{each.strip().partition('@')[0]}"
        prefixes = str(labels.get(f"{middleware}.stripprefix.prefixes", ""))
        found |= {prefix.strip().rstrip("/") for prefix in prefixes.split(",")}
    return found - {""}
