"""A server as `--host` names it: what ssh takes, and nothing that it would take for a flag."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Final

from core.errors import UsageError

_WORD: Final = r"[A-Za-z0-9_.%+-]+"
_SERVER: Final = re.compile(
    rf"(?P<user>{_WORD}@)?(?P<name>[A-Za-z0-9_][A-Za-z0-9_.-]*|\[[0-9A-Fa-f:.%a-z]+\])"
    r"(?::(?P<port>[0-9]{1,5}))?"
)


@dataclass(frozen=True, slots=True)
class Server:
    """`[user@]name[:port]`; the name may be an alias of the person's ssh configuration."""

    destination: str
    """As ssh takes it, without the port."""
    port: int | None = None

    def __str__(self) -> str:
        user, at, name = self.destination.rpartition("@")
        name = f"[{name}]" if ":" in name else name
        return f"{user}{at}{name}" + (f":{self.port}" if self.port is not None else "")

    @property
    def ssh(self) -> str:
        """What a person types to be there."""
        port = "" if self.port is None else f"-p {self.port} "
        return f"ssh {port}{self.destination}"

    @classmethod
    def parse(cls, text: str) -> Server:
        """The server that a text names.

        Raises:
            UsageError: it names none.
        """
        found = _SERVER.fullmatch(text)
        port = int(found["port"]) if found and found["port"] else None
        is_user_a_flag = bool(found and (found["user"] or "").startswith("-"))
        if found is None or is_user_a_flag or (port is not None and not 1 <= port <= 65_535):
            raise UsageError(
                f"{text!r} is no server",
                hint="write [user@]name[:port], or an alias of ~/.ssh/config",
            )
        # ssh itself takes an IPv6 address without brackets.
        return cls(f"{found['user'] or ''}{found['name'].strip('[]')}", port)
