"""What a domain adds to the routes of its site. Pure."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from core.gateway.replies import reply
from core.gateway.table import PAGES, Encryption

if TYPE_CHECKING:
    from core.gateway.table import Site

Json = dict[str, Any]

CHALLENGES = "/.well-known/acme-challenge/"
"""Where a certificate authority looks whether a host name leads here (RFC 8555, 8.3)."""

_CHALLENGE_LIMIT = "10s"

_IN_CLEAR = {
    "prefix": "/",
    # The gateway itself has set it, by the listener that the request came through.
    "headers": [
        {"name": "x-forwarded-proto", "string_match": {"exact": "https"}, "invert_match": True}
    ],
}
_HTTPS_PORT = 443
_AWAITED = '{"error":"certificate_pending","message":"there is no certificate for this host yet"}'


def domain_routes(site: Site, https: int | None) -> list[Json]:
    """What goes before the rules: challenges, and the way to TLS.

    Where a domain is to have TLS nothing of its service is served in clear, also not while its
    first certificate is awaited.
    """
    if site.encryption is None:
        return []
    challenges = {
        "match": {"prefix": CHALLENGES},
        "route": {"cluster": PAGES, "timeout": _CHALLENGE_LIMIT},
    }
    match site.encryption:
        case Encryption.OFF:
            return [challenges]
        case Encryption.AWAITED:
            return [challenges, reply(503, _AWAITED, _IN_CLEAR)]
        case Encryption.ON:
            return [challenges, {"match": _IN_CLEAR, "redirect": _to_tls(site.host, https)}]


def _to_tls(host: str, https: int | None) -> Json:
    # The host as it is known, whatever a request has made of it, such as a port or a final dot.
    found = {
        "https_redirect": True,
        "host_redirect": host,
        "response_code": "PERMANENT_REDIRECT",
    }
    return found if https in (None, _HTTPS_PORT) else {**found, "port_redirect": https}
