"""A shell beside a service of a server: the command for it is carried out there."""

from __future__ import annotations

import shlex
from typing import TYPE_CHECKING

from core.remote.server import Server

if TYPE_CHECKING:
    from collections.abc import Mapping


def shell_there(server: str, query: Mapping[str, str]) -> list[str]:
    """The command that opens it, on a terminal of its own.

    What the service is given, secrets among it, is on no command line: it is asked for there.
    """
    where = Server.parse(server)
    port = [] if where.port is None else ["-p", str(where.port)]
    words = ["compartment", "shell", "--project", query["project"], "--env", query["environment"]]
    words += ["--service", query["service"]]
    # Each is quoted for the login shell of the server; fish reads these quotes like others do.
    return ["ssh", "-t", *port, "--", where.destination, *map(shlex.quote, words)]
