"""Asks whatever listens at a socket whether it is an engine that can be used. Blocks, briefly.

It speaks HTTP by itself, so that an answer has a deadline even when it comes a byte at a time.
"""

from __future__ import annotations

import json
import re
import socket
import struct
import time
from dataclasses import dataclass
from http.client import HTTPException, HTTPResponse
from io import BytesIO
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final, cast

from core.errors import EngineUnavailable

if TYPE_CHECKING:
    from core.engines.docker.places import Place

OLDEST_API: Final = "1.41"
"""Of Docker 20.10, the oldest engine that is supported. Docker 29 refuses it and names its own."""

_LIMIT_S: Final = 2.0
_LONGEST_ANSWER: Final = 1 << 20
_API: Final = re.compile(r"(\d+)\.(\d+)")
_START: Final = "start it: `sudo systemctl start docker`, or Docker Desktop"


@dataclass(frozen=True, slots=True)
class Greeting:
    """What an engine says of itself."""

    version: str
    api: str
    """The version of its API to speak: the oldest that both know."""
    is_podman: bool
    is_virtual: bool
    """Whether its networks are not those of this machine: in a virtual machine, or rootless."""
    gateway: str | None
    """The address of this machine on its first network, if it has one."""
    pid: int
    """The process that listens; 0 where it cannot be seen from here."""


def greet(place: Place) -> Greeting:
    """Asks the engine at a place.

    Raises:
        EngineUnavailable: there is none, or it cannot be used; why, and what to do about it.
    """
    try:
        return _greeting(place)
    except BlockingIOError:
        raise refused(
            place, f"does not answer within {_LIMIT_S:g} s", "see whether it is overloaded or hangs"
        ) from None
    except (ValueError, HTTPException, LookupError, TypeError, AttributeError) as error:
        raise refused(
            place, "does not speak Docker's API", "find out what else listens there"
        ) from error
    except OSError as error:
        raise _unreached(place, error) from error


def _greeting(place: Place) -> Greeting:
    version, pid = _ask(place, "/version")
    api = _common_api(place, version)
    info, _ = _ask(place, f"/v{api}/info")
    bridge, _ = _ask(place, f"/v{api}/networks/bridge", may_lack=True)
    if info["OSType"] != "linux":
        raise refused(place, "does not run Linux containers", "switch it to Linux containers")
    security = info.get("SecurityOptions") or []
    return Greeting(
        version=str(version["Version"]),
        api=api,
        is_podman=any("Podman" in each["Name"] for each in version.get("Components") or []),
        is_virtual="name=rootless" in security or "Desktop" in info["OperatingSystem"],
        gateway=_gateway(bridge),
        pid=pid,
    )


def refused(place: Place, predicate: str, mend: str) -> EngineUnavailable:
    """The error that says why the engine at a place cannot be used."""
    hint = f"{mend}; or {place.otherwise}" if place.otherwise else mend
    return EngineUnavailable(
        f"the Docker Engine at {place.socket}, {place.because}, {predicate}", hint=hint
    )


def _unreached(place: Place, error: OSError) -> EngineUnavailable:
    if isinstance(error, FileNotFoundError):
        return refused(place, "is not there", _START)
    if isinstance(error, PermissionError):
        mend = (
            f"join its group: `sudo usermod -aG {_group(place.socket)} $USER`, log in again,"
            " then `compartment agent stop`"
        )
        return refused(place, "refuses permission", mend)
    if _is_something_else(place.socket):
        return refused(place, "is no socket", "find out what else was put there")
    if isinstance(error, ConnectionRefusedError):
        return refused(place, "is not running: nobody listens", _START)
    return refused(place, f"cannot be asked: {error.strerror or error}", _START)


def _group(path: str) -> str:
    """Who may use a socket besides its owner."""
    try:
        name = Path(path).group()
    except (OSError, KeyError):
        return "docker"
    return "docker" if name == "root" else name


def _is_something_else(path: str) -> bool:
    try:
        return not Path(path).is_socket()
    except OSError:
        return False


def _ask(place: Place, path: str, *, may_lack: bool = False) -> tuple[Any, int]:
    deadline = time.monotonic() + _LIMIT_S
    request = f"GET {path} HTTP/1.1\r\nHost: docker\r\nConnection: close\r\n\r\n"
    with socket.socket(socket.AF_UNIX) as connection:
        _hurry(connection, deadline)
        connection.connect(place.socket)
        connection.sendall(request.encode())
        answer = b""
        while len(answer) <= _LONGEST_ANSWER:
            _hurry(connection, deadline)
            chunk = connection.recv(1 << 16)
            if not chunk:
                break
            answer += chunk
        pid = _pid(connection)
    response = HTTPResponse(cast("socket.socket", _Read(answer)))
    response.begin()
    body = response.read()
    if response.status == 404 and may_lack:
        return {}, pid
    if response.status != 200:
        text = body.decode(errors="replace").strip()[:200] or response.reason
        raise refused(place, f"refuses: {response.status} {text}", "see what guards its socket")
    found = json.loads(body)
    if not isinstance(found, dict):
        raise TypeError("not an object")
    return found, pid


def _hurry(connection: socket.socket, deadline: float) -> None:
    left = deadline - time.monotonic()
    if left <= 0:
        raise BlockingIOError
    # The time-outs of Python do not wait for a listener that has no room for a connection.
    timeout = struct.pack("@ll", int(left), int(left % 1 * 1_000_000) + 1)
    for option in (socket.SO_SNDTIMEO, socket.SO_RCVTIMEO):
        connection.setsockopt(socket.SOL_SOCKET, option, timeout)


class _Read:
    """What was read already, as HTTPResponse wants it."""

    def __init__(self, content: bytes) -> None:
        self._content = content

    def makefile(self, _mode: str) -> BytesIO:
        return BytesIO(self._content)


def _pid(connection: socket.socket) -> int:
    option = getattr(socket, "SO_PEERCRED", None)
    if option is None:
        return 0
    credentials = connection.getsockopt(socket.SOL_SOCKET, option, struct.calcsize("3i"))
    return int(struct.unpack("3i", credentials)[0])


def _common_api(place: Place, version: dict[str, Any]) -> str:
    if _number(version["ApiVersion"]) < _number(OLDEST_API):
        told = f"is version {version.get('Version')}, which is too old"
        raise refused(place, told, "update it to Docker 20.10 or newer")
    return max(OLDEST_API, version.get("MinAPIVersion") or OLDEST_API, key=_number)


def _number(text: str) -> tuple[int, int]:
    found = _API.fullmatch(text)
    if found is None:
        raise ValueError(f"{text!r} is no version of an API")
    return int(found[1]), int(found[2])


def _gateway(bridge: dict[str, Any]) -> str | None:
    configs = (bridge.get("IPAM") or {}).get("Config") or []
    return next((each["Gateway"] for each in configs if each.get("Gateway")), None)
