"""A shell beside a live service, with what the service is given."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

from core.cli.target import ask, target_of
from core.remote.shell import shell_there

if TYPE_CHECKING:
    from argparse import Namespace

    from core.cli.output import Output

_OF_THE_TERMINAL = ("TERM", "LANG")


def shell(arguments: Namespace, _: Output) -> int:
    """Becomes the shell: in the folder of a process, or in the container.

    Raises:
        NotFound: the service is not live.
    """
    query = {**target_of(arguments), "service": arguments.service}
    if arguments.server is not None:
        words = shell_there(str(arguments.server), query)
        os.execvp(words[0], words)  # noqa: S606 - no shell is wanted
    found = ask(lambda client: client.shell(query))
    terminal = {name: os.environ[name] for name in _OF_THE_TERMINAL if name in os.environ}
    if found["cwd"]:
        os.chdir(found["cwd"])
    os.execvpe(found["argv"][0], found["argv"], {**found["environment"], **terminal})  # noqa: S606
