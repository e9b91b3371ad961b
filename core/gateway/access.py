"""Logins: what a route asks for that leads to a service which is not for everybody. Pure.

Envoy's own filter compares the password. It is part of every listener, and asks nobody unless the
route says who may pass.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from core.gateway.replies import reply

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from core.gateway.table import User

Json = dict[str, Any]

USER_HEADER = "x-compartment-user"
"""Tells a service who has logged in. The gateway alone sets it on what comes from outside."""

_FILTER = "envoy.filters.http.basic_auth"
_FILTERS = "type.googleapis.com/envoy.extensions.filters"
_USER_HEADERS = "^x[-_]compartment[-_]user$"
"""Also as servers spell it that take `-` and `_` for the same, such as those of CGI and WSGI."""

_ASKS = {"key": "compartment.asks_for_logins", "value": "yes"}
"""What is kept of a connection whose requests go through the filter. It cannot come from outside.

A connection keeps the filters that its listener had when it was opened, up to a day; one that is
older than the filter must not get past it.
"""

_CHALLENGE = 'Basic realm="compartment", charset="UTF-8"'
"""One realm for all paths: Envoy's own names the path, and a browser would ask for each again."""

_NOBODY = '{"error":"forbidden","message":"a login is needed, and no user has been added yet"}'


def behind_login(
    routes: Iterable[Json], match: Json, users: tuple[User, ...] | None
) -> Iterator[Json]:
    """Routes for `match`, for these users only; None is for everybody. Without any, nobody passes.

    The password ends here; who it is goes on to the service.
    """
    if users is None:
        yield from routes
        return
    if users:
        told = "".join(f"{each.name}:{each.digest}\n" for each in users)
        demand = _typed("http.basic_auth.v3.BasicAuthPerRoute", users={"inline_string": told})
        for route in routes:
            asked = {"key": _ASKS["key"], "string_match": {"exact": _ASKS["value"]}}
            yield {
                **route,
                "match": {**route["match"], "filter_state": [asked]},
                "typed_per_filter_config": {_FILTER: demand},
                "request_headers_to_remove": ["authorization"],
            }
    yield reply(403, _NOBODY, match)


def http_filter() -> Json:
    """What compares passwords, where a route asks for one."""
    settings = _typed(
        "http.basic_auth.v3.BasicAuth",
        # Envoy wants some text here; no line of it is a user, and no route uses it.
        users={"inline_string": "\n"},
        forward_username_header=USER_HEADER,
    )
    return {"name": _FILTER, "disabled": True, "typed_config": settings}


def network_filter() -> Json:
    """What tells of each connection that its requests meet the filter."""
    kept = {
        "object_key": _ASKS["key"],
        "factory_key": "envoy.string",
        "format_string": {"text_format_source": {"inline_string": _ASKS["value"]}},
    }
    settings = _typed("network.set_filter_state.v3.Config", on_new_connection=[kept])
    return {"name": "asks_for_logins", "typed_config": settings}


def forget_claims() -> Json:
    """What takes away, before anything else, what a caller from outside says of who it is."""
    name = {"safe_regex": {"regex": _USER_HEADERS}}
    return {"remove_on_match": {"key_matcher": name}}


def local_reply() -> Json:
    """How a login is asked for."""
    is_unauthorized = {
        "comparison": {"op": "EQ", "value": {"default_value": 401, "runtime_key": "unauthorized"}}
    }
    challenge = {
        "header": {"key": "www-authenticate", "value": _CHALLENGE},
        "append_action": "OVERWRITE_IF_EXISTS_OR_ADD",
    }
    return {
        "filter": {"status_code_filter": is_unauthorized},
        "headers_to_add": [challenge],
        "body_format_override": {"json_format": {"error": "unauthorized"}},
    }


def _typed(kind: str, **fields: Any) -> Json:
    return {"@type": f"{_FILTERS}.{kind}", **fields}
