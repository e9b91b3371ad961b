"""What ssh says when there is no way to the agent, and how to mend it."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final

from core.errors import AgentUnavailable

if TYPE_CHECKING:
    from core.remote.server import Server

UNREACHABLE: Final = "server_unreachable"

_COMMAND_NOT_FOUND: Final = 127
_NOISE: Final = re.compile(r"^(Warning: Permanently added|@+$|debug\d:|Pseudo-terminal)")

_MENDS: Final = (
    (
        "IDENTIFICATION HAS CHANGED",
        "its key is not the one that is known: if that was expected, forget the old one"
        " (ssh-keygen -R NAME), then look at the new one: {ssh}",
    ),
    (
        "Host key verification failed",
        "its key is not known yet: look at it, and accept it once: {ssh}",
    ),
    ("Permission denied", "this must work without a question, by a key or its agent: {ssh}"),
    ("Could not resolve hostname", "correct the name, or describe it in ~/.ssh/config"),
    ("Connection refused", "is sshd running there, on that port?"),
    ("timed out", "is it up, and is its ssh port open to this machine?"),
)


def refusal(server: Server, code: int, said: str) -> AgentUnavailable:
    """Why ssh, or what it was to run there, ended before the agent was found.

    Args:
        server: Where.
        code: The exit code of ssh: 255 is its own, every other one that of the command.
        said: All of its standard error.
    """
    if code == _COMMAND_NOT_FOUND:
        return AgentUnavailable(
            f"there is no command `compartment` on {server}",
            hint="install it there; if it is, link it to where a command without a login finds it,"
            " such as /usr/local/bin",
            code=UNREACHABLE,
        )
    words = last_words(said) or f"ssh ended with exit code {code}"
    hint = next((hint for sign, hint in _MENDS if sign in said), "does this work? {ssh}")
    return AgentUnavailable(
        f"cannot reach {server}: {words}", hint=hint.format(ssh=server.ssh), code=UNREACHABLE
    )


def not_forwarded(server: Server, said: str) -> AgentUnavailable:
    """Why a socket of the server cannot be spoken to."""
    words = last_words(said) or "the connection was closed"
    return AgentUnavailable(
        f"the agent's socket on {server} cannot be forwarded: {words}",
        hint="the sshd there must allow it: AllowStreamLocalForwarding yes",
        code=UNREACHABLE,
    )


def too_old(server: Server, version: str, ours: str) -> AgentUnavailable:
    """Refuses an agent that cannot be spoken to from elsewhere."""
    return AgentUnavailable(
        f"compartment on {server} is version {version}, which knows no --host; here it is {ours}",
        hint=f"update it there, then: {server.ssh} compartment agent start",
        code="agent_version",
    )


def last_words(said: str) -> str:
    """The last line of what ssh said that means something."""
    lines = [line.strip() for line in said.splitlines()]
    told = [line for line in lines if line and not _NOISE.match(line)]
    return told[-1] if told else ""
