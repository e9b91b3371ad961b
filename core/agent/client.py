"""The only door for front ends: every verb of the agent as a method, its events as a stream."""

from __future__ import annotations

from contextlib import asynccontextmanager
from typing import TYPE_CHECKING, Any
from urllib.parse import quote

from core import __version__
from core.agent.door import START_HINT, LocalDoor
from core.agent.protocol import PROTOCOL, is_earlier
from core.agent.transport import ANSWER_TIMEOUT_S, HANGS, Transport, not_understood
from core.ending import to_the_end
from core.errors import AgentUnavailable
from core.files import Home

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator, AsyncIterator, Mapping

    from core.agent.door import Door
    from core.gateway.table import Ports

Json = dict[str, Any]

_ABOUT = frozenset({"version", "protocol"})
"""What every agent has said of itself, of any version."""


class Client:
    """A connection to the agent of one home folder."""

    def __init__(self, door: Door) -> None:
        self._door = door
        self._transport = Transport(door.socket)

    @classmethod
    @asynccontextmanager
    async def connected(
        cls, where: Home | Door, *, start: bool = True, ports: Ports | None = None
    ) -> AsyncIterator[Client]:
        """A client of the running agent, which is started where none runs.

        Raises:
            AgentUnavailable: none runs and none was to be started, or it speaks another protocol.
            CompartmentError: it could not be started, and why.
        """
        async with cls.opened(where) as client:
            await client.attach(start=start, ports=ports)
            yield client

    @classmethod
    @asynccontextmanager
    async def opened(cls, where: Home | Door) -> AsyncIterator[Client]:
        """A client of whatever agent runs, of any version, if one does."""
        door = LocalDoor(where) if isinstance(where, Home) else where
        client = cls(door)
        try:
            yield client
        finally:
            await client._transport.close()
            await to_the_end(door.close())

    @property
    def server(self) -> str | None:
        """The machine that the agent is on; None for this one."""
        return self._door.server

    async def reach(self) -> None:
        """Goes to where the agent is, if one runs there; starts none.

        Raises:
            AgentUnavailable: it is on a server, where none runs or which cannot be reached.
        """
        await self._door.open(start=False)

    async def attach(self, *, start: bool = True, ports: Ports | None = None) -> None:
        """Makes sure that an agent answers; an idle one of an earlier version is replaced."""
        await self._door.open(start=start)
        about = await self._about()
        if about is None:
            if not start:
                raise AgentUnavailable("no agent is running", hint=START_HINT)
            await self._door.start(ports)
            about = await self.agent()
        elif self._may_replace(about):
            await self.stop_agent()
            await self._door.start(ports)
            about = await self.agent()
        _check_protocol(about)

    async def attach_again(self, *, start: bool = True) -> None:
        """Makes sure that an agent answers again, where one did before.

        It is started in the home folder that is there, and in no new one. One of another version
        stays: who has started it would only replace ours in turn.

        Raises:
            AgentUnavailable: none runs and none was to be started, or the home folder is gone.
            CompartmentError: it could not be started, and why.
        """
        about = await self._about()
        if about is None:
            await self._door.open_again(start=start)
            about = await self.agent()
        _check_protocol(about)

    def _may_replace(self, about: Json) -> bool:
        # On a server the program of its own decides.
        is_ours = self.server is None and bool(about["isIdle"])
        return is_ours and is_earlier(about["version"], __version__)

    async def _about(self) -> Json | None:
        """What an agent says of itself; None where none takes connections."""
        try:
            return await self.agent()
        except AgentUnavailable as error:
            if error.code == HANGS:
                raise  # another one could not take its place
            return None

    async def agent(self) -> Json:
        """What the agent says of itself.

        Raises:
            AgentUnavailable: none answers, or what answers is none.
        """
        about = await self._transport.call("GET", "/v1/agent", answer_timeout_s=ANSWER_TIMEOUT_S)
        if not _ABOUT.issubset(about):
            raise not_understood("it is no agent")
        return about

    async def stop_agent(self) -> Json:
        """Ends the agent and waits until it is gone; what is live goes on."""
        pid = (await self.agent())["pid"]
        told = await self._transport.call("POST", "/v1/agent/stop")
        await self._door.wait_ended(pid)
        return told

    async def sources(self, target: Mapping[str, Any]) -> Json:
        """Where an environment keeps a source that is sent to it, and which it has."""
        return await self._transport.call("GET", "/v1/sources", query=target)

    async def send_source(self, query: Mapping[str, Any], parts: AsyncIterator[bytes]) -> Json:
        """Sends a source as a tar archive; `query` has its target, digest and writable folders.

        Raises:
            UsageError: it is refused.
        """
        return await self._transport.call("POST", "/v1/sources", query=query, parts=parts)

    async def submit(self, body: Json) -> Json:
        """Begins a run; see `core.agent.bodies.RunBody` for the keys."""
        return await self._transport.call("POST", "/v1/runs", body=body)

    async def plan(self, body: Json) -> Json:
        """What a run would do."""
        return await self._transport.call("POST", "/v1/plan", body=body)

    async def run_result(self, run_id: str) -> Json:
        """A run with its deployments."""
        return await self._transport.call("GET", f"/v1/runs/{run_id}")

    async def cancel(self, run_id: str) -> Json:
        """Stops a run before its switch."""
        return await self._transport.call("POST", f"/v1/runs/{run_id}/cancel")

    async def hold(self, run_id: str) -> Json:
        """Has a run wait before its switch; returns the run."""
        return await self._transport.call("POST", f"/v1/runs/{run_id}/hold")

    async def resume(self, run_id: str) -> Json:
        """Lets a held run go on; returns the run."""
        return await self._transport.call("POST", f"/v1/runs/{run_id}/resume")

    async def down(self, body: Json) -> Json:
        """Takes services down."""
        return await self._transport.call("POST", "/v1/down", body=body)

    async def status(self, query: Mapping[str, Any]) -> Json:
        """The newest and the active deployments."""
        return await self._transport.call("GET", "/v1/status", query=query)

    async def inspect(self, query: Mapping[str, Any]) -> Json:
        """Everything about deployments."""
        return await self._transport.call("GET", "/v1/inspect", query=query)

    async def networks(self, query: Mapping[str, Any]) -> Json:
        """Who reaches whom among the active services of an environment."""
        return await self._transport.call("GET", "/v1/networks", query=query)

    async def history(self, query: Mapping[str, Any]) -> Json:
        """The newest deployments, newest first."""
        return await self._transport.call("GET", "/v1/deployments", query=query)

    async def shell(self, query: Mapping[str, Any]) -> Json:
        """How a shell beside a live service is started."""
        return await self._transport.call("GET", "/v1/shell", query=query)

    async def dockerfile(self, query: Mapping[str, Any]) -> Json:
        """The Dockerfile that a service is built with on the Docker engine."""
        return await self._transport.call("GET", "/v1/dockerfile", query=query)

    async def runs(self, query: Mapping[str, Any]) -> Json:
        """The newest runs of an environment, newest first."""
        return await self._transport.call("GET", "/v1/runs", query=query)

    async def environments(self) -> Json:
        """The environments of all projects of this agent."""
        return await self._transport.call("GET", "/v1/environments")

    async def notifications(self) -> Json:
        """Who is told of what happens, and how that goes."""
        return await self._transport.call("GET", "/v1/notifications")

    async def test_notifications(self) -> Json:
        """Tells all of them something that has not happened; returns how that went."""
        return await self._transport.call("POST", "/v1/notifications/test")

    async def variables(self, query: Mapping[str, Any]) -> Json:
        """The variables of an environment, or those that a service of it gets; without values."""
        return await self._transport.call("GET", "/v1/variables", query=query)

    async def variable(self, key: str, query: Mapping[str, Any]) -> Json:
        """One variable, with its value unless that is sensitive."""
        return await self._transport.call("GET", _variable(key), query=query)

    async def set_variable(self, key: str, body: Json) -> Json:
        """Sets a variable, from the next deployment on."""
        return await self._transport.call("PUT", _variable(key), body=body)

    async def remove_variable(self, key: str, query: Mapping[str, Any]) -> Json:
        """Removes a variable, from the next deployment on."""
        return await self._transport.call("DELETE", _variable(key), query=query)

    async def import_variables(self, body: Json) -> Json:
        """Sets several variables at once, or none of them."""
        return await self._transport.call("POST", "/v1/variables/import", body=body)

    async def domains(self, query: Mapping[str, Any]) -> Json:
        """The domains of an environment, or all of them."""
        return await self._transport.call("GET", "/v1/domains", query=query)

    async def add_domain(self, host: str, body: Json) -> Json:
        """Leads a host name to a service, or changes how it gets its certificate."""
        return await self._transport.call("PUT", _domain(host), body=body)

    async def remove_domain(self, host: str, query: Mapping[str, Any]) -> Json:
        """Lets a host name lead nowhere."""
        return await self._transport.call("DELETE", _domain(host), query=query)

    async def users(self, query: Mapping[str, Any]) -> Json:
        """Those who have a login in an environment."""
        return await self._transport.call("GET", "/v1/users", query=query)

    async def add_user(self, name: str, body: Json) -> Json:
        """Gives somebody a login, or another password; in force when it returns."""
        return await self._transport.call("PUT", _user(name), body=body)

    async def remove_user(self, name: str, query: Mapping[str, Any]) -> Json:
        """Takes a login away; in force when it returns."""
        return await self._transport.call("DELETE", _user(name), query=query)

    async def executions(self, query: Mapping[str, Any]) -> Json:
        """The newest executions of jobs and crons, newest first."""
        return await self._transport.call("GET", "/v1/executions", query=query)

    async def execute(self, body: Json) -> Json:
        """Runs a job or cron now; returns the execution as it began."""
        return await self._transport.call("POST", "/v1/executions", body=body)

    async def execution(self, execution_id: str) -> Json:
        """One execution."""
        return await self._transport.call("GET", f"/v1/executions/{execution_id}")

    async def cancel_execution(self, execution_id: str) -> Json:
        """Ends an execution that runs; returns it as it ended."""
        return await self._transport.call("POST", f"/v1/executions/{execution_id}/cancel")

    async def crons(self, query: Mapping[str, Any]) -> Json:
        """The crons of an environment: when each runs, next and last."""
        return await self._transport.call("GET", "/v1/crons", query=query)

    async def watch(self, target: Mapping[str, Any]) -> AsyncGenerator[Json, None]:
        """An environment as it is, then whatever is different; it need not be deployed yet.

        Raises:
            AgentUnavailable: the agent went away.
        """
        async for update in self._transport.stream("/v1/watch", target):
            yield update

    async def events(self, after: int = 0, run_id: str | None = None) -> AsyncIterator[Json]:
        """Events later than a sequence number; those of one run end with the run.

        Raises:
            AgentUnavailable: the agent went away. Read on after the last `seq` once it is back.
        """
        async for event in self._transport.stream("/v1/events", {"after": after, "run": run_id}):
            yield event

    async def logs(self, query: Mapping[str, Any]) -> AsyncIterator[Json]:
        """Log lines, oldest first; with `following` they go on."""
        async for lines in self.log_batches(query):
            for line in lines:
                yield line

    async def log_batches(self, query: Mapping[str, Any]) -> AsyncGenerator[list[Json], None]:
        """The same lines together as they arrive: for readers that are asked for thousands."""
        async for lines in self._transport.batches("/v1/logs", query):
            yield lines


def _check_protocol(about: Json) -> None:
    if about["protocol"] != PROTOCOL:
        raise AgentUnavailable(
            f"the agent is version {about['version']} and speaks another protocol"
            f" than this command, version {__version__}",
            hint="when its runs are done: compartment agent stop, then try again",
            code="agent_version",
        )


def _variable(key: str) -> str:
    """Its path, whatever the key is: the agent refuses what is none."""
    return f"/v1/variables/{quote(key, safe='')}"


def _domain(host: str) -> str:
    return f"/v1/domains/{quote(host, safe='')}"


def _user(name: str) -> str:
    return f"/v1/users/{quote(name, safe='')}"
