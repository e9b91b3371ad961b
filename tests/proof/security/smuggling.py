"""Bytes in which two servers may see different requests (RFC 9112, 11.2).

Each holds a second request, for `HIDDEN`, where a strict reader sees a body, or nothing valid.
"""

from __future__ import annotations

from typing import Final

from tests.proof.security.stronghold import OPEN

HIDDEN: Final = "/smuggled"

_SECOND: Final = f"GET {HIDDEN} HTTP/1.1\r\nHost: {OPEN}\r\nX: "
_WHOLE: Final = f"GET {HIDDEN} HTTP/1.1\r\nHost: {OPEN}\r\n\r\n"
_CHUNKED: Final = f"0\r\n\r\n{_WHOLE}"
"""A body that is over at once for who reads chunks, and a second request for who does not count."""

ENCODINGS: Final = (
    "Transfer-Encoding: chunked",
    "Transfer-Encoding : chunked",
    "Transfer-Encoding:\tchunked",
    " Transfer-Encoding: chunked",
    "Transfer-Encoding: xchunked",
    "Transfer-Encoding: chunked\x0b",
    "Transfer-Encoding: \x0bchunked",
    "Transfer-Encoding: \x00chunked",
    "Transfer-Encoding: CHUNKED",
    "Transfer-Encoding: chunked, identity",
    "Transfer-Encoding: identity, chunked",
    "Transfer-Encoding: identity",
    "Transfer-Encoding: gzip, chunked",
    "Transfer-Encoding: chunked;x",
    "Transfer-Encoding: 'chunked'",
    'Transfer-Encoding: "chunked"',
    "Transfer-Encoding: chun\tked",
    "Transfer-Encoding: chunked\r\nTransfer-Encoding: identity",
    "Transfer-Encoding:\r\n chunked",
    "Transfer-Encoding: identity\r\nTransfer-Encoding: chunked",
    "Transfer-Encoding: chunked,",
    "Transfer-Encoding: ,chunked",
    "Transfer_Encoding: chunked",
    "Transfer-Encoding\x00: chunked",
    "Transfer-Encoding\t: chunked",
    "X: x\nTransfer-Encoding: chunked",
    "X: x\rTransfer-Encoding: chunked",
    "Transfer\r\n-Encoding: chunked",
    "Connection: transfer-encoding\r\nTransfer-Encoding: chunked",
    "TE: chunked",
    "Content-Encoding: chunked",
    "Transfer-Encoding: \xffchunked",
    "Transfer-Encoding:",
    "Transfer-Encoding: chunked chunked",
    "Transfer-Encoding: chunked, chunked",
    "X:\r\n\tTransfer-Encoding: chunked",
)
"""Ways to say that a body is in chunks, which some understand and others pass over."""

LENGTHS: Final = (
    "Content-Length: {}\r\nContent-Length: 0",
    "Content-Length: 0\r\nContent-Length: {}",
    "Content-Length: {}\r\nContent-Length: {}",
    "Content-Length: 0, {}",
    "Content-Length: {}, {}",
    "Content-Length: +{}",
    "Content-Length: -1",
    "Content-Length: 0x{}",
    "Content-Length: {}.0",
    "Content-Length: {}e0",
    "Content-Length : {}",
    "Content-Length\t: {}",
    " Content-Length: {}",
    "Content-Length: {} 0",
    "Content-Length: 0\r\n {}",
    "Content-Length:\r\n {}",
    "Content_Length: {}",
    "Content-Length: \x0b{}",
    "Content-Length: {}\x00",
    "Content-Length: 0{}",
    "X: x\nContent-Length: {}",
    "X: x\rContent-Length: {}",
    "Content-Length: 18446744073709551616",
    "Content-Length: {}_0",
    "Content-Length: \xb2",
    "Connection: content-length\r\nContent-Length: {}",
    "Content-Length: {};x",
    "Content-Length\x00: {}",
    "Content-Length: 4294967296",
    "Content-Length: ",
    "content-length: {}\r\nCONTENT-LENGTH: 0",
)
"""Ways to say how long a body is; `{}` is the true length."""

CHUNKS: Final = (
    *(
        "0\r\n{}",
        "0;x=1\r\n\r\n",
        "0;\n{}\r\n\r\n",
        "0 \r\n\r\n",
        "0x0\r\n\r\n",
        "-0\r\n\r\n",
        "+0\r\n\r\n",
    ),
    *(
        "00000000000000000\r\n\r\n",
        "100000000000000000\r\n\r\n",
        "0\n\n",
        "0\r\r\n\n",
        "1\r\nZ0\r\n\r\n",
    ),
    *(
        "1\r\nZZ\r\n0\r\n\r\n",
        "1\nZ\n0\n\n",
        '0;x="\r\n\r\n"\r\n\r\n',
        '0;x="\n"\r\n\r\n',
        "0\r\nX\r\n\r\n",
    ),
    *(
        "0\r\nX: x\n\n",
        "0\r\n X: x\r\n\r\n",
        "0\r\nContent-Length: 9\r\n\r\n",
        "fffffffffffffff1\r\n\r\n",
    ),
    *(
        "0\r\nTransfer-Encoding: chunked\r\n\r\n",
        "0\r\nHost: x\r\n\r\n",
        "0\x00\r\n\r\n",
        "\r\n0\r\n\r\n",
    ),
    *(
        "1;" + "x" * 9000 + "\r\nZ\r\n0\r\n\r\n",
        "0;a\rb\r\n\r\n",
        "0_0\r\n\r\n",
        "0" + ";" * 40 + "\r\n\r\n",
    ),
)
"""Bodies in chunks whose end is a matter of opinion."""

LINES: Final = (
    "GET /x HTTP/1.1\nHost: {0}\n\n",
    "GET /x HTTP/1.1\rHost: {0}\r\r",
    "GET /x HTTP/1.1\r\nHost: {0}\r\n\n",
    "GET /x HTTP/1.1\r\nHost: {0}\n\r\n",
    "GET /x HTTP/1.1\r\nHost: {0}\r\n folded: x\r\n\r\n",
    "GET /x HTTP/1.1\r\n Host: {0}\r\n\r\n",
    "GET /x HTTP/1.1\r\nHost: {0}\r\nX\r\n\r\n",
    "GET /x HTTP/1.1\r\nHost: {0}\r\n: x\r\n\r\n",
    "GET /x HTTP/1.1\r\nHost: {0}\r\nX: a\x00b\r\n\r\n",
    "GET /x HTTP/1.1\r\nHost: {0}\r\nX\x00: a\r\n\r\n",
    "GET /x HTTP/1.1\r\nHost: {0}\r\nX(: a\r\n\r\n",
    "GET /x\x0bHTTP/1.1\r\nHost: {0}\r\n\r\n",
    "GET\t/x\tHTTP/1.1\r\nHost: {0}\r\n\r\n",
    "GET  /x  HTTP/1.1\r\nHost: {0}\r\n\r\n",
    "GET /x HTTP/1.1 \r\nHost: {0}\r\n\r\n",
    "GET /x HTTP/1.1\r\nX: /y HTTP/1.1\r\nHost: {0}\r\n\r\n",
    "GET /x /y HTTP/1.1\r\nHost: {0}\r\n\r\n",
    "GET /x HTTP/1.2\r\nHost: {0}\r\n\r\n",
    "GET /x HTTP/11.1\r\nHost: {0}\r\n\r\n",
    "GET /x HTTP/0.9\r\nHost: {0}\r\n\r\n",
    "GET /x\r\n",
    "GET /x http/1.1\r\nHost: {0}\r\n\r\n",
    "G\x00ET /x HTTP/1.1\r\nHost: {0}\r\n\r\n",
    "GET /x HTTP/1.1\r\nHost: {0}\r\nX: é\r\n\r\n",
    "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n",
    "\r\n\r\n\r\nGET /x HTTP/1.1\r\nHost: {0}\r\n\r\n",
    "\x16\x03\x01\x00\x05GET /x HTTP/1.1\r\nHost: {0}\r\n\r\n",
    "PROXY TCP4 10.0.0.1 10.0.0.2 1 2\r\nGET /x HTTP/1.1\r\nHost: {0}\r\n\r\n",
)
"""Request lines and fields with ends that are none."""

UPGRADES: Final = (
    "Connection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Version: 13",
    "Connection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Version: 777",
    "Connection: Upgrade\r\nUpgrade: websocket\r\nContent-Length: 0",
    "Connection: Upgrade\r\nUpgrade: websocket\r\nTransfer-Encoding: chunked",
    "Connection: Upgrade, HTTP2-Settings\r\nUpgrade: h2c\r\nHTTP2-Settings: AAMAAABk",
    "Connection: Upgrade\r\nUpgrade: h2c",
    "Upgrade: h2c\r\nHTTP2-Settings: AAMAAABkAARAAAAAAAIAAAAA",
    "Connection: Upgrade\r\nUpgrade: h2c, websocket",
    "Connection: Upgrade\r\nUpgrade: TLS/1.0",
    "Connection: Upgrade\r\nUpgrade: foo",
    "Connection: Upgrade\r\nUpgrade: connect-udp",
    "Upgrade: websocket",
    "Connection: keep-alive\r\nUpgrade: websocket",
    "Expect: 100-continue\r\nContent-Length: 0",
)
"""Ways to ask for a connection that is no longer read; the instance agrees to none."""


def _head(*fields: str, method: str = "POST") -> str:
    return "\r\n".join([f"{method} /x HTTP/1.1", f"Host: {OPEN}", *fields, "", ""])


def hidden_in_bodies() -> list[bytes]:
    """Every encoding with every length, every length alone, every end of chunks."""
    found = []
    for encoding in ENCODINGS:
        for length in (*LENGTHS, "Content-Length: {}"):
            told = length.replace("{}", str(len(_CHUNKED)))
            found += [_head(encoding, told) + _CHUNKED, _head(told, encoding) + _CHUNKED]
    for length in LENGTHS:
        # Cut short, so that who counts less than all is left with the beginning of a request.
        told = length.replace("{}", str(len(_SECOND)))
        found += [_head(told, method=method) + _SECOND for method in ("POST", "GET", "DELETE")]
    return [each.encode("latin-1") for each in found]


def in_a_row() -> list[bytes]:
    """Requests after which another one follows that has to be read, refused or routed as any."""
    follow = f"GET /follows HTTP/1.1\r\nHost: {OPEN}\r\nConnection: close\r\n\r\n"
    found = [_head("Transfer-Encoding: chunked") + each.replace("{}", follow) for each in CHUNKS]
    found += [each.replace("{0}", OPEN) for each in LINES]
    return [(each + follow).encode("latin-1") for each in found]


def after_upgrades() -> list[bytes]:
    """A guarded path that comes where an upgraded connection would be passed on unread."""
    guarded = f"GET /api/secret HTTP/1.1\r\nHost: {OPEN}\r\nConnection: close\r\n\r\n"
    hidden = f"GET {HIDDEN} HTTP/1.1\r\nHost: {OPEN}\r\nConnection: close\r\n\r\n"
    heads = [_head(each, method=method) for each in UPGRADES for method in ("GET", "POST", "HEAD")]
    return [(head + rest).encode() for head in heads for rest in (guarded, hidden)]
