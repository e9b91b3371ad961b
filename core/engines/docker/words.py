"""What the engine says when it cannot do something, in words that help."""

from __future__ import annotations

import re
from typing import Final

from core.errors import CompartmentError

_TAKEN: Final = "port is already allocated|address already in use"
_KNOWN: Final = (
    (
        r"no such image",
        "its image is gone",
        "deploy the service again",
    ),
    (
        r'exec: \\*"(?P<what>[^"\\]*)\\*": (?:executable file not found|stat [^:]*: no such file)',
        "its image has no such command: {what}",
        "check the CMD or ENTRYPOINT of its Dockerfile, or run.command",
    ),
    (
        r'exec: \\*"(?P<what>[^"\\]*)\\*": permission denied',
        "{what} in its image may not be executed",
        "make the file executable before it is copied into the image",
    ),
    (
        r"exec (?P<what>\S+): (?:exec format error|no such file or directory)",
        "{what} in its image is not a program for this machine",
        "check the platform of the image, and the first line of a script",
    ),
    (
        r"no command specified",
        "its image has no command",
        "add a CMD to its Dockerfile",
    ),
    (
        r"no space left on device",
        "the disk of the engine is full",
        "make room on it: `docker system df` shows what takes it",
    ),
    (
        r"minimum memory limit allowed is (?P<what>\w+)",
        "its memory limit is too low: the engine needs {what} at least",
        "raise limits.memory",
    ),
    (
        r"range of cpus is from (?P<what>[\d.]+ to [\d.]+)",
        "its CPU limit is not possible on this machine: from {what}",
        "change limits.cpus",
    ),
    (
        r"(?:cannot allocate memory|container init was OOM-killed)",
        "there is not enough memory to start it",
        "raise limits.memory, or make room on this machine",
    ),
    (
        r"bind source path does not exist: (?P<what>.+)",
        "there is no {what}, which it mounts",
        "make it, or correct the path",
    ),
    (
        r"duplicate mount point: (?P<what>\S+)",
        "two things are mounted at {what}",
        "take one of them away",
    ),
    (
        r"network \S+ not found",
        "the network of its environment is gone",
        "deploy again: it is made anew",
    ),
    (
        _TAKEN,
        "its address is in use",
        "see what else is on that network: `docker network inspect`",
    ),
    (
        r'the container name "/?(?P<what>[^"]+)" is already in use',
        "there is a container named {what} already, which is not ours",
        "remove or rename it",
    ),
)


def explain_start(text: str) -> tuple[str, str | None]:
    """Why a container could not be started, and how to mend it where that is known."""
    for pattern, message, hint in _KNOWN:
        found = re.search(pattern, text, re.IGNORECASE)
        if found is not None:
            return message.format(**found.groupdict()), hint
    return text.splitlines()[0] if text else "the engine does not say why", None


def explained_start(error: CompartmentError) -> CompartmentError:
    """The error of a start, said better where it is a known one."""
    message, hint = explain_start(error.message)
    if hint is None:
        return error
    return CompartmentError(message, hint=hint)


def is_taken(error: CompartmentError) -> bool:
    """Whether a start failed because somebody else has the address, or the port."""
    return re.search(_TAKEN, error.message, re.IGNORECASE) is not None
