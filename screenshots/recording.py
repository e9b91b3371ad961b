"""Records a deploy of an example under traffic, as `compartment-tui --record` does.

The recording tells of no machine: its project is in a folder of a fixed name, which its lines hold.
"""

from __future__ import annotations

import asyncio
import shutil
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from core.agent.client import Client
from core.config.project import load_project
from core.files import Home
from core.gateway.table import Ports
from core.model import DEFAULT_ENVIRONMENT, Trigger
from tui.demo.example import bump, example
from tui.demo.traffic import Traffic
from tui.feed.live import LiveFeed
from tui.feed.messages import Update
from tui.feed.recorder import Recorder, create
from tui.live_verbs import LiveVerbs
from tui.view.board import Board
from tui.view.state import Place

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from core.model import Project
    from tui.feed.messages import Message

FOLDER = Path("/tmp/shop")  # noqa: S108 - made for us alone, or refused
_EXAMPLE = example("multi-service")
_PER_S = 12
_BEFORE_S, _AFTER_S = 20.0, 3.0
"""What is seen around the deploy, so that trends have a past."""


@contextmanager
def empty_folder() -> Iterator[Path]:
    """A folder that is there for the length of a block; FileExistsError if somebody else's is."""
    FOLDER.mkdir(mode=0o700)
    try:
        yield FOLDER
    finally:
        shutil.rmtree(FOLDER)


class Recording:
    """One environment with somebody who watches and somebody who writes that down."""

    def __init__(self, client: Client, project: Project) -> None:
        self._client = client
        self._target = {"project": project.name, "environment": DEFAULT_ENVIRONMENT}
        self._verbs = LiveVerbs(client, self._target, project)
        self._board = Board(Place(**self._target))
        self._changed = asyncio.Event()

    async def deploy(self) -> None:
        """Deploys what is there, and waits until that has succeeded."""
        run = await self._verbs.submit(Trigger.DEPLOY)
        while not (found := await self._client.run_result(run["id"]))["run"]["completedAt"]:
            await asyncio.sleep(0.2)
        if found["run"]["status"] != "succeeded":
            raise SystemExit(f"the example cannot be deployed: {found['failureMessage']}")

    async def make(self, file: Path) -> None:
        """Records everything from some time before a deploy to some time after it."""
        live = LiveFeed(self._client, self._target, attach=self._client.attach)
        feed = Recorder(live, create(file), **self._target)
        async with asyncio.TaskGroup() as tasks:
            recording = tasks.create_task(feed.run(self._take))
            await asyncio.sleep(_BEFORE_S)
            await self.deploy()
            await self._until(lambda: not self._board.state.is_busy)
            await asyncio.sleep(_AFTER_S)
            recording.cancel()

    def _take(self, message: Message) -> None:
        if isinstance(message, Update):
            self._board.apply(message.body)
            self._changed.set()

    async def _until(self, is_so: Callable[[], bool]) -> None:
        while not is_so():
            self._changed.clear()
            await self._changed.wait()


def record(file: Path) -> None:
    """Makes the recording; everything that was started for it is gone afterwards."""
    file.unlink(missing_ok=True)
    with empty_folder() as folder:
        asyncio.run(_record(file, folder))


async def _record(file: Path, folder: Path) -> None:
    project = load_project(_EXAMPLE.copy_to(folder))
    async with Client.connected(Home(folder / "home"), ports=Ports(0, 0)) as client:
        found = Recording(client, project)
        try:
            await found.deploy()
            # The second one takes what is usual from then on.
            bump(project.root)
            await found.deploy()
            address = (await client.agent())["publicAddress"]
            bump(project.root)
            with Traffic(_EXAMPLE, address, _PER_S) as traffic:
                await found.make(file)
            if traffic.counts.lost:
                raise SystemExit(str(traffic.counts))
        finally:
            target = {"project": project.name, "environment": DEFAULT_ENVIRONMENT}
            await client.down(target)
            await client.stop_agent()
