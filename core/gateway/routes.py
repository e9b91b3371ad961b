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
from core.gateway.table import STREAMS_SUFFIX
from core.model import Transform

if TYPE_CHECKING:
    from collections.abc import Iterator

    from core.gateway.table import Entrance, Site, User
    from core.model import RouteRule

Json = dict[str, Any]

VERSION_HOST = "gateway.compartment.internal"
"""The host that answers with the table's version: a switch is seen where traffic is."""

ENTRANCE_HEADER = "x-compartment-entrance"
"""Says which entrance a request came through; set by the listener, whatever a caller has sent."""

_WEBSOCKET = {"name": "upgrade", "present_match": True}
_EVENT_STREAM = {
    "name": "accept",
    "string_match": {"contains": "text/event-stream", "ignore_case": True},
}


def route_configuration(
    name: str, version: str, sites: tuple[Site, ...], https: int | None = None
) -> Json:
    """The table of one listener as Envoy's RouteConfiguration; `https` is the port for TLS."""
    hosts = [
        {"name": VERSION_HOST, "domains": [VERSION_HOST], "routes": [reply(200, version)]},
        *(_virtual_host(site, https) for site in sites),
        {"name": "unknown", "domains": ["*"], "routes": [*own_pages(name), reply(404, NOT_FOUND)]},
    ]
    return {
        "@type": "type.googleapis.com/envoy.config.route.v3.RouteConfiguration",
        "name": name,
        "ignore_port_in_host_matching": True,
        "virtual_hosts": hosts,
    }


def entrance_configuration(name: str, version: str, entrances: tuple[Entrance, ...]) -> Json:
    """The table of all entrances. The host of a request decides nothing, and is passed on as is."""
    hosts = [
        {"name": VERSION_HOST, "domains": [VERSION_HOST], "routes": [reply(200, version)]},
        *(
            {
                "name": each.name,
                "domains": [each.name],
                "routes": list(_forward(each.upstream, {"prefix": "/"}, {}, each.users)),
            }
            for each in entrances
            if not each.is_tcp
        ),
        {"name": "unknown", "domains": ["*"], "routes": [unavailable({"prefix": "/"})]},
    ]
    return {
        "@type": "type.googleapis.com/envoy.config.route.v3.RouteConfiguration",
        "name": name,
        "vhost_header": ENTRANCE_HEADER,
        "request_headers_to_remove": [ENTRANCE_HEADER, "x-envoy-external-address"],
        "virtual_hosts": hosts,
    }


def _virtual_host(site: Site, https: int | None) -> Json:
    routes = domain_routes(site, https)
    for rule in site.rules:
        users = _who_may(site, rule.to)
        routes += _forward(site.live.get(rule.to), _rule_match(rule), _rewrite(rule), users)
    users = _who_may(site, site.service)
    routes += _forward(site.live.get(site.service), {"prefix": "/"}, {}, users)
    return {"name": site.host, "domains": [site.host], "routes": routes}


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
