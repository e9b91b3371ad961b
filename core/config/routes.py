"""How the rules of `compartment.routes.yml` take a request: the definition, in readable form.

The gateway does not run this, but is tested against it. It works on the raw request target: nothing
is decoded, folded or normalised.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING

from core.model import RouteRule, Transform

if TYPE_CHECKING:
    from collections.abc import Iterable


@dataclass(frozen=True, slots=True)
class Decision:
    """Who handles a request (`to`), and the target, with its query, that it sees (`upstream`).

    `rule` is None when no rule takes the request: then the service itself handles it.
    """

    rule: RouteRule | None
    to: str
    upstream: str


_ENCODED_SEPARATOR = re.compile("%2f|%5c", re.IGNORECASE)
_ENCODED_DOT = re.compile("%2e", re.IGNORECASE)


def is_safe(path: str) -> bool:
    r"""Return whether the path part of a raw request target may be matched at all.

    Refused are paths that somebody behind us could read differently: not beginning with exactly one
    slash; anything outside visible ASCII; `#`, `\`, an encoded `/` or `\`; a segment `.` or `..`,
    also with encoded dots; a comma before a slash, as two merged header values would look.
    """
    if not path.startswith("/") or path.startswith("//"):
        return False
    if not all("!" <= char <= "~" for char in path):
        return False
    if "#" in path or "\\" in path or ",/" in path or _ENCODED_SEPARATOR.search(path):
        return False
    segments = _ENCODED_DOT.sub(".", path).split("/")
    return "." not in segments and ".." not in segments


def match(rules: Iterable[RouteRule], on: str, method: str, target: str) -> Decision | None:
    """Return who handles a request that reached the service `on`; None if it is refused as unsafe.

    Args:
        rules: The rules in the order of the file; those of other services are skipped.
        on: The service whose host was asked.
        method: The method of the request, in any case.
        target: The raw request target: the path, and the query with its `?` if there is one.
    """
    path, mark, query = target.partition("?")
    if "#" in target or not is_safe(path):
        return None
    for rule in rules:
        if rule.on == on and _takes(rule, method.upper(), path):
            return Decision(rule, rule.to, upstream_path(rule, path) + mark + query)
    return Decision(None, on, target)


def prefix_of(rule_path: str) -> str | None:
    """Return the prefix of a path that ends with `/*`, or None for an exact path."""
    return (rule_path[:-2] or "/") if rule_path.endswith("/*") else None


def upstream_path(rule: RouteRule, path: str) -> str:
    """Return the path that the target sees of a path that the rule takes, both without a query."""
    if rule.transform is None or rule.value is None:
        return path
    if rule.transform is Transform.REWRITE:
        return rule.value
    suffix = _suffix(prefix_of(rule.path) or "", path)
    replacement = "" if rule.transform is Transform.STRIP_PREFIX else rule.value
    if not suffix:
        return replacement or "/"
    return replacement.removesuffix("/") + suffix


def _suffix(prefix: str, path: str) -> str:
    if path == prefix:
        return ""
    return path if prefix == "/" else path.removeprefix(prefix)


def _takes(rule: RouteRule, method: str, path: str) -> bool:
    if rule.methods and method not in rule.methods:
        return False
    prefix = prefix_of(rule.path)
    if prefix is None:
        return path == rule.path
    return prefix == "/" or path == prefix or path.startswith(prefix + "/")
