"""Sites to Envoy's route configuration.

Pure. `core.config.routes` is the readable definition of what a rule means; that this mapping means
the same is proven against a running Envoy by `tests/e2e/test_routes_equal.py`.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

from core.gateway.access import behind_login
from core.gateway.domains import domain_routes
from core.gateway.own_pages import own_pages
from core.gateway.replies import NOT_FOUND, reply, unavailable
from core.gateway.table import ENTRANCES, INTERNAL, PUBLIC, STREAMS_SUFFIX
from core.model import Transform

if TYPE_CHECKING:
    from collections.abc import Iterator

    from core.gateway.table import Site, Table, User
    from core.model import RouteRule

Json = dict[str, Any]

VERSION_HOST = "gateway.compartment.internal"
"""The host that answers with the table's version: a switch is seen where traffic is."""

ENTRANCE_HEADER = "x-compartment-entrance"
"""Says where a request came in; set by the listener, whatever a caller has sent.

That is the way in, and behind a slash the host that it names, or the name of an entrance.
"""

ROUTES = "routes"

_EVERYTHING: Json = {"prefix": "/"}
_WEBSOCKET = {"name": "upgrade", "present_match": True}
_EVENT_STREAM = {
    "name": "accept",
    "string_match": {"contains": "text/event-stream", "ignore_case": True},
}


def through(entrance: str) -> str:
    """What the header says of what came through an entrance.

    In brackets, in which Envoy takes nothing for a port: a name may end in an IPv6 address.
    """
    return f"{ENTRANCES}/[{entrance}]"


def route_configuration(version: str, table: Table, https: int | None = None) -> Json:
    """The one table of all listeners as Envoy's RouteConfiguration; `https` is the port for TLS.

    One for all, so that one rename switches them all, and one reading is all that it costs.
    """
    return {
        "@type": "type.googleapis.com/envoy.config.route.v3.RouteConfiguration",
        "name": ROUTES,
        "vhost_header": ENTRANCE_HEADER,
        "ignore_port_in_host_matching": True,
        "request_headers_to_remove": [ENTRANCE_HEADER, "x-envoy-external-address"],
        "virtual_hosts": [
            {
                "name": VERSION_HOST,
                "domains": [
                    *(f"{way}/{VERSION_HOST}" for way in (PUBLIC, INTERNAL)),
                    through(VERSION_HOST),
                ],
                "routes": [reply(200, version)],
            },
            *_with_rules(table, https),
            *_plain(table),
            *(_unknown_host(way) for way in (PUBLIC, INTERNAL)),
            {"name": "unknown", "domains": ["*"], "routes": [unavailable(_EVERYTHING)]},
        ],
    }


def _with_rules(table: Table, https: int | None) -> Iterator[Json]:
    """Sites with anything but the way to their own service."""
    for site in table.sites:
        entrances = _entrances_of(site)
        if _is_plain(site) or not entrances:
            continue
        routes = domain_routes(site, https)
        for rule in site.rules:
            users = _who_may(site, rule.to)
            routes += _forward(site.live.get(rule.to), _rule_match(rule), _rewrite(rule), users)
        users = _who_may(site, site.service)
        routes += _forward(site.live.get(site.service), _EVERYTHING, {}, users)
        yield _virtual_host(entrances, routes)


def _plain(table: Table) -> Iterator[Json]:
    """Sites and entrances that lead to one upstream: each way there is told once."""
    found: dict[tuple[str | None, tuple[User, ...] | None], list[str]] = {}
    for site in filter(_is_plain, table.sites):
        way = site.live.get(site.service), _who_may(site, site.service)
        found.setdefault(way, []).extend(_entrances_of(site))
    for each in table.entrances:
        if not each.is_tcp:
            found.setdefault((each.upstream, each.users), []).append(through(each.name))
    for (upstream, users), entrances in found.items():
        yield _virtual_host(entrances, list(_forward(upstream, _EVERYTHING, {}, users)))


def _unknown_host(way: str) -> Json:
    routes = [*own_pages(way), reply(404, NOT_FOUND)]
    # Envoy takes `*` for one character at least, and a host may be empty.
    return _virtual_host([f"{way}/*", f"{way}/"], routes)


def _virtual_host(entrances: list[str], routes: list[Json]) -> Json:
    return {"name": entrances[0], "domains": entrances, "routes": routes}


def _is_plain(site: Site) -> bool:
    return not site.rules and site.encryption is None


def _entrances_of(site: Site) -> list[str]:
    """A domain is served to the outside only: nowhere, once its service is no `web` any more."""
    ways = [PUBLIC] if site.is_public else []
    if site.encryption is None:
        ways.append(INTERNAL)
    return [f"{way}/{site.host}" for way in ways]


def _who_may(site: Site, to: str) -> tuple[User, ...] | None:
    """Access is checked for where a request came to and for where it goes (spec, 2.3)."""
    return site.users if site.needs_login & {site.service, to} else None


def _forward(
    upstream: str | None, match: Json, rewrite: Json, users: tuple[User, ...] | None
) -> Iterator[Json]:
    """Routes to an upstream. Who may not get there does not learn whether it is there."""
    routes = [unavailable(match)] if upstream is None else _to(upstream, match, rewrite)
    return behind_login(routes, match, users)


def _to(upstream: str, match: Json, rewrite: Json) -> Iterator[Json]:
    """Streams apart from requests, because they are drained apart."""
    # As little as can be: of a thousand services Envoy reads all routes at each switch.
    action = {"timeout": "0s", **rewrite}
    headers = match.get("headers", [])
    for sign in (_WEBSOCKET, _EVENT_STREAM):
        yield {
            "match": {**match, "headers": [*headers, sign]},
            "route": {"cluster": upstream + STREAMS_SUFFIX, **action},
        }
    yield {"match": match, "route": {"cluster": upstream, **action}}


def _rule_match(rule: RouteRule) -> Json:
    match: Json = {}
    if rule.methods:
        methods = "|".join(sorted(set(rule.methods)))
        # The reference matcher upper-cases the method of a request.
        regex = {"safe_regex": {"regex": f"(?i:{methods})"}}
        match["headers"] = [{"name": ":method", "string_match": regex}]
    prefix = _prefix(rule)
    if prefix is None:
        return {**match, "path": rule.path}
    if prefix == "":
        return {**match, "prefix": "/"}
    return {**match, "safe_regex": {"regex": f"{re.escape(prefix)}(?:/.*)?"}}


def _prefix(rule: RouteRule) -> str | None:
    """The prefix of a prefix path ('' for `/*`), None for an exact one."""
    return rule.path.removesuffix("/*") if rule.path.endswith("/*") else None


def _rewrite(rule: RouteRule) -> Json:
    """The path that the target sees, as a regular expression over the path without its query."""
    if rule.transform is None or rule.value is None:
        return {}
    if rule.transform is Transform.REWRITE:
        return _regex_rewrite("^.*$", rule.value, "")
    prefix = _prefix(rule) or ""
    replacement = "/" if rule.transform is Transform.STRIP_PREFIX else rule.value
    if replacement.endswith("/"):
        return _regex_rewrite(f"^{re.escape(prefix)}/?(.*)$", replacement, r"\1")
    if prefix == "":
        return _regex_rewrite("^(?:/|(/.+))$", replacement, r"\1")
    return _regex_rewrite(f"^{re.escape(prefix)}(.*)$", replacement, r"\1")


def _regex_rewrite(regex: str, literal: str, rest: str) -> Json:
    substitution = literal.replace("\\", "\\\\") + rest
    return {"regex_rewrite": {"pattern": {"regex": regex}, "substitution": substitution}}
