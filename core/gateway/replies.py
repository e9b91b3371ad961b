"""What the gateway answers by itself, as Envoy's routes. Pure."""

from __future__ import annotations

from typing import Any

Json = dict[str, Any]

NOT_FOUND = '{"error":"not_found"}'


def reply(status: int, body: str, match: Json | None = None) -> Json:
    """A route that is answered here; without a match it takes every request."""
    kind = "application/json" if body.startswith("{") else "text/plain"
    return {
        "match": match or {"prefix": "/"},
        "direct_response": {"status": status, "body": {"inline_string": body}},
        "response_headers_to_add": [
            {
                "header": {"key": "content-type", "value": kind},
                "append_action": "OVERWRITE_IF_EXISTS_OR_ADD",
            }
        ],
    }


def unavailable(match: Json) -> Json:
    """What is said while nothing of a service is live."""
    found = reply(503, '{"error":"unavailable"}', match)
    retry = {"header": {"key": "retry-after", "value": "1"}}
    found["response_headers_to_add"].append(retry)
    return found
