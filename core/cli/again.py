"""Attaching to the agent again, after it or the way to it was lost in the middle of something."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Final

from core.errors import AgentUnavailable

if TYPE_CHECKING:
    from core.agent.client import Client
    from core.cli.output import Output

_PAUSES_S: Final = (0.0, 1.0, 2.0, 4.0, 8.0, 16.0)
"""Before each try to reach a server: a laptop that changes its network needs half a minute."""


async def attach_again(client: Client, output: Output, what: str) -> None:
    """Finds the agent, or starts it where it has died; a server is tried a few times.

    Args:
        client: Of the agent that was lost.
        output: Where the person is told.
        what: What goes on without us, such as `run drn_x`.

    Raises:
        AgentUnavailable: it is gone and cannot be brought back, or the server is out of reach.
    """
    if client.server is None:
        output.progress("the agent went away; attaching again")
        await client.attach_again()
        return
    for number, pause_s in enumerate(_PAUSES_S, 1):
        await asyncio.sleep(pause_s)
        tries = f"{number} of {len(_PAUSES_S)}"
        output.progress(f"the connection to {client.server} is lost; connecting again ({tries})")
        try:
            await client.attach_again()
        except AgentUnavailable as error:
            if number < len(_PAUSES_S):
                continue
            raise AgentUnavailable(
                f"{error.message}; {what} goes on without this command", hint=error.hint
            ) from error
        else:
            return
