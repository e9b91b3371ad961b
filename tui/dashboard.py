"""The dashboard itself: one connection to the agent, and one environment after the other."""

from __future__ import annotations

import os
import sys
from dataclasses import replace
from typing import TYPE_CHECKING, NoReturn

from core.agent.client import Client
from core.cli.output import Output
from core.config.compose.options import ComposeOptions
from core.errors import AgentUnavailable, CompartmentError
from core.files import Home
from core.remote.where import agent_door
from tui.app import DashboardApp
from tui.choices import FILE_NAME, Choices
from tui.feed.live import LiveFeed
from tui.feed.recorder import Recorder, create
from tui.going import Going
from tui.live_verbs import LiveVerbs
from tui.opening import options_of
from tui.session import Session
from tui.view.state import Place, Service

if TYPE_CHECKING:
    from argparse import Namespace
    from pathlib import Path

    from core.model import Project
    from tui.feed.messages import Feed


class Dashboard:
    """One start of the program: one connection, and one environment after the other.

    Args:
        arguments: The command line.
        project: The files of the project; None where they are not here.
        verbs: How the agent is asked.
        kind: What this is besides the usual, for the status line.
        compose: Where the files are, if they are Compose files.
    """

    def __init__(
        self,
        arguments: Namespace,
        project: Project | None,
        *,
        verbs: type[LiveVerbs] = LiveVerbs,
        kind: str | None = None,
        compose: ComposeOptions | None = None,
    ) -> None:
        self._arguments = arguments
        self._project = project
        self._verbs = verbs
        self._compose = compose or ComposeOptions()
        self._home = Home.locate()
        self._choices = Choices.load(self._home.root / FILE_NAME, is_read_only=arguments.read_only)
        self._options = options_of(arguments, self._choices, kind)
        self._is_starting_agent = False
        self._session = Session()

    async def run(self) -> int:
        """Shows environments until the person leaves; returns the exit code."""
        asked = self._arguments
        name = asked.project or (self._project.name if self._project else "")
        record: Path | None = asked.record
        async with Client.opened(agent_door(asks_again=False)) as client:
            await self._find_agent(client)
            going: Going | None = Going(name, asked.env)
            while going is not None:
                self._options = replace(self._options, greeting=going.told)
                place = Place(going.project, going.environment)
                project = self._project if place.project == name else None
                app, feed = self._app(client, place, project, record)
                record = None  # a recording is of one environment: it ends where that is left
                going = await self._session.show(app, feed)
        self._session.say_what_goes_on(app, client.server)
        if self._is_starting_agent:
            # The thread that waits for the agent would keep the person waiting, too.
            _end_at_once(self._session.exit_code)
        return self._session.exit_code

    def _app(
        self, client: Client, place: Place, project: Project | None, record: Path | None
    ) -> tuple[DashboardApp, Feed]:
        target = {"project": place.project, "environment": place.environment}
        verbs = self._verbs(client, target, project, self._arguments.engine, self._compose)
        options = self._options
        feed: Feed = LiveFeed(client, target, attach=lambda: self._attach(client))
        recorder = Recorder(feed, create(record), **target) if record else None
        if recorder is not None:
            feed = recorder
            options = replace(options, notes=(*options.notes, "recording"))
        services: list[Service] = []
        if project is not None:
            place = replace(place, root=str(project.root))
            services = [Service(each.name, each.kind) for each in project.services.values()]
        app = DashboardApp(place, services, feed, verbs, options, self._choices)
        if recorder is not None:
            recorder.warn = app.warn
        return app, feed

    async def _find_agent(self, client: Client) -> None:
        """Makes sure of an agent before the screen opens: what is wrong with it is one line."""
        if client.server is not None:
            Output().progress(f"connecting to {client.server}")
            await client.attach()
            return
        try:
            await client.attach(start=False)
        except AgentUnavailable as error:
            if error.code != AgentUnavailable.code:
                raise
            Output().progress("starting the agent")
            await client.attach()

    async def _attach(self, client: Client) -> None:
        """Finds the agent again, or starts it if it died.

        Raises:
            CompartmentError: it cannot be started, or somebody stopped it on purpose.
        """
        if client.server is not None:
            # Whether it was stopped on purpose cannot be told from here.
            await client.attach_again(start=False)
            return
        # An agent that stops takes its socket away; one that dies cannot.
        if not self._home.agent_socket.exists():
            try:
                await client.attach_again(start=False)
            except AgentUnavailable as error:
                if error.code != AgentUnavailable.code:
                    raise
                message = "it was stopped; compartment agent start starts it again"
                raise AgentUnavailable(message) from error
            return
        self._is_starting_agent = True
        try:
            await client.attach_again()
        except CompartmentError:
            self._is_starting_agent = False
            raise
        self._is_starting_agent = False


def _end_at_once(code: int) -> NoReturn:
    sys.stdout.flush()
    sys.stderr.flush()
    os._exit(code)
