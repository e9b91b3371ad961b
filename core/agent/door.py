"""The way to an agent: a socket on this machine, whatever it takes to have one that answers."""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

from core.errors import AgentUnavailable

if TYPE_CHECKING:
    from pathlib import Path

    from core.files import Home
    from core.gateway.table import Ports

START_HINT = "start it: compartment agent start"


class Door(Protocol):
    """How a client comes to its agent."""

    @property
    def server(self) -> str | None:
        """The other machine that the agent is on; None for this one."""

    @property
    def socket(self) -> Path:
        """Where to speak to the agent, once the door is open."""

    async def open(self, *, start: bool) -> None:
        """Makes sure that the socket leads to where the agent is, if one runs there.

        Raises:
            AgentUnavailable: the machine cannot be reached; or none runs there that could be.
        """

    async def start(self, ports: Ports | None) -> None:
        """Starts an agent where none answered, and waits until it is ready."""

    async def open_again(self, *, start: bool) -> None:
        """Finds the agent where one answered before, and starts it there if that is wanted.

        Raises:
            AgentUnavailable: none runs, and none was to be started; or its machine is out of reach.
            CompartmentError: it could not be started, and why.
        """

    async def wait_ended(self, pid: int) -> None:
        """Returns when the agent of that process id has ended."""

    async def close(self) -> None:
        """Gives up what was opened."""


class LocalDoor:
    """To the agent of a home folder of this machine.

    How one is started is only loaded where none runs: most commands find one.
    """

    server = None

    def __init__(self, home: Home) -> None:
        self._home = home

    @property
    def socket(self) -> Path:
        """The agent's own. Raises CompartmentError where somebody else could listen there."""
        self._home.claim_sockets()
        return self._home.agent_socket

    async def open(self, *, start: bool) -> None:
        """The socket is where it is."""

    async def start(self, ports: Ports | None) -> None:
        """Starts the agent in a home folder, which is made."""
        from core.agent import launcher

        await launcher.launch(self._home, ports)

    async def open_again(self, *, start: bool) -> None:
        """Starts it in the home folder that is there, and in no new one."""
        if not start:
            raise AgentUnavailable("no agent is running", hint=START_HINT)
        from core.agent import launcher

        await launcher.launch_again(self._home)

    async def wait_ended(self, pid: int) -> None:
        """Asks the kernel."""
        from core.agent import launcher

        await launcher.wait_ended(pid)

    async def close(self) -> None:
        """Nothing was opened."""
