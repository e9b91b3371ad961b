"""Which paths lead nowhere: those that the gateway and an instance might read in two ways. Pure.

A filter of the listener refuses them before any route is looked at. In the route tables the same
expression would stand once for each host, and be compiled a thousand times at each switch.
"""

from __future__ import annotations

from typing import Any

from core.gateway.replies import NOT_FOUND

Json = dict[str, Any]

_ANY = "[^?#]*"
_UNSAFE_PATH = (
    rf"//{_ANY}"  # an authority in disguise
    rf"|{_ANY}\\{_ANY}"
    rf"|{_ANY},/{_ANY}"  # as two merged header values would look
    rf"|{_ANY}%(?:2[fF]|5[cC]){_ANY}"
    rf"|(?:{_ANY}/)?(?:\.|%2[eE]){{1,2}}(?:/{_ANY})?"
    rf"|{_ANY}[^!-~]{_ANY}"  # outside visible ASCII
)
_FILTER = "envoy.filters.http.rbac"
_API = "type.googleapis.com/envoy.extensions.filters.http.rbac.v3.RBAC"


def http_filter() -> Json:
    """What refuses a request for such a path, whatever the host."""
    path = {"safe_regex": {"regex": _UNSAFE_PATH}}
    policy = {"permissions": [{"url_path": {"path": path}}], "principals": [{"any": True}]}
    rules = {"action": "DENY", "policies": {"unsafe-path": policy}}
    return {"name": _FILTER, "typed_config": {"@type": _API, "rules": rules}}


def local_reply() -> Json:
    """How it is refused: as a path that is not there."""
    status = {"op": "EQ", "value": {"default_value": 403, "runtime_key": "denied"}}
    # The filter tells of its reason only when the reply is out; here the path has its query, too.
    unsafe = {"safe_regex": {"regex": f"(?:{_UNSAFE_PATH})(?:[?#].*)?"}}
    is_unsafe = {"header": {"name": ":path", "string_match": unsafe}}
    return {
        "filter": {
            "and_filter": {
                "filters": [
                    {"status_code_filter": {"comparison": status}},
                    {"header_filter": is_unsafe},
                ]
            }
        },
        "status_code": 404,
        "body_format_override": {
            "text_format_source": {"inline_string": NOT_FOUND},
            "content_type": "application/json",
        },
    }
