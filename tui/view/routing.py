"""Route rules as rows, and what becomes of a request, in words."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from core.config.routes import match
from core.model import RouteRule, Transform

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from core.config.routes import Decision
    from tui.view.columns import Row

TITLES: Row = ("", "ON", "METHODS", "PATH", "TO", "TRANSFORM", "")
GIVES_WAY = (5, 3, 6)

METHODS = frozenset(
    {"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS", "CONNECT", "TRACE"}
)


def rule_of(found: Mapping[str, Any]) -> RouteRule:
    """A rule as the agent tells of it."""
    transform = found.get("transform")
    return RouteRule(
        on=str(found["on"]),
        path=str(found["path"]),
        to=str(found["to"]),
        methods=tuple(found.get("methods") or ()),
        transform=Transform(transform) if transform else None,
        value=found.get("value"),
    )


@dataclass(frozen=True, slots=True)
class Rules:
    """The rules of the project's file, and those that requests meet now."""

    written: tuple[RouteRule, ...] | None
    """None without a file."""
    live: tuple[RouteRule, ...]

    @property
    def shown(self) -> tuple[RouteRule, ...]:
        """Those that a person means: of the file, if there is one."""
        return self.live if self.written is None else self.written

    @property
    def waiting(self) -> list[str]:
        """The services whose rules in the file are not those that are live."""
        if self.written is None:
            return []
        services = dict.fromkeys(rule.on for rule in (*self.written, *self.live))
        return [each for each in services if _on(self.written, each) != _on(self.live, each)]

    def rows(self) -> list[tuple[str, Row]]:
        """Every rule; what is not live yet has a plus, what will be gone a minus."""
        rows = [
            (f"rule{number}", _row("" if rule in self.live else "+", rule, "" if rule in self.live
             else "not live yet"))
            for number, rule in enumerate(self.shown, start=1)
        ]  # fmt: skip
        gone = [rule for rule in self.live if rule not in self.shown]
        rows += [(f"gone{at}", _row("-", rule, "live until then")) for at, rule in enumerate(gone)]
        return rows

    @property
    def services(self) -> list[str]:
        """The services that have rules, in their order."""
        return list(dict.fromkeys(rule.on for rule in (*self.shown, *self.live)))


def _on(rules: Iterable[RouteRule], service: str) -> list[RouteRule]:
    return [rule for rule in rules if rule.on == service]


def _row(sign: str, rule: RouteRule, note: str) -> Row:
    transform = f"{rule.transform} {rule.value or ''}".rstrip() if rule.transform else ""
    return (sign, rule.on, _methods(rule), rule.path, f"-> {rule.to}", transform, note)


def _methods(rule: RouteRule) -> str:
    return ",".join(rule.methods) or "any"


@dataclass(frozen=True, slots=True)
class Request:
    """What somebody typed to be tried."""

    on: str
    method: str
    target: str


def read_request(text: str, default: str, services: Sequence[str]) -> Request | None:
    """`GET /a?b`, `/a`, or with the service first: `admin GET /a`; None while nothing is asked."""
    words = text.split()
    on = default
    if len(words) > 1 and words[0] in services:
        on, words = words[0], words[1:]
    method = "GET"
    # A path may have a space in it: then it is refused, which is what the person wants to see.
    is_named = len(words) > 1 and not words[0].startswith("/")
    if is_named or (words and words[0].upper() in METHODS):
        method, words = words[0].upper(), words[1:]
    return Request(on, method, " ".join(words)) if words else None


def explain(rules: Rules, request: Request) -> list[str]:
    """Who takes the request, and what it sees; what is live is told apart where it differs."""
    told = _decision(rules.shown, request)
    if rules.written is None or rules.live == rules.written:
        return told
    now = _decision(rules.live, request)
    if now == told:
        return told
    return [*told, *(f"live now: {line}" for line in now)]


def _decision(rules: Sequence[RouteRule], request: Request) -> list[str]:
    found = match(rules, request.on, request.method, request.target)
    if found is None:
        return [f"refused with 404: {why_refused(request.target)}"]
    if found.rule is None:
        return [f"no rule takes it: {request.on} handles it itself and sees {found.upstream}"]
    return [_taken(rules, found.rule, found)]


def _taken(rules: Sequence[RouteRule], rule: RouteRule, found: Decision) -> str:
    number = list(rules).index(rule) + 1
    return (
        f"rule {number} takes it ({_methods(rule)} {rule.path}): {found.to} sees {found.upstream}"
    )


def why_refused(target: str) -> str:
    """Why a path may not be matched: somebody behind us could read it differently."""
    path = target.partition("?")[0]
    return next((why for is_so, why in _REFUSALS if is_so(path, target)), "it is not a plain path")


def _has_dot_segment(path: str) -> bool:
    segments = re.sub("%2e", ".", path, flags=re.IGNORECASE).split("/")
    return "." in segments or ".." in segments


_REFUSALS = (
    (lambda path, _: not path.startswith("/"), "a path begins with /"),
    (lambda path, _: path.startswith("//"), "it begins with more than one /"),
    (lambda _, target: "#" in target, "it has a #, which is not sent to a server"),
    (
        lambda path, _: not all("!" <= char <= "~" for char in path),
        "it has a space or a character outside ASCII: it must be percent-encoded",
    ),
    (lambda path, _: "\\" in path, "it has a backslash, which some servers read as /"),
    (lambda path, _: ",/" in path, "it has a comma before a slash, as two merged values would"),
    (
        lambda path, _: re.search("%2f|%5c", path, re.IGNORECASE) is not None,
        "it has an encoded / or backslash, which some servers decode",
    ),
    (
        lambda path, _: _has_dot_segment(path),
        "it has a segment . or .., which some servers resolve",
    ),
)
