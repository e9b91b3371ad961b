"""Hosts and header fields by which a request claims to be what it is not."""

from __future__ import annotations

from typing import Final

Fields = tuple[str, ...]

HOSTS: Final[tuple[Fields, ...]] = (
    ("Host: {}",),
    ("Host: {}:80",),
    ("Host: {}:0",),
    ("Host: {}:99999",),
    ("Host: {}:x",),
    ("Host: {}.",),
    ("Host: {}.:80",),
    ("Host: .{}",),
    ("Host: x@{}",),
    ("Host: open.localhost@{}",),
    ("Host: {}@open.localhost",),
    ("Host: {}/",),
    ("Host: {}/x",),
    ("Host: {}?x",),
    ("Host: {}#x",),
    ("Host: {}\\x",),
    ("Host: {}%00",),
    ("Host: {}%2ex",),
    ("Host: \t{}\t",),
    ("Host: {},open.localhost",),
    ("Host: open.localhost,{}",),
    ("Host: open.localhost {}",),
    ("Host: [::1]",),
    ("Host: [::ffff:127.0.0.1]:80",),
    ("Host: [{}]",),
    ("Host: http://{}/",),
    ("Host:",),
    (),
    ("Host: open.localhost", "Host: {}"),
    ("Host: {}", "Host: open.localhost"),
    ("Host: {}", "Host: {}"),
    ("host: open.localhost", "HOST: {}"),
    ("Host: open.localhost", " Host: {}"),
    ("Host: open.localhost", "Host : {}"),
    ("Host: open.localhost", "X-Forwarded-Host: {}"),
    ("Host: open.localhost", "X-Host: {}"),
    ("Host: open.localhost", "X-Forwarded-Server: {}"),
    ("Host: open.localhost", "X-Original-Host: {}"),
    ("Host: open.localhost", "X-HTTP-Host-Override: {}"),
    ("Host: open.localhost", "X-Envoy-Original-Host: {}"),
    ("Host: open.localhost", "Forwarded: host={}"),
    ("Host: open.localhost", ":authority: {}"),
    ("Host: open.localhost", "Authority: {}"),
    ("Host: open.localhost", "Location: http://{}/"),
)
"""Header fields that name the host `{}`, in one way or another."""

_TARGETS: Final = (
    "/",
    "http://{}/",
    "http://{}:80/",
    "HTTP://{}/",
    "http://x@{}/",
    "//{}/",
    "{}:80",
)


def hosted(fields: Fields, host: str) -> list[bytes]:
    """Requests for a host by these fields, and by a target that names it besides."""
    found = []
    for spelled in (host, host.upper()):
        lines = [each.replace("{}", spelled) for each in fields]
        for target in _TARGETS:
            for method in ("GET", "CONNECT", "OPTIONS"):
                asked = target.replace("{}", spelled) if method != "OPTIONS" else "*"
                # A target that names the host itself is no trick: that one has a host of its own.
                head = [f"{method} {asked} HTTP/1.1", "Connection: close", *lines, "", ""]
                found.append("\r\n".join(head).encode("latin-1"))
    return found


_NAMES: Final = (
    "X-Compartment-User",
    "x_compartment_user",
    "X-Compartment_User",
    "X-Compartment-Entrance",
    "Compartment.Asks_For_Logins",
    "X-Forwarded-User",
    "Remote-User",
    "X-Remote-User",
)
_HOPS: Final = (
    "x-compartment-user",
    "x-compartment-entrance",
    "authorization",
    "x-forwarded-for",
    "x-forwarded-proto",
    "x-envoy-external-address",
    "host",
    ":path",
    ":authority",
    ":method",
    "close, x-compartment-entrance",
    "x-compartment-entrance, x-compartment-entrance",
    "upgrade",
    "keep-alive, x-forwarded-proto, x-compartment-user",
    "content-length",
    "transfer-encoding",
)
_ENVOYS: Final = (
    ("X-Envoy-Original-Path: /",),
    ("X-Envoy-Decorator-Operation: x",),
    ("X-Envoy-Upstream-Alt-Stat-Name: x",),
    ("X-Envoy-Internal: true", "X-Envoy-External-Address: 127.0.0.1"),
    ("X-Envoy-Expected-Rq-Timeout-Ms: 0",),
    ("X-Envoy-Force-Trace: true",),
    ("X-Envoy-IP-Tags: internal",),
    ("X-Envoy-Downstream-Service-Cluster: inner", "X-Envoy-Downstream-Service-Node: inner"),
)
CLAIMS: Final[tuple[Fields, ...]] = (
    *((f"{name}: {value}",) for name in _NAMES for value in ("root", "inside", "gateway", "yes")),
    *((f"Connection: {hop}",) for hop in _HOPS),
    *((f"Connection: {hop}", "X-Compartment-Entrance: inside") for hop in _HOPS),
    *((f"Connection: {hop}", "TE: trailers") for hop in _HOPS),
    *((f"Proxy-Connection: {hop}",) for hop in _HOPS),
    *_ENVOYS,
    ("X-Forwarded-For: 127.0.0.1", "X-Forwarded-Proto: https", "X-Forwarded-Port: 443"),
    ("X-Forwarded-For: 10.0.0.1, 127.0.0.1",),
    ("X-Forwarded-For: \x7f",),
    ("X-Forwarded-Proto: https", "X-Forwarded-Proto: https"),
    ("X-Forwarded-Proto: javascript",),
    ("X-Real-IP: 127.0.0.1", "True-Client-IP: 127.0.0.1", "Client-IP: 127.0.0.1", "Via: 1.1 x"),
    ("Forwarded: for=127.0.0.1;host=inner.localhost;proto=https",),
    ("X-Original-URL: /", "X-Rewrite-URL: /", "X-HTTP-Method-Override: PUT"),
    ("X-Method-Override: PUT", "X-HTTP-Method: PUT", "X-Forwarded-Prefix: /x/.."),
    ("X-Forwarded-Uri: /", "X-Accel-Redirect: /", "X-Sendfile: /etc/passwd"),
    (":path: /",),
    (":authority: inner.localhost",),
    (":method: PUT", ":scheme: https"),
    ("Max-Forwards: 0",),
    ("Upgrade: websocket", "Connection: upgrade"),
    ("Accept: text/event-stream",),
    ("Expect: 100-continue",),
    ("Range: bytes=0-",),
)
"""What a caller says of itself, of where it is from, or of what is to become of its own headers."""

AUTHORIZATIONS: Final[tuple[Fields, ...]] = tuple(
    (f"Authorization: {value}",)
    for value in (
        "",
        " ",
        "Basic",
        "Basic ",
        "Basic Og==",
        "Basic bm9ib2R5",
        "Basic bm9ib2R5Og==",
        "Basic bm9ib2R5OgA=",
        "Basic bm9ib2R5OntTSEF9QUFBQQ==",
        "Basic *",
        "Basic ====",
        "Bearer x",
        "Digest username=nobody",
        "Negotiate x",
        "basic bm9ib2R5Og==",
        "Basic\tbm9ib2R5Og==",
        "Basic  bm9ib2R5Og==",
        "Basic bm9ib2R5Og==, Basic Og==",
        "Basic " + "QUJD" * 10_000,
        "Basic bm9ib2R5OntTSEF9QUFBQUFBQUFBQUFBQUFBQUFBQUFBQUFBQUFBPQ==",
        "nobody:",
        "Basic AA==",
    )
)
