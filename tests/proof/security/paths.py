"""Targets that some server, somewhere, reads as a path that is guarded here."""

from __future__ import annotations

from itertools import permutations
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Iterator

WANTED: Final = ("/api/secret", "/exact")

SLASHES: Final = (
    "%2f",
    "%2F",
    "%5c",
    "%5C",
    "\\",
    "//",
    "///",
    "/./",
    "/.//",
    "/x/../",
    "/x/%2e%2e/",
    "/%2e/",
    "/.%2e/",
    "/..;/",
    "/;/",
    "/;x=1/",
    "%252f",
    "%c0%af",
    "%e0%80%af",
    "%f0%80%80%af",
    "%u002f",
    "/%00/",
    "/%20/",
    "/%09/",
    "/\t/",
    "/,/",
    "%2f%2f",
    "/x//../",
    "/.\\/",
    "/%5c../",
)
"""What has been read as `/` by one server or another."""

ENDS: Final = (
    "",
    "/",
    "//",
    "/.",
    "/..",
    "/%2e",
    "/%2e%2e",
    ";",
    ";x=1",
    ";/",
    "%3b",
    "%00",
    "%20",
    "%09",
    *(
        ".",
        "..",
        "~",
        ",",
        "?",
        "?x",
        "%3f",
        "%3fx",
        "#",
        "#x",
        "%23",
        "?#",
        "%0d%0aX:1",
        "%0a",
        "+",
    ),
    *(
        "/..;/api/x",
        "?/../api/x",
        "#/../api/x",
        "%ff",
        "%",
        "%2",
        "%zz",
        ".json",
        "%2ejson",
        "*",
        "&",
    ),
)
STARTS: Final = (
    "",
    "/",
    "//",
    "/.",
    "/./",
    "/..",
    "/../",
    "/x/..",
    "/x/../",
    "/%2e",
    "/%2e%2e",
    "/%2e%2e/",
    *(
        "/;",
        "/;x=1",
        "/%2f",
        "/%5c",
        "\\",
        "/\\",
        "/%00",
        "/%20",
        "/%09",
        ".",
        "..",
        "%2f",
        "/~/..",
    ),
    "/x;/..",
    "/,",
    "/%c0%ae%c0%ae",
    "/%252e%252e",
    "/?",
    "/#",
    "/open/..",
    "/.;",
    "/..;",
)
ORIGINS: Final = (
    "http://open.localhost",
    "HTTP://OPEN.LOCALHOST",
    "http://open.localhost:80",
    "https://x",
    "http://open.localhost@x",
    "http://x@open.localhost",
    "http:/",
    "http:",
    "//open.localhost",
    *(
        "///open.localhost",
        "http://open.localhost/..",
        "ws://open.localhost",
        "file://",
        "open.localhost",
    ),
    *(
        "http://open.localhost\\",
        "http://open.localhost%2f",
        "http://[::1]",
        "http://open.localhost.",
    ),
)


def _spelled(path: str) -> Iterator[str]:
    """The same with letters that are encoded once, twice, in capitals."""
    yield path.upper()
    yield path.title()
    for at, char in enumerate(path):
        code = f"{ord(char):02x}"
        for spelled in (f"%{code}", f"%{code.upper()}", f"%25{code}", f"%u00{code}", char.upper()):
            yield path[:at] + spelled + path[at + 1 :]
    yield "".join(f"%{ord(char):02x}" for char in path)
    yield "/" + "".join(f"%{ord(char):02X}" for char in path[1:])


def one_trick() -> list[str]:
    """Each way to write a guarded path, alone."""
    found: dict[str, None] = {}
    for path in WANTED:
        parts = path.split("/")[1:]
        for slash in SLASHES:
            found[slash + slash.join(parts)] = None
            found["/" + slash.join(parts)] = None
        found.update(dict.fromkeys(path + end for end in ENDS))
        found.update(dict.fromkeys(start + path for start in STARTS))
        found.update(dict.fromkeys(origin + path for origin in ORIGINS))
        found.update(dict.fromkeys(_spelled(path)))
    return list(found)


def two_tricks() -> list[str]:
    """Every start with every end, every pair of slashes, every origin with every end."""
    found: dict[str, None] = {}
    for path in WANTED:
        for before in (*STARTS, *ORIGINS):
            found.update(dict.fromkeys(before + path + end for end in ENDS))
        for end in ENDS:
            found.update(dict.fromkeys(each + end for each in _spelled(path)))
    for first, second in permutations(SLASHES, 2):
        found[f"{first}api{second}secret"] = None
    return list(found)


def is_sendable(target: str) -> bool:
    """Whether it can stand in a request line, which ends at its first space or line break."""
    return not set(target) & set(" \r\n")
