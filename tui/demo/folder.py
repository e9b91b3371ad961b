"""The demo's own home folder, which is deleted with everything in it when the demo is stopped."""

from __future__ import annotations

import os
import shutil
import time
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from core.agent.client import Client
from core.errors import CompartmentError, NotFound, UsageError
from core.files import Home

_MARK: Final = "demo.txt"
_MARK_TEXT: Final = "This folder is the home of `compartment-tui --demo`, which deletes it.\n"
_ENDING_S: Final = 10.0
"""How long an agent that is on its way up may need to find that it is not wanted."""


@dataclass(frozen=True, slots=True)
class DemoFolder:
    """A home folder with a mark, so that no other one is ever deleted."""

    home: Home

    @classmethod
    def locate(cls) -> DemoFolder:
        """`$COMPARTMENT_HOME`, else a folder for the demo alone in the platform's place."""
        if os.environ.get("COMPARTMENT_HOME"):
            return cls(Home.locate())
        import platformdirs

        return cls(Home(Path(platformdirs.user_state_dir("compartment-demo"))))

    @property
    def is_there(self) -> bool:
        """Whether a demo was begun and not stopped."""
        return (self.home.root / _MARK).exists()

    def claim(self) -> None:
        """Makes the folder.

        Raises:
            UsageError: it is a home folder that people use.
            CompartmentError, OSError: it cannot be made.
        """
        root = self.home.root
        if not self.is_there and root.exists() and any(root.iterdir()):
            raise UsageError(
                f"{root} is in use, and the demo deletes its home folder at the end",
                hint="unset COMPARTMENT_HOME, or let it name a folder that is not there yet",
            )
        # The mark comes first: whatever is there besides it can be deleted, whenever this ends.
        root.mkdir(mode=0o700, parents=True, exist_ok=True)
        (root / _MARK).write_text(_MARK_TEXT, encoding="utf-8")
        self.home.create()
        # For the agent, the commands and the dashboard that the demo starts.
        os.environ["COMPARTMENT_HOME"] = str(root)

    async def stop(self) -> None:
        """Takes everything down and deletes the folder; what somebody else has stopped is.

        Raises:
            CompartmentError: something could not be stopped; the folder is then still there.
        """
        if not self.is_there:
            return
        # An agent that is only just being started has a log, and nothing else yet.
        if self.home.agent_output.exists():
            await self._take_down()
        self._delete()

    def _delete(self) -> None:
        """The journal first: without it no command starts the agent again. The mark last."""
        root = self.home.root
        self.home.journal.unlink(missing_ok=True)
        if self.home.sockets.parent != root:
            shutil.rmtree(self.home.sockets, ignore_errors=True)
        deadline = time.monotonic() + _ENDING_S
        while _left_in(root):
            for each in _left_in(root):
                if each.is_dir() and not each.is_symlink():
                    shutil.rmtree(each, ignore_errors=True)
                else:
                    each.unlink(missing_ok=True)
            if time.monotonic() > deadline:
                break  # what follows says what is in the way
        (root / _MARK).unlink()
        root.rmdir()

    async def _take_down(self) -> None:
        async with Client.connected(self.home) as client:
            about = await client.agent()
            if not about["isIdle"]:
                # Cancels what is under way, which nobody waits for any more.
                await client.stop_agent()
                await client.attach()
            for name in about["environments"]:
                project, _, environment = name.partition("/")
                with suppress(NotFound):  # somebody else was quicker
                    await client.down({"project": project, "environment": environment})
            left = (await client.stop_agent())["instancesLeftRunning"]
        if left:
            raise CompartmentError(f"{left} instances of the demo are still running")


def _left_in(root: Path) -> list[Path]:
    """An agent that a command has just started writes its log, and ends without a journal."""
    return [each for each in root.iterdir() if each.name != _MARK]
